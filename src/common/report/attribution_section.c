/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include "base/text.h"
#include "options/grammar.h"
#include "report/figures.h"

#include <inttypes.h>
#include <string.h>

enum { SENTENCE = 2048, NAMED = 12 };

static bool is_guilty(const struct result_behaviour *b)
{
    return b->share.verdict == BEHAVIOUR_GUILTY;
}

static size_t count_of(const struct result_attribution *w, enum behaviour_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < w->behaviours; i++)
        count += w->behaviour[i].share.verdict == verdict;
    return count;
}

/* An error is printed with the digits of its figure. */
static int decimals_of(const char *number)
{
    const char *point = strchr(number, '.');
    return point ? (int)strlen(point + 1) : 0;
}

/* `64 B`, `984 B in 2 blocks`; where chance had a part in it, how far it may be off. */
static void say_loss(struct text *t, const struct result_attribution *w,
                     const struct behaviours_share *b)
{
    char bytes[FIGURE_SIZE], blocks[FIGURE_SIZE], off[FIGURE_SIZE];
    figure_plain(bytes, sizeof bytes, b->bytes);
    if (w->exact || b->blocks_error <= 0) {
        text_add(t, "%s B", bytes);
        if (b->blocks != 1)
            text_add(t, " in %s blocks", figure_plain(blocks, sizeof blocks, b->blocks));
        return;
    }
    figure_count(blocks, sizeof blocks, b->blocks);
    const char *plain = blocks[0] == '+' ? blocks + 1 : blocks;
    text_add(t, "%s B, %s ± %s blocks", bytes, plain,
             figure_grouped(off, sizeof off, b->blocks_error, decimals_of(plain)));
}

static void say_alike(struct text *t, const struct result_attribution *w)
{
    text_add(t, "with every peer alike: ");
    for (size_t i = 0; i < w->behaviours && i < NAMED; i++)
        text_add(t, "%s%s", i ? ", " : "", w->behaviour[i].name);
    text_add(t, "%s", w->behaviours > NAMED ? ", ..." : "");
}

/* What it may lose, where chance had a part in it: that none was seen says no more. */
static void say_limit(struct text *t, const struct result_attribution *w,
                      const struct behaviours_share *b)
{
    char most[FIGURE_SIZE];
    if (!w->exact && b->blocks_error > 0)
        text_add(t, " (at most %s blocks)", figure_plain(most, sizeof most, behaviours_at_most(b)));
}

static void say_names(struct text *t, const struct result_attribution *w,
                      enum behaviour_verdict verdict)
{
    const char *joint = "";
    for (size_t i = 0; i < w->behaviours; i++) {
        if (w->behaviour[i].share.verdict != verdict)
            continue;
        text_add(t, "%s%s", joint, w->behaviour[i].name);
        say_limit(t, w, &w->behaviour[i].share);
        joint = ", ";
    }
}

static bool same_loss(const struct result_attribution *w, size_t a, size_t b)
{
    return w->exact && is_guilty(&w->behaviour[a]) && is_guilty(&w->behaviour[b]) &&
           w->behaviour[a].share.blocks == w->behaviour[b].share.blocks &&
           w->behaviour[a].share.bytes == w->behaviour[b].share.bytes;
}

static bool said_before(const struct result_attribution *w, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_loss(w, i, index))
            return true;
    return false;
}

/* `clean, reset: 64 B`: those that lose the same are told together. */
static void say_guilty(struct text *t, const struct result_attribution *w, size_t first)
{
    text_add(t, "%s", w->behaviour[first].name);
    for (size_t i = first + 1; i < w->behaviours; i++)
        if (same_loss(w, first, i))
            text_add(t, ", %s", w->behaviour[i].name);
    text_add(t, ": ");
    say_loss(t, w, &w->behaviour[first].share);
}

static void say_apart(struct text *t, const struct result_attribution *w)
{
    bool first = true;
    for (size_t i = 0; i < w->behaviours; i++) {
        if (!is_guilty(&w->behaviour[i]) || said_before(w, i))
            continue;
        text_add(t, "%s", first ? "" : "; ");
        say_guilty(t, w, i);
        first = false;
    }
    text_add(t, " per such connection");
    size_t innocent = count_of(w, BEHAVIOUR_INNOCENT), unsure = count_of(w, BEHAVIOUR_UNSURE);
    if (innocent && !unsure && w->exact)
        text_add(t, "; none for the other%s", innocent == 1 ? "" : "s");
    else if (innocent) {
        text_add(t, "; not leaking: ");
        say_names(t, w, BEHAVIOUR_INNOCENT);
    }
    if (unsure) {
        text_add(t, "; unsure: ");
        say_names(t, w, BEHAVIOUR_UNSURE);
    }
}

/* Whole numbers that fit say enough; what isn't whole, or doesn't fit, is said. */
static void say_quality(struct text *t, const struct result_attribution *w)
{
    char most[FIGURE_SIZE];
    if (w->sparse)
        text_add(t, "; the only one that fits, in fewer epochs than there are behaviours");
    if (w->exact || w->outcome == BEHAVIOURS_UNTOLD)
        return;
    text_add(t, "; not whole: an epoch is off by up to %s blocks",
             figure_grouped(most, sizeof most, w->residual_blocks, 1));
}

/* The epoch didn't keep what was solved for it. */
static void say_predicted(struct text *t, const struct result_attribution *w,
                          const struct behaviours_confirm *c)
{
    char blocks[FIGURE_SIZE];
    if (!c->agrees)
        text_add(t, " instead of %s",
                 figure_grouped(blocks, sizeof blocks, c->predicted.blocks, w->exact ? 0 : 1));
}

static void say_confirmed(struct text *t, const struct result_attribution *w)
{
    char n[4][FIGURE_SIZE];
    const struct behaviours_confirm *a = &w->alone, *b = &w->without;
    if (!w->tried)
        return;
    const char *word = w->too_rare    ? "too rare to confirm"
                       : w->confirmed ? "confirmed"
                                      : "not confirmed";
    const char *it = count_of(w, BEHAVIOUR_GUILTY) > 1 ? "them" : "it";
    human_count(n[0], sizeof n[0], (int64_t)a->connections);
    human_count(n[1], sizeof n[1], a->blocks);
    human_count(n[2], sizeof n[2], (int64_t)b->connections);
    human_count(n[3], sizeof n[3], b->blocks);
    if (a->guilty == a->connections)
        text_add(t, "; %s: an epoch of %s alone (%s connections) kept %s", word, it, n[0], n[1]);
    else
        text_add(t, "; %s: an epoch mostly of %s (%" PRIu64 " of %s connections) kept %s", word, it,
                 a->guilty, n[0], n[1]);
    say_predicted(t, w, a);
    if (b->guilty == 0)
        text_add(t, ", one without %s (%s) %s", it, n[2], n[3]);
    else
        text_add(t, ", one almost without %s (%" PRIu64 " of %s) %s", it, b->guilty, n[2], n[3]);
    say_predicted(t, w, b);
}

static void say_together(struct text *t, const struct result_attribution *w)
{
    char most[FIGURE_SIZE];
    text_add(
        t,
        "not separable: no sum over the behaviours gives the growth, an epoch is off by up to "
        "%s blocks; it may take two of them together, or lose another number of blocks each time",
        figure_grouped(most, sizeof most, w->residual_blocks, 1));
}

void parts_attribution(const struct result_subject *subject, const struct screen *s)
{
    const struct result_attribution *w = subject->attribution;
    char said[SENTENCE];
    struct text t = text_into(said, sizeof said);
    if (!w)
        return;
    switch (w->outcome) {
    case BEHAVIOURS_NONE:
        return;
    case BEHAVIOURS_SINGLE:
        text_add(&t, "with every %s; all %s alike: %s", judgement_unit(&subject->judgement),
                 subject->judgement.unit == UNIT_CONNECTION ? "left" : "were",
                 w->behaviours ? w->behaviour[0].name : "one behaviour");
        break;
    case BEHAVIOURS_ALIKE:
        say_alike(&t, w);
        say_quality(&t, w);
        break;
    case BEHAVIOURS_APART:
        say_apart(&t, w);
        say_quality(&t, w);
        say_confirmed(&t, w);
        break;
    case BEHAVIOURS_UNTOLD:
        text_add(&t, "unknown: too few leaked blocks to separate %zu behaviours", w->behaviours);
        break;
    case BEHAVIOURS_TOGETHER:
        say_together(&t, w);
        break;
    }
    screen_say(s, "when", PARTS_LEAK_COLUMN, "%s", said);
}

/* The row of connections to which what was drawn for them didn't happen. */
static bool is_failed(const struct result_attribution *w, size_t behaviour)
{
    return behaviour < w->behaviours && strcmp(w->behaviour[behaviour].name, "failed") == 0;
}

char *parts_attribution_sensitivity(char *buf, size_t size, const struct result_subject *subject)
{
    const struct result_attribution *w = subject->attribution;
    struct text t = text_list(buf, size, ", ");
    char one_in[FIGURE_SIZE];
    size_t shown = 0;
    bool several = w && (w->behaviours > 1 || is_failed(w, 0)); /* one that was asked for is all */
    for (size_t i = 0; several && i < w->behaviours && shown < NAMED; i++) {
        if (!(w->behaviour[i].one_in >= 1)) /* nor what isn't known */
            continue;
        shown++;
        text_item(&t, "%s %s", w->behaviour[i].name,
                  figure_one_in(one_in, sizeof one_in, w->behaviour[i].one_in));
    }
    return buf;
}

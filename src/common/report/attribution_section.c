/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include "options/grammar.h"
#include "report/figures.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE = 2048, NAMED = 12 };

struct sentence {
    size_t used;
    char text[SENTENCE];
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *t, const char *format, ...)
{
    va_list args;
    if (t->used >= sizeof t->text - 1)
        return;
    va_start(args, format);
    int n = vsnprintf(t->text + t->used, sizeof t->text - t->used, format, args);
    va_end(args);
    t->used += n > 0 ? (size_t)n : 0;
}

static bool is_guilty(const struct result_behaviour *b)
{
    return b->verdict == BEHAVIOUR_GUILTY;
}

static size_t count_of(const struct result_attribution *w, enum behaviour_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < w->behaviours; i++)
        count += w->behaviour[i].verdict == verdict;
    return count;
}

/* An error is printed with the digits of its figure. */
static int decimals_of(const char *number)
{
    const char *point = strchr(number, '.');
    return point ? (int)strlen(point + 1) : 0;
}

/* `64 B`, `984 B in 2 blocks`; where chance had a part in it, how far it may be off. */
static void say_loss(struct sentence *t, const struct result_attribution *w,
                     const struct result_behaviour *b)
{
    char bytes[FIGURE_SIZE], blocks[FIGURE_SIZE], off[FIGURE_SIZE];
    figure_plain(bytes, sizeof bytes, b->bytes);
    if (w->exact || b->blocks_error <= 0) {
        say(t, "%s B", bytes);
        if (b->blocks != 1)
            say(t, " in %s blocks", figure_plain(blocks, sizeof blocks, b->blocks));
        return;
    }
    figure_count(blocks, sizeof blocks, b->blocks);
    const char *plain = blocks[0] == '+' ? blocks + 1 : blocks;
    say(t, "%s B, %s ± %s blocks", bytes, plain,
        figure_grouped(off, sizeof off, b->blocks_error, decimals_of(plain)));
}

static void say_alike(struct sentence *t, const struct result_attribution *w)
{
    say(t, "with every peer alike: ");
    for (size_t i = 0; i < w->behaviours && i < NAMED; i++)
        say(t, "%s%s", i ? ", " : "", w->behaviour[i].name);
    say(t, "%s", w->behaviours > NAMED ? ", ..." : "");
}

static void say_names(struct sentence *t, const struct result_attribution *w,
                      enum behaviour_verdict verdict)
{
    bool first = true;
    for (size_t i = 0; i < w->behaviours; i++) {
        if (w->behaviour[i].verdict != verdict)
            continue;
        say(t, "%s%s", first ? "" : ", ", w->behaviour[i].name);
        first = false;
    }
}

static bool same_loss(const struct result_attribution *w, size_t a, size_t b)
{
    return w->exact && is_guilty(&w->behaviour[a]) && is_guilty(&w->behaviour[b]) &&
           w->behaviour[a].blocks == w->behaviour[b].blocks &&
           w->behaviour[a].bytes == w->behaviour[b].bytes;
}

static bool said_before(const struct result_attribution *w, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_loss(w, i, index))
            return true;
    return false;
}

/* `clean, reset: 64 B`: those that lose the same are told together. */
static void say_guilty(struct sentence *t, const struct result_attribution *w, size_t first)
{
    say(t, "%s", w->behaviour[first].name);
    for (size_t i = first + 1; i < w->behaviours; i++)
        if (same_loss(w, first, i))
            say(t, ", %s", w->behaviour[i].name);
    say(t, ": ");
    say_loss(t, w, &w->behaviour[first]);
}

static void say_apart(struct sentence *t, const struct result_attribution *w)
{
    bool first = true;
    for (size_t i = 0; i < w->behaviours; i++) {
        if (!is_guilty(&w->behaviour[i]) || said_before(w, i))
            continue;
        say(t, "%s", first ? "" : "; ");
        say_guilty(t, w, i);
        first = false;
    }
    say(t, " per such connection");
    size_t innocent = count_of(w, BEHAVIOUR_INNOCENT), unsure = count_of(w, BEHAVIOUR_UNSURE);
    if (innocent && !unsure)
        say(t, "; none for the other%s", innocent == 1 ? "" : "s");
    else if (innocent) {
        say(t, "; not leaking: ");
        say_names(t, w, BEHAVIOUR_INNOCENT);
    }
    if (unsure) {
        say(t, "; unsure: ");
        say_names(t, w, BEHAVIOUR_UNSURE);
    }
}

/* Whole numbers that fit say enough; what isn't whole, or doesn't fit, is said. */
static void say_quality(struct sentence *t, const struct result_attribution *w)
{
    char most[FIGURE_SIZE];
    if (w->sparse)
        say(t, "; the only one that fits, in fewer epochs than there are behaviours");
    if (w->exact || w->outcome == BEHAVIOURS_UNTOLD)
        return;
    say(t, "; not whole: an epoch is off by up to %s blocks",
        figure_grouped(most, sizeof most, w->residual_blocks, 1));
}

static void say_confirmed(struct sentence *t, const struct result_attribution *w)
{
    char n[4][FIGURE_SIZE];
    const struct result_confirm *a = &w->alone, *b = &w->without;
    if (!w->tried)
        return;
    const char *word = w->too_rare              ? "too rare to confirm"
                       : a->agrees && b->agrees ? "confirmed"
                                                : "not confirmed";
    const char *it = count_of(w, BEHAVIOUR_GUILTY) > 1 ? "them" : "it";
    human_count(n[0], sizeof n[0], (int64_t)a->connections);
    human_count(n[1], sizeof n[1], a->blocks);
    human_count(n[2], sizeof n[2], (int64_t)b->connections);
    human_count(n[3], sizeof n[3], b->blocks);
    if (a->guilty == a->connections)
        say(t, "; %s: an epoch of %s alone (%s connections) kept %s", word, it, n[0], n[1]);
    else
        say(t, "; %s: an epoch mostly of %s (%" PRIu64 " of %s connections) kept %s", word, it,
            a->guilty, n[0], n[1]);
    if (!a->agrees)
        say(t, " instead of %.*f", w->exact ? 0 : 1, a->predicted_blocks);
    if (b->guilty == 0)
        say(t, ", one without %s (%s) %s", it, n[2], n[3]);
    else
        say(t, ", one almost without %s (%" PRIu64 " of %s) %s", it, b->guilty, n[2], n[3]);
    if (!b->agrees)
        say(t, " instead of %.*f", w->exact ? 0 : 1, b->predicted_blocks);
}

static void say_together(struct sentence *t, const struct result_attribution *w)
{
    char most[FIGURE_SIZE];
    say(t,
        "not separable: no sum over the behaviours gives the growth, an epoch is off by up to "
        "%s blocks; it may take two of them together",
        figure_grouped(most, sizeof most, w->residual_blocks, 1));
}

void parts_attribution(const struct result_subject *subject, const struct screen *s)
{
    const struct result_attribution *w = subject->attribution;
    struct screen_lead lead = screen_lead_at("when", PARTS_LEAK_COLUMN);
    struct sentence t = {0};
    if (!w)
        return;
    switch (w->outcome) {
    case BEHAVIOURS_NONE:
        return;
    case BEHAVIOURS_SINGLE:
        say(&t,
            subject->judgement.by_operation ? "with every operation; all were alike: %s"
                                            : "with every connection; all left alike: %s",
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
        say(&t, "unknown: too few leaked blocks to separate %zu behaviours", w->behaviours);
        break;
    case BEHAVIOURS_TOGETHER:
        say_together(&t, w);
        break;
    }
    screen_wrap(s, &lead, "%s", t.text);
}

char *parts_attribution_sensitivity(char *buf, size_t size, const struct result_subject *subject)
{
    const struct result_attribution *w = subject->attribution;
    struct sentence t = {0};
    char one_in[FIGURE_SIZE];
    size_t shown = 0;
    for (size_t i = 0; w && i < w->behaviours && shown < NAMED && w->behaviours > 1; i++) {
        if (w->behaviour[i].one_in < 1)
            continue;
        say(&t, "%s%s %s", shown++ ? ", " : "", w->behaviour[i].name,
            figure_one_in(one_in, sizeof one_in, w->behaviour[i].one_in));
    }
    snprintf(buf, size, "%s", t.text);
    return buf;
}

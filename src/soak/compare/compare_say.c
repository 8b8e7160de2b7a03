/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_say.h"

#include "base/text.h"
#include "options/grammar.h"
#include "report/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- figures ---- */

static char *plain(double value, char *buf, size_t size)
{
    bool whole = value == floor(value) || fabs(value) >= 100;
    return figure_grouped(buf, size, value, whole ? 0 : 2);
}

static void value_text(double value, enum compare_row row, char *buf, size_t size)
{
    char number[COMPARE_FIGURE];
    const struct compare_row_info *info = compare_row_info(row);
    bool growth = info->role == COMPARE_VERDICT;
    switch (info->unit) {
    case COMPARE_COUNT:
        if (growth && value != 0)
            figure_count(buf, size, value);
        else
            plain(value, buf, size);
        return;
    case COMPARE_BYTES:
        if (growth && value != 0)
            figure_bytes(buf, size, value);
        else
            snprintf(buf, size, "%s B", figure_grouped(number, sizeof number, value, 0));
        return;
    case COMPARE_NS:
        snprintf(buf, size, "%.1f ms", value / 1e6);
        return;
    case COMPARE_US:
        snprintf(buf, size, "%s µs", figure_grouped(number, sizeof number, value, 0));
        return;
    case COMPARE_RATIO:
        snprintf(buf, size, "%.2f", value);
        return;
    }
}

/* In the table, where exact rows say their unit themselves. */
static void cell_text(double value, enum compare_row row, char *buf, size_t size)
{
    const struct compare_row_info *info = compare_row_info(row);
    if (info->unit == COMPARE_BYTES && info->role == COMPARE_EXACT)
        plain(value, buf, size);
    else if (info->unit == COMPARE_BYTES && info->role == COMPARE_WITNESS)
        human_bytes(buf, size, value);
    else
        value_text(value, row, buf, size);
}

char *compare_say_value(const struct compare_cell *c, enum compare_row row, char *buf, size_t size)
{
    char figure[COMPARE_FIGURE];
    bool exact_row = compare_row_exact(row);
    if (isnan(c->value)) {
        snprintf(buf, size, "-");
        return buf;
    }
    cell_text(c->value, row, figure, sizeof figure);
    snprintf(buf, size, "%s%s", exact_row && !c->exact ? "~" : "", figure);
    return buf;
}

static char *percent(double value, double first, char *buf, size_t size)
{
    if (first == 0)
        snprintf(buf, size, value == 0 ? "=" : "new");
    else {
        double share = 100 * (value - first) / fabs(first);
        int decimals = fabs(share) < 0.095 ? 2 : fabs(share) < 99.95 ? 1 : 0;
        snprintf(buf, size, "%+.*f %%", decimals, share);
    }
    return buf;
}

char *compare_say_change(const struct compare_set *s, size_t i, enum compare_row row, char *buf,
                         size_t size)
{
    const struct compare_cell *c = &s->judgement.column[i].cell[row];
    const struct compare_cell *first = &s->judgement.column[0].cell[row];
    bool known = !isnan(c->value) && !isnan(first->value);
    enum compare_role role = compare_row_info(row)->role;
    buf[0] = '\0';
    if (i == 0 || s->judgement.column[i].runs == 0 || role == COMPARE_MEASURED ||
        (role == COMPARE_VERDICT && (first->value == 0 || c->value == 0)))
        return buf;
    if (c->change == COMPARE_CHANGE_MISSING || c->change == COMPARE_CHANGE_EQUAL)
        snprintf(buf, size, "%s", compare_change_name(c->change));
    else if (known && c->value == first->value)
        snprintf(buf, size, "=");
    else if (known)
        percent(c->value, first->value, buf, size);
    return buf;
}

char *compare_say_interval(const struct compare_cell *c, char *buf, size_t size)
{
    buf[0] = '\0';
    if (c->ratio.pairs > 1)
        snprintf(buf, size, "%.3f–%.3f", c->ratio.low, c->ratio.high);
    return buf;
}

char *compare_say_note(const struct compare_set *s, size_t i, enum compare_row row, char *buf,
                       size_t size)
{
    const struct compare_cell *c = &s->judgement.column[i].cell[row];
    char interval[COMPARE_FIGURE];
    if (compare_row_info(row)->role != COMPARE_MEASURED || c->ratio.pairs <= 1)
        return compare_say_change(s, i, row, buf, size);
    snprintf(buf, size, "× %.3f (%s) %s", c->ratio.median,
             compare_say_interval(c, interval, sizeof interval), compare_change_name(c->change));
    return buf;
}

bool compare_has_row(const struct compare_set *s, enum compare_row row)
{
    for (size_t i = 0; i < s->entries; i++)
        if (!isnan(s->judgement.column[i].cell[row].value))
            return true;
    return false;
}

/* ---- the line of a version ---- */

/* The rows that tell most come first. */
static const enum compare_row telling[] = {COMPARE_ALLOCS_SERVER,
                                           COMPARE_ALLOCS_CLIENT,
                                           COMPARE_HELD_IDLE,
                                           COMPARE_CPU,
                                           COMPARE_PEAK,
                                           COMPARE_REALLOCS_SERVER,
                                           COMPARE_ALLOC_BYTES_SERVER,
                                           COMPARE_REALLOCS_CLIENT,
                                           COMPARE_ALLOC_BYTES_CLIENT,
                                           COMPARE_ALLOCS};
enum { TELLING = sizeof telling / sizeof *telling, TOLD = 3 };

const char *compare_say_side(const struct compare_set *s, enum compare_row row)
{
    const struct compare_row_info *info = compare_row_info(row);
    return info->role == COMPARE_EXACT ? compare_side_name(info->side)
                                       : compare_set_side_name(s, info->side);
}

/* What a row is called in a sentence: whose it is when both are judged. */
static const char *row_phrase(const struct compare_set *s, enum compare_row row, char *buf,
                              size_t size)
{
    static const struct {
        enum compare_row row;
        const char *phrase;
    } phrases[] = {{COMPARE_ALLOCS, "allocations of both ends"},
                   {COMPARE_ALLOCS_SERVER, "allocations per handshake"},
                   {COMPARE_ALLOCS_CLIENT, "allocations per handshake"},
                   {COMPARE_REALLOCS_SERVER, "reallocations"},
                   {COMPARE_REALLOCS_CLIENT, "reallocations"},
                   {COMPARE_ALLOC_BYTES_SERVER, "bytes allocated per handshake"},
                   {COMPARE_ALLOC_BYTES_CLIENT, "bytes allocated per handshake"},
                   {COMPARE_PEAK, "peak in the handshake"},
                   {COMPARE_HELD_IDLE, "held per idle connection"},
                   {COMPARE_CPU, "CPU"}};
    const struct compare_row_info *info = compare_row_info(row);
    const char *name = NULL;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].row == row)
            name = phrases[i].phrase;
    bool census = strncmp(info->key, "census_", 7) == 0;
    bool blocks = strncmp(info->key, "blocks", 6) == 0;
    if (name && compare_set_judged(s) == COMPARE_SIDE_BOTH && info->side != COMPARE_SIDE_BOTH)
        snprintf(buf, size, "the %s's %s", compare_say_side(s, row), name);
    else if (name)
        snprintf(buf, size, "%s", name);
    else if (census)
        snprintf(buf, size, "%s per connection", info->title);
    else
        snprintf(buf, size, "%s%s", blocks ? "blocks " : "held ", info->title);
    return buf;
}

char *compare_say_rows(const struct compare_set *s, enum compare_row row, char *buf, size_t size)
{
    static const char by[] = "per connection";
    const char *group = compare_row_info(row)->group;
    size_t length = strlen(group), end = sizeof by - 1;
    if (row == COMPARE_CPU && s->program == COMPARE_SIDE_CLIENT)
        snprintf(buf, size, "Client CPU per %s", unit_name(s->unit));
    else if (length > end && strcmp(group + length - end, by) == 0)
        snprintf(buf, size, "%.*sper %s", (int)(length - end), group, unit_name(s->unit));
    else
        snprintf(buf, size, "%s", group);
    return buf;
}

static void say_row(struct text *j, const struct compare_set *s, size_t i, enum compare_row row)
{
    const struct compare_cell *c = &s->judgement.column[i].cell[row];
    const struct compare_cell *first = &s->judgement.column[0].cell[row];
    char phrase[COMPARE_FIGURE], share[COMPARE_FIGURE], was[COMPARE_FIGURE], is[COMPARE_FIGURE];
    const char *name = row_phrase(s, row, phrase, sizeof phrase);
    if (c->change == COMPARE_CHANGE_MISSING) {
        text_item(j, "%s missing", name);
    } else if (compare_row_info(row)->role == COMPARE_MEASURED) {
        text_item(j, "%s ×%.3f (%s, %.1f %% sure)", name, c->ratio.median,
                  compare_say_interval(c, is, sizeof is), 100 * c->ratio.level);
    } else {
        value_text(first->value, row, was, sizeof was);
        value_text(c->value, row, is, sizeof is);
        text_item(j, "%s %s (%s → %s)%s", name,
                  percent(c->value, first->value, share, sizeof share), was, is,
                  c->change == COMPARE_CHANGE_UNSURE ? ", not exact" : "");
    }
}

static bool is_telling(enum compare_row row)
{
    for (size_t i = 0; i < TELLING; i++)
        if (telling[i] == row)
            return true;
    return false;
}

/* What the rows came to, of which the outcome is made. */
static enum compare_outcome rows_outcome(const struct compare_column *c)
{
    return c->outcome == COMPARE_MIXED ? COMPARE_WORSE : c->outcome;
}

/* Rows that came to the version's outcome: the first few by name, the others by their number. */
static void say_rows(struct text *j, const struct compare_set *s, size_t i)
{
    const struct compare_column *c = &s->judgement.column[i];
    int told = 0, more = 0;
    if (c->runs == 0 || s->judgement.column[0].runs == 0)
        return;
    for (int k = 0; k < (int)TELLING + COMPARE_ROWS; k++) {
        bool early = k < (int)TELLING;
        enum compare_row row = early ? telling[k] : (enum compare_row)(k - (int)TELLING);
        bool skip = compare_row_info(row)->role == COMPARE_VERDICT || (!early && is_telling(row));
        if (skip || c->outcome == COMPARE_SAME || c->cell[row].outcome != rows_outcome(c))
            continue;
        if (told++ < TOLD)
            say_row(j, s, i, row);
        else
            more++;
        j->joint = " · ";
    }
    if (more)
        text_item(j, "%d more figure%s %s", more, more == 1 ? "" : "s",
                  compare_outcome_name(rows_outcome(c)));
}

/* What only the footprint says is called so, lest it be taken for a leak. */
static void say_footprint(struct text *j, const struct compare_set *s, size_t i)
{
    const struct compare_column *c = &s->judgement.column[i];
    bool shifts = false;
    for (int row = 0; row < COMPARE_ROWS; row++)
        shifts = shifts || (compare_row_exact((enum compare_row)row) &&
                            c->cell[row].outcome == COMPARE_WORSE);
    if (shifts && c->verdict == VERDICT_PASS && rows_outcome(c) == COMPARE_WORSE)
        text_item(j, "a larger footprint, not a leak");
}

/* Beside what is worse, the first row that is better: so that nobody takes one for all of them. */
static void say_better(struct text *j, const struct compare_set *s, size_t i)
{
    const struct compare_column *c = &s->judgement.column[i];
    j->joint = " · but ";
    for (size_t k = 0; k < TELLING && c->outcome == COMPARE_WORSE; k++) {
        if (c->cell[telling[k]].outcome != COMPARE_BETTER)
            continue;
        say_row(j, s, i, telling[k]);
        break;
    }
    j->joint = " · ";
}

/* Allocators have the same exact figures: between them the witness is what one wants to know. */
static void say_kept(struct text *j, const struct compare_set *s, size_t i)
{
    const struct compare_cell *first = &s->judgement.column[0].cell[COMPARE_KEPT];
    const struct compare_cell *c = &s->judgement.column[i].cell[COMPARE_KEPT];
    char share[COMPARE_FIGURE], was[COMPARE_FIGURE], is[COMPARE_FIGURE];
    if (strcmp(s->part, "malloc") != 0 || isnan(first->value) || isnan(c->value))
        return;
    compare_say_value(first, COMPARE_KEPT, was, sizeof was);
    compare_say_value(c, COMPARE_KEPT, is, sizeof is);
    text_item(j, "kept after churn %s (%s → %s), a witness",
              percent(c->value, first->value, share, sizeof share), was, is);
}

/* What is the same, and how nearly. */
static void say_same(struct text *j, const struct compare_set *s, size_t i)
{
    const struct compare_column *first = &s->judgement.column[0], *c = &s->judgement.column[i];
    double held = c->cell[COMPARE_HELD_IDLE].value - first->cell[COMPARE_HELD_IDLE].value;
    char figure[COMPARE_FIGURE];
    if (compare_set_judged(s) != COMPARE_SIDE_CLIENT && isfinite(held) && held != 0)
        text_item(j, "%s%s B per idle connection", held > 0 ? "+" : "",
                  figure_grouped(figure, sizeof figure, held, 0));
    else if (isfinite(c->cell[COMPARE_ALLOCS].value) && isfinite(first->cell[COMPARE_ALLOCS].value))
        text_item(j, "no exact figure differs by more than %g %%", 100 * s->tolerance);
    else
        text_item(j, "the verdict is the same; not every run has a footprint to compare");
    say_kept(j, s, i);
}

/* Whether version i made its handshakes with another key exchange than the first. */
static bool compare_new_exchange(const struct compare_set *s, size_t i)
{
    const char *was = s->entry[0].group, *is = s->entry[i].group;
    return was && is && strcmp(was, is) != 0;
}

bool compare_any_exchange(const struct compare_set *s)
{
    for (size_t i = 1; i < s->entries; i++)
        if (compare_new_exchange(s, i))
            return true;
    return false;
}

/* Beside what is worse: how much of that it explains isn't known. */
static void say_exchange(struct text *j, const struct compare_set *s, size_t i)
{
    if (compare_new_exchange(s, i))
        text_item(j, "its %skey exchange %s %s instead of %s",
                  s->rounds && !s->groups ? "default " : "",
                  s->judgement.column[i].outcome >= COMPARE_MIXED ? "differs, too:" : "is",
                  s->entry[i].group, s->entry[0].group);
}

/* The same in two parts: the words behind the opening and the names. */
static char *compare_say_reasons(const struct compare_set *s, size_t i, char *buf, size_t size)
{
    const struct compare_column *c = &s->judgement.column[i], *first = &s->judgement.column[0];
    struct text j = text_list(buf, size, " · ");
    compare_say_verdict(&j, s, i);
    if (c->outcome == COMPARE_MIXED)
        j.joint = " · but ";
    say_rows(&j, s, i);
    say_exchange(&j, s, i);
    say_footprint(&j, s, i);
    say_better(&j, s, i);
    if (s->footprint && isnan(c->cell[COMPARE_ALLOCS].value) && c->runs > 0 &&
        isnan(first->cell[COMPARE_ALLOCS].value))
        text_item(&j, "no run has a footprint");
    if (c->outcome == COMPARE_SAME)
        say_same(&j, s, i);
    if (c->outcome <= COMPARE_BETTER && c->runs && c->verdict == VERDICT_PASS &&
        first->verdict == VERDICT_PASS)
        text_item(&j, "no leak in either");
    return buf;
}

char *compare_say(const struct compare_set *s, size_t i, char *buf, size_t size)
{
    char reasons[COMPARE_SENTENCE];
    enum compare_side judged = compare_set_judged(s);
    bool both = judged == COMPARE_SIDE_BOTH;
    snprintf(buf, size, "%s  %s%s%s against %s, for %s%s: %s",
             compare_outcome_text(s->judgement.column[i].outcome), s->part, s->part[0] ? " " : "",
             s->entry[i].name, s->entry[0].name, both ? "both ends" : "the ",
             both ? "" : compare_set_side_name(s, judged),
             compare_say_reasons(s, i, reasons, sizeof reasons));
    return buf;
}

char *compare_say_other(const struct compare_set *s, size_t i, char *buf, size_t size)
{
    struct text j = text_list(buf, size, " · ");
    bool client = compare_set_judged(s) == COMPARE_SIDE_SERVER;
    enum compare_row row = client ? COMPARE_ALLOCS_CLIENT : COMPARE_ALLOCS_SERVER;
    const char *other =
        compare_set_side_name(s, client ? COMPARE_SIDE_CLIENT : COMPARE_SIDE_SERVER);
    double by = s->judgement.column[i].cell[row].value - s->judgement.column[0].cell[row].value;
    char figure[COMPARE_FIGURE];
    if (compare_set_judged(s) == COMPARE_SIDE_BOTH)
        return buf;
    if (isfinite(by) && by != 0)
        text_item(&j, "the %s makes %s %s allocation%s per handshake", other,
                  plain(fabs(by), figure, sizeof figure), by > 0 ? "more" : "fewer",
                  fabs(by) == 1 ? "" : "s");
    if (s->entry[i].other_leaks || s->entry[0].other_leaks)
        text_item(&j, "the %s of %s LEAKs", other, s->entry[s->entry[i].other_leaks ? i : 0].name);
    if (buf[0])
        text_add(&j, " (--side %s judges it)", other);
    return buf;
}

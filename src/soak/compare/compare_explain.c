/* SPDX-License-Identifier: Apache-2.0 */
/* The words for what explains a difference, for the libraries, and for what to do next. */
#include "base/text.h"
#include "cmdline.h"
#include "compare_parts.h"
#include "compare_say.h"
#include "report/figures.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What soak-footprint calls the file of an allocation that passes none. */
#define COMPARE_NO_FILE "?"

/* The lines of one side: `:48,68`; "" where none is known. Returns whether there are any. */
static bool add_lines(struct text *j, const struct compare_group *g, bool after)
{
    bool any = false, first = true;
    for (size_t i = 0; i < g->lines; i++) {
        uint32_t line = after ? g->line[i].after : g->line[i].before;
        any = any || (after ? g->line[i].is : g->line[i].was);
        if (!line)
            continue;
        text_item(j, first ? ":%" PRIu32 : "%" PRIu32, line);
        first = false;
    }
    return any;
}

char *compare_say_group(const struct compare_group *g, char *buf, size_t size)
{
    char before[COMPARE_FIGURE], after[COMPARE_FIGURE];
    struct text b = text_list(before, sizeof before, ",");
    struct text a = text_list(after, sizeof after, ",");
    bool was = add_lines(&b, g, false), is = add_lines(&a, g, true);
    const char *more = g->lines_total > g->lines ? " and more" : "";
    const char *function = g->function ? g->function : "", *blank = g->function ? " " : "";
    const char *file = strcmp(g->file, COMPARE_NO_FILE) == 0 ? "an unnamed file" : g->file;
    if (before[0] && after[0] && strcmp(before, after) != 0)
        snprintf(buf, size, "%s%s → %s%s%s%s", file, before, after, more, blank, function);
    else
        snprintf(buf, size, "%s%s%s%s%s%s", file, before[0] ? before : after, more, blank, function,
                 !was  ? ", new"
                 : !is ? ", gone"
                       : "");
    return buf;
}

char *compare_say_difference(const struct compare_explanation *x, enum compare_measure measure,
                             char *buf, size_t size)
{
    char difference[COMPARE_FIGURE], before[COMPARE_FIGURE], after[COMPARE_FIGURE];
    double by = x->after - x->before;
    bool whole = by == floor(by);
    figure_grouped(difference, sizeof difference, by, whole ? 0 : 1);
    figure_grouped(before, sizeof before, x->before, 0);
    figure_grouped(after, sizeof after, x->after, 0);
    snprintf(buf, size, "%s%s %s (%s → %s)", by >= 0 ? "+" : "", difference,
             compare_measure_text(measure), before, after);
    return buf;
}

char *compare_say_mapped(const struct compare_entry *entry, char *buf, size_t size)
{
    struct text j = text_list(buf, size, ", ");
    for (size_t i = 0; i < entry->mapped_count; i++) {
        const struct result_mapped *m = &entry->mapped[i];
        text_item(&j, "%s %s%s%s%s", m->part, m->version ? m->version : "?", m->origin ? " (" : "",
                  m->origin ? m->origin : "", m->origin ? ")" : "");
    }
    if (!entry->mapped_count)
        text_item(&j, "none of its runs says");
    return buf;
}

/* ---- what to type next ---- */

static void begin(struct text *c, const struct compare_set *s, const char *command)
{
    cmdline_program(c);
    text_add(c, " %s", command);
    if (s->word)
        cmdline_word(c, s->word);
}

/* What was given for every run counts for these too. */
static void end(struct text *c, const struct compare_set *s)
{
    if (s->given && s->given[0])
        text_add(c, " %s", s->given);
}

/* All versions again. */
static void begin_compare(struct text *c, const struct compare_set *s)
{
    begin(c, s, "compare");
    text_add(c, " --%s ", s->part);
    for (size_t i = 0; i < s->entries; i++)
        text_add(c, "%s%s", i ? "," : "", s->entry[i].asked);
    end(c, s);
}

static const char verdict_metric[] = "verdict";

/* The row that a search would follow: one that people know, or the first by which the version
 * differs. A verdict that can't be told can't be followed. */
static const char *metric_of(const struct compare_set *s, size_t i)
{
    const struct compare_column *c = &s->judgement.column[i];
    bool told = c->verdict_outcome == COMPARE_BETTER || c->verdict_outcome == COMPARE_WORSE;
    if (told && !c->another) /* where both LEAK, there is no verdict to follow */
        return verdict_metric;
    static const enum compare_row first[] = {COMPARE_ALLOCS_SERVER, COMPARE_ALLOCS_CLIENT,
                                             COMPARE_HELD_IDLE};
    enum { FIRST = sizeof first / sizeof *first };
    for (int k = 0; k < (int)FIRST + COMPARE_ROWS; k++) {
        enum compare_row row = k < (int)FIRST ? first[k] : (enum compare_row)(k - (int)FIRST);
        if (compare_row_exact(row) && c->cell[row].outcome == c->outcome)
            return compare_row_info(row)->key;
    }
    return NULL;
}

/* What only the other program does. */
static const char *other_metric(const struct compare_set *s, size_t i)
{
    enum compare_row row = compare_set_judged(s) == COMPARE_SIDE_SERVER ? COMPARE_ALLOCS_CLIENT
                                                                        : COMPARE_ALLOCS_SERVER;
    const struct compare_cell *first = &s->judgement.column[0].cell[row];
    const struct compare_cell *c = &s->judgement.column[i].cell[row];
    bool differs = c->exact && first->exact && first->value > 0 &&
                   fabs(c->value - first->value) > s->tolerance * first->value;
    return differs ? compare_row_info(row)->key : NULL;
}

/* The first version that is worse or better by something that a search can follow. */
static size_t to_search(const struct compare_set *s, const char **ret_metric)
{
    for (size_t i = 1; i < s->entries; i++) {
        enum compare_outcome outcome = s->judgement.column[i].outcome;
        if (outcome == COMPARE_UNSURE)
            continue;
        *ret_metric = outcome == COMPARE_SAME ? other_metric(s, i) : metric_of(s, i);
        if (*ret_metric)
            return i;
    }
    return 0;
}

/* The row with this key. */
static enum compare_row row_of(const char *metric)
{
    int row = 0;
    while (strcmp(compare_row_info((enum compare_row)row)->key, metric) != 0)
        row++;
    return (enum compare_row)row;
}

/* Where a search for what makes version i another than the first can begin: the last one before it
 * that is like the first. By a figure it must also be told from i. */
static size_t search_from(const struct compare_set *s, size_t i, const char *metric)
{
    const struct compare_column *c = s->judgement.column;
    bool verdict = metric == verdict_metric;
    enum compare_row row = verdict ? COMPARE_ALLOCS : row_of(metric);
    double first = c[0].cell[row].value, last = c[i].cell[row].value;
    size_t k = i - 1;
    for (; k > 0; k--) {
        double value = c[k].cell[row].value;
        if (verdict ? c[k].runs && c[k].verdict == c[0].verdict
                    : c[k].cell[row].exact && !bisect_differs(first, value, s->tolerance) &&
                          bisect_differs(value, last, s->tolerance))
            break;
    }
    return k;
}

static bool next_bisect(struct text *c, const struct compare_set *s)
{
    const char *metric = NULL;
    enum compare_part part;
    bool known = !s->searched && compare_part_from_name(s->part, &part);
    size_t i = s->rounds && known ? to_search(s, &metric) : 0;
    if (!i)
        return false;
    const char *from = s->entry[search_from(s, i, metric)].name, *to = s->entry[i].name;
    if (!compare_part_has_range(part, from) || !compare_part_has_range(part, to))
        return false; /* nobody has a list of what lies between */
    begin(c, s, "bisect");
    text_add(c, " --%s %s..%s", s->part, from, to);
    end(c, s);
    if (metric != verdict_metric)
        text_add(c, " --metric %s", metric);
    return true;
}

/* The name that every version takes in --groups. */
static const char *group_option(const char *group)
{
    static const char *const names[][2] = {
        {"x25519", "X25519"}, {"x448", "X448"}, {"secp256r1", "P-256"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], group) == 0)
            return names[i][1];
    return group;
}

/* Like with like: every version with the key exchange of the first. */
static bool next_exchange(struct text *c, const struct compare_set *s)
{
    if (!compare_any_exchange(s) || !s->rounds || s->groups)
        return false;
    begin_compare(c, s);
    text_add(c, " --groups %s", group_option(s->entry[0].group));
    return true;
}

/* The version with a leak to look at: one that others lack, else the first that has any. */
static size_t leak_of(const struct compare_set *s)
{
    size_t found = s->entries;
    for (size_t i = s->entries; i-- > 0;)
        if (s->judgement.column[i].runs && s->judgement.column[i].verdict == VERDICT_LEAK)
            found = i;
    for (size_t i = s->entries; i-- > 0;)
        if (s->judgement.column[i].another)
            found = i;
    return found;
}

/* Its call stacks. */
static bool next_leak(struct text *c, const struct compare_set *s)
{
    size_t i = leak_of(s);
    if (i == s->entries || !s->rounds)
        return false;
    begin(c, s, "run");
    text_add(c, " --%s %s", s->part, s->entry[i].asked);
    end(c, s);
    return strcmp(s->part, "malloc") != 0;
}

/* A version that couldn't be judged: longer runs. */
static bool next_longer(struct text *c, const struct compare_set *s)
{
    if (s->judgement.outcome != COMPARE_UNSURE || !s->rounds)
        return false;
    begin_compare(c, s);
    text_add(c, s->unit == UNIT_RELOAD ? " --closed 240" : " --closed 40k");
    return true;
}

char *compare_say_next(const struct compare_set *s, size_t n, char *buf, size_t size)
{
    bool (*const all[])(struct text *, const struct compare_set *) = {next_leak, next_exchange,
                                                                      next_bisect, next_longer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct text c = text_into(buf, size);
        if (all[i](&c, s) && !c.cut && n-- == 0)
            return buf;
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_sites.h"

#include "base/check.h"
#include "compare_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES = 2, ENTRIES = SIDES * COMPARE_SITES };

struct entry {
    const char *file, *function; /* function NULL: not known, or not to be used */
    uint32_t line;
    int side; /* 0 before, 1 after */
    double value;
};

struct work {
    uint64_t rules;
    struct entry entry[ENTRIES];
    size_t entries;
    struct compare_group *group; /* of every group that differs */
    size_t groups;
};

/* The entries of one side of a group, a line each. */
struct side {
    const struct entry *entry;
    size_t count;
};

ENUM_NAMES(compare_measure, COMPARE_MEASURE_LIST)
ENUM_TEXTS(compare_measure, COMPARE_MEASURE_LIST)

static bool rule(const struct work *w, enum compare_rule r)
{
    return w->rules >> r & 1;
}

const char *compare_file(const char *file)
{
    for (;;) {
        if (strncmp(file, "../", 3) == 0)
            file += 3;
        else if (strncmp(file, "./", 2) == 0)
            file += 2;
        else
            return file;
    }
}

static double value_of(const struct compare_site *s, enum compare_measure measure)
{
    switch (measure) {
    case COMPARE_BY_ALLOCS:
    case COMPARE_BY_ALLOCS_SERVER:
    case COMPARE_BY_ALLOCS_CLIENT:
        return s->allocs;
    case COMPARE_BY_HELD:
        return s->held_bytes;
    case COMPARE_MEASURES:
        break;
    }
    check_fail(__FILE__, __LINE__, "every measure has its figure");
}

static void add_side(struct work *w, const struct compare_sites *sites, int side,
                     enum compare_measure measure)
{
    for (size_t i = 0; i < sites->count; i++) {
        const struct compare_site *s = &sites->site[i];
        double value = value_of(s, measure);
        if (value == 0 || w->entries == ENTRIES)
            continue;
        w->entry[w->entries++] = (struct entry){.file = compare_file(s->file),
                                                .function = s->function,
                                                .line = s->line,
                                                .side = side,
                                                .value = value};
    }
}

static int compare_texts(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int by_file(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return strcmp(x->file, y->file);
}

static int by_group(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->file, y->file);
    if (order == 0)
        order = compare_texts(x->function, y->function);
    if (order == 0)
        order = x->side - y->side;
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* A file with an unknown function has none that can be used: a function that is known on one side
 * only would look new. */
static void forget_functions(struct work *w)
{
    qsort(w->entry, w->entries, sizeof *w->entry, by_file);
    for (size_t i = 0, end; i < w->entries; i = end) {
        bool unknown = false;
        for (end = i; end < w->entries && strcmp(w->entry[end].file, w->entry[i].file) == 0; end++)
            unknown = unknown || !w->entry[end].function;
        for (size_t k = i; k < end && unknown; k++)
            w->entry[k].function = NULL;
    }
}

/* Sites of both ends stand on the same line: one entry. */
static void merge_lines(struct work *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->entries; i++) {
        if (kept && by_group(&w->entry[kept - 1], &w->entry[i]) == 0)
            w->entry[kept - 1].value += w->entry[i].value;
        else
            w->entry[kept++] = w->entry[i];
    }
    w->entries = kept;
}

static void add_line(struct compare_group *g, const struct entry *before, const struct entry *after)
{
    struct compare_line_pair line = {.before = before ? before->line : 0,
                                     .after = after ? after->line : 0,
                                     .was = before != NULL,
                                     .is = after != NULL,
                                     .difference =
                                         (after ? after->value : 0) - (before ? before->value : 0)};
    if (line.difference == 0)
        return;
    g->lines_total++;
    size_t at = g->lines < COMPARE_LINES ? g->lines++ : COMPARE_LINES;
    for (; at > 0 && fabs(g->line[at - 1].difference) < fabs(line.difference); at--)
        if (at < COMPARE_LINES)
            g->line[at] = g->line[at - 1];
    if (at < COMPARE_LINES)
        g->line[at] = line;
}

/* What it costs to pair the lines from i and k on: the sum of all differences. */
static double *costs_new(const struct side *a, const struct side *b)
{
    const size_t width = b->count + 1;
    double *cost = calloc((a->count + 1) * width, sizeof *cost);
    CHECK(cost);
    for (size_t i = a->count + 1; i-- > 0;) {
        for (size_t k = b->count + 1; k-- > 0;) {
            double best = i == a->count && k == b->count ? 0 : INFINITY;
            if (i < a->count && k < b->count)
                best = cost[(i + 1) * width + k + 1] + fabs(a->entry[i].value - b->entry[k].value);
            if (i < a->count)
                best = fmin(best, cost[(i + 1) * width + k] + a->entry[i].value);
            if (k < b->count)
                best = fmin(best, cost[i * width + k + 1] + b->entry[k].value);
            cost[i * width + k] = best;
        }
    }
    return cost;
}

static void pair_in_order(struct compare_group *g, const struct side *a, const struct side *b)
{
    const size_t width = b->count + 1;
    double *cost = costs_new(a, b);
    for (size_t i = 0, k = 0; i < a->count || k < b->count;) {
        const struct entry *x = i < a->count ? &a->entry[i] : NULL;
        const struct entry *y = k < b->count ? &b->entry[k] : NULL;
        double best = cost[i * width + k];
        if (x && y && best == cost[(i + 1) * width + k + 1] + fabs(x->value - y->value)) {
            add_line(g, x, y);
            i++, k++;
        } else if (x && best == cost[(i + 1) * width + k] + x->value) {
            add_line(g, x, NULL);
            i++;
        } else {
            add_line(g, NULL, y);
            k++;
        }
    }
    free(cost);
}

/* The group of entries first..first+before+after, those of the side before first. */
static void add_group(struct work *w, const struct entry *first, size_t before, size_t after)
{
    struct compare_group g = {.file = first->file, .function = first->function};
    const struct side a = {first, before}, b = {first + before, after};
    for (size_t i = 0; i < before; i++)
        g.before += a.entry[i].value;
    for (size_t i = 0; i < after; i++)
        g.after += b.entry[i].value;
    if (g.before == g.after)
        return;
    if (rule(w, COMPARE_RULE_ORDER))
        pair_in_order(&g, &a, &b);
    w->group[w->groups++] = g;
}

static bool same_group(const struct work *w, const struct entry *a, const struct entry *b)
{
    if (!rule(w, COMPARE_RULE_FUNCTIONS) && a->line != b->line)
        return false;
    return strcmp(a->file, b->file) == 0 && compare_texts(a->function, b->function) == 0;
}

static void make_groups(struct work *w)
{
    for (size_t i = 0, end; i < w->entries; i = end) {
        size_t side[SIDES] = {0};
        for (end = i; end < w->entries && same_group(w, &w->entry[i], &w->entry[end]); end++)
            side[w->entry[end].side]++;
        add_group(w, &w->entry[i], side[0], side[1]);
    }
}

static int by_difference(const void *a, const void *b)
{
    const struct compare_group *x = a, *y = b;
    double dx = fabs(x->after - x->before), dy = fabs(y->after - y->before);
    int order = (dx < dy) - (dx > dy);
    if (order == 0)
        order = strcmp(x->file, y->file);
    return order ? order : compare_texts(x->function, y->function);
}

static void choose(struct work *w, struct compare_explanation *ret)
{
    double gross = 0, told = 0;
    for (size_t i = 0; i < w->groups; i++)
        gross += fabs(w->group[i].after - w->group[i].before);
    qsort(w->group, w->groups, sizeof *w->group, by_difference);
    ret->groups_total = w->groups;
    size_t limit = rule(w, COMPARE_RULE_ENOUGH) ? COMPARE_GROUPS : 1;
    while (ret->groups < w->groups && ret->groups < limit && told < COMPARE_ENOUGH * gross) {
        const struct compare_group *g = &w->group[ret->groups];
        told += fabs(g->after - g->before);
        ret->group[ret->groups++] = *g;
    }
    ret->explained = gross > 0 ? told / gross : 1;
}

static void sum_up(const struct work *w, struct compare_explanation *ret)
{
    for (size_t i = 0; i < w->entries; i++) {
        if (w->entry[i].side == 0)
            ret->before += w->entry[i].value;
        else
            ret->after += w->entry[i].value;
    }
}

void compare_explain_with_rules(const struct compare_sites *before,
                                const struct compare_sites *after, enum compare_measure measure,
                                uint64_t rules, struct compare_explanation *ret)
{
    struct work *w = calloc(1, sizeof *w);
    CHECK(w);
    w->rules = rules;
    memset(ret, 0, sizeof *ret);
    add_side(w, before, 0, measure);
    add_side(w, after, 1, measure);
    w->group = calloc(w->entries + 1, sizeof *w->group);
    CHECK(w->group);
    if (rule(w, COMPARE_RULE_UNNAMED))
        forget_functions(w);
    qsort(w->entry, w->entries, sizeof *w->entry, by_group);
    merge_lines(w);
    make_groups(w);
    choose(w, ret);
    sum_up(w, ret);
    free(w->group);
    free(w);
}

void compare_explain(const struct compare_sites *before, const struct compare_sites *after,
                     enum compare_measure measure, struct compare_explanation *ret)
{
    compare_explain_with_rules(before, after, measure, COMPARE_RULES_ALL, ret);
}

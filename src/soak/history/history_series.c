/* SPDX-License-Identifier: Apache-2.0 */
#include "history_series.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "stats/judge/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the runs ---- */

/* The file may be anybody's. */
static const char *kept(const char *text)
{
    char *copy = strdup(text);
    CHECK(copy);
    return text_clean(copy);
}

static void take_run(void *ctx, const struct history_run *run)
{
    struct histories *h = ctx;
    if (h->runs == h->room) {
        h->room = h->room * 2 + 64;
        h->run = realloc(h->run, h->room * sizeof *h->run);
        CHECK(h->run);
    }
    struct history_run *to = &h->run[h->runs++];
    *to = *run;
#define KEEP(member) to->member = kept(run->member);
    HISTORY_RUN_TEXTS(KEEP)
#undef KEEP
}

static bool same_place(const struct history_run *a, const struct history_run *b)
{
    return strcmp(a->scenario, b->scenario) == 0 && strcmp(a->library, b->library) == 0 &&
           strcmp(a->machine, b->machine) == 0;
}

static bool same_history(const struct history_run *a, const struct history_run *b)
{
    return same_place(a, b) && strcmp(a->settings, b->settings) == 0;
}

/* A run that was broken or interrupted has figures of something else. */
static bool was_judged(const struct history_run *run)
{
    return run->exit_code != EXIT_INTERRUPTED &&
           strcmp(run->verdict, verdict_name(VERDICT_INVALID)) != 0;
}

/* ---- a series ---- */

/* Moves the nights that count to the front of `run`; the answer is how many. Their order stays. */
static size_t choose(struct history_run *run, size_t runs, const struct history_request *q)
{
    size_t count = 0;
    for (size_t i = 0; i < runs; i++) {
        if (!was_judged(&run[i]) || (q->since && strcmp(run[i].time, q->since) < 0))
            continue;
        struct history_run moved = run[i];
        memmove(run + count + 1, run + count, (i - count) * sizeof *run);
        run[count++] = moved;
    }
    return count;
}

struct filling {
    struct history_series *series;
    size_t night;
};

static struct history_line *line_of(struct history_series *s, const char *name)
{
    for (size_t i = 0; i < s->lines; i++)
        if (strcmp(s->line[i].name, name) == 0)
            return &s->line[i];
    s->line = realloc(s->line, (s->lines + 1) * sizeof *s->line);
    CHECK(s->line);
    struct history_line *line = &s->line[s->lines++];
    *line = (struct history_line){.value = malloc(s->nights * sizeof *line->value)};
    CHECK(line->value);
    snprintf(line->name, sizeof line->name, "%s", name);
    text_clean(line->name);
    line->info = history_figure_info(line->name);
    for (size_t i = 0; i < s->nights; i++)
        line->value[i] = NAN;
    return line;
}

static void take_figure(void *ctx, const struct history_figure *figure)
{
    struct filling *f = ctx;
    if (strlen(figure->name) < HISTORY_NAME && f->series->lines < HISTORY_FIGURES)
        line_of(f->series, figure->name)->value[f->night] = figure->value;
}

/* Of the nights that have the figure. */
static void judge_line(struct history_line *line, size_t nights)
{
    size_t count = 0, *night = malloc(nights * sizeof *night);
    double *value = malloc(nights * sizeof *value);
    CHECK(night && value);
    for (size_t i = 0; i < nights; i++) {
        night[count] = i;
        value[count] = line->value[i];
        count += isfinite(line->value[i]) != 0;
    }
    struct step_question q = {value, count, line->info.counted, line->info.relative,
                              line->info.absolute};
    line->steps = line->info.judged ? steps_find(&q, line->step) : 0;
    for (size_t i = 0; i < line->steps; i++)
        line->step[i].at = night[line->step[i].at];
    free(night);
    free(value);
}

static int by_rank(const void *a, const void *b)
{
    const struct history_line *x = a, *y = b;
    return x->info.rank != y->info.rank ? (x->info.rank > y->info.rank ? 1 : -1)
                                        : strcmp(x->name, y->name);
}

static int fill(struct history_series *s, struct history_db *db, struct err *e)
{
    for (size_t i = 0; i < s->nights; i++) {
        struct filling f = {s, i};
        if (history_db_figures(db, s->night[i].id, take_figure, &f, e) != 0)
            return -1;
    }
    qsort(s->line, s->lines, sizeof *s->line, by_rank);
    for (size_t i = 0; i < s->lines; i++)
        judge_line(&s->line[i], s->nights);
    return 0;
}

static void add_series(struct histories *h, struct history_run *run, size_t count, size_t nights)
{
    h->series = realloc(h->series, (h->count + 1) * sizeof *h->series);
    CHECK(h->series);
    h->series[h->count++] =
        (struct history_series){.nights = nights, .night = run + count - nights, .runs = count};
}

static bool ends_before(const struct history_series *a, const struct history_series *b)
{
    return strcmp(a->night[a->nights - 1].time, b->night[b->nights - 1].time) < 0;
}

/* Of those from `first` on, which are of one place: a run whose options no other one has can't
 * step. It is shown while it is the newest, and no longer, or each try by hand would stay a history
 * for ever. */
static void leave_out_single(struct histories *h, size_t first, size_t other)
{
    size_t newest = first, count = first;
    for (size_t i = first; i < h->count; i++)
        newest = ends_before(&h->series[newest], &h->series[i]) ? i : newest;
    size_t shown = first;
    for (size_t i = first; i < h->count; i++) {
        if (h->series[i].runs == 1 && i != newest) {
            other++;
            continue;
        }
        shown = i == newest ? count : shown;
        h->series[count++] = h->series[i];
    }
    h->count = count;
    for (size_t i = first; i < count; i++)
        h->series[i].beside = count - first > 1;
    if (count > first)
        h->series[shown].other = other;
}

/* Of one scenario, library and machine: a history for each set of options. */
static void add_place(struct histories *h, struct history_run *run, size_t runs,
                      const struct history_request *q)
{
    size_t first = h->count, other = 0;
    for (size_t i = 0, end; i < runs; i = end) {
        for (end = i + 1; end < runs && same_history(&run[i], &run[end]);)
            end++;
        size_t count = choose(run + i, end - i, q);
        other += end - i - count;
        if (count)
            add_series(h, run + i, count, count < q->last ? count : q->last);
    }
    leave_out_single(h, first, other);
}

int histories_read(struct histories *h, struct history_db *db, const struct history_request *q,
                   struct err *e)
{
    *h = (struct histories){.runs = 0};
    int rc = history_db_runs(db, q->scenario, take_run, h, e);
    for (size_t i = 0, end; rc == 0 && i < h->runs; i = end) {
        for (end = i + 1; end < h->runs && same_place(&h->run[i], &h->run[end]);)
            end++;
        add_place(h, h->run + i, end - i, q);
    }
    for (size_t i = 0; rc == 0 && i < h->count; i++)
        rc = fill(&h->series[i], db, e);
    if (rc != 0)
        histories_free(h);
    return rc;
}

void histories_free(struct histories *h)
{
    for (size_t i = 0; i < h->count; i++) {
        for (size_t l = 0; l < h->series[i].lines; l++)
            free(h->series[i].line[l].value);
        free(h->series[i].line);
    }
    for (size_t i = 0; i < h->runs; i++) {
#define FREE(member) free((char *)(uintptr_t)h->run[i].member);
        HISTORY_RUN_TEXTS(FREE)
#undef FREE
    }
    free(h->series);
    free(h->run);
    *h = (struct histories){.runs = 0};
}

size_t history_series_steps(const struct history_series *s)
{
    size_t steps = 0;
    for (size_t i = 0; i < s->lines; i++)
        steps += s->line[i].steps;
    return steps;
}

size_t histories_steps(const struct histories *h)
{
    size_t steps = 0;
    for (size_t i = 0; i < h->count; i++)
        steps += history_series_steps(&h->series[i]);
    return steps;
}

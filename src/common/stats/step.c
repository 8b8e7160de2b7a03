/* SPDX-License-Identifier: Apache-2.0 */
#include "step.h"

#include "base/check.h"
#include "change_point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double step_median(const double *value, size_t count)
{
    if (count == 0)
        return NAN;
    double *sorted = malloc(count * sizeof *sorted);
    CHECK(sorted);
    memcpy(sorted, value, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    free(sorted);
    return median;
}

/* What differs by no more than the guard is the same count: a single late block is no growth. */
static bool same(const struct step_question *q, double a, double b)
{
    return fabs(a - b) <= q->absolute;
}

/* Nights from `at` on that are as that one. */
static size_t run_from(const struct step_question *q, size_t at)
{
    size_t end = at + 1;
    while (end < q->count && same(q, q->value[end], q->value[at]))
        end++;
    return end - at;
}

/* Nine of ten nights are as the one before: what varies isn't counted. */
static bool never_varied(const struct step_question *q)
{
    size_t changes = 0;
    for (size_t i = 1; i < q->count; i++)
        changes += !same(q, q->value[i], q->value[i - 1]);
    return changes * 10 <= q->count + 9;
}

/* A level that stood for STEP_QUIET nights, then another one that stands still, or stood for
 * STEP_AGAIN nights. What is neither belongs to no level. */
static size_t counted_steps(const struct step_question *q, struct step *ret)
{
    size_t found = 0, level = SIZE_MAX; /* the first night of the level that counts */
    for (size_t at = 0, run; at < q->count && found < STEPS_MAX; at += run) {
        run = run_from(q, at);
        bool stands = run >= STEP_AGAIN || at + run == q->count;
        if (level == SIZE_MAX) {
            level = run >= STEP_QUIET ? at : SIZE_MAX;
        } else if (stands && !same(q, q->value[at], q->value[level])) {
            ret[found++] = (struct step){at, q->value[level], q->value[at], true};
            level = at;
        }
    }
    return found;
}

static bool is_worth_it(const struct step_question *q, const struct step *s)
{
    double size = fabs(s->after - s->before);
    return size > q->absolute && size > q->relative * fabs(s->before);
}

/* Levels between the points that are still there; the smallest that isn't worth it goes first. */
static size_t varying_steps(const struct step_question *q, struct step *ret)
{
    size_t at[STEPS_MAX];
    struct change_question change = {.value = q->value,
                                     .count = q->count,
                                     .side = 2,
                                     .permutations = STEP_PERMUTATIONS,
                                     .chance = STEP_CHANCE,
                                     .seed = 1};
    size_t count = change_points(&change, at, STEPS_MAX);
    for (size_t i = 0; i < count;) {
        size_t begin = i ? at[i - 1] : 0, end = i + 1 < count ? at[i + 1] : q->count;
        ret[i] = (struct step){at[i], step_median(q->value + begin, at[i] - begin),
                               step_median(q->value + at[i], end - at[i]), false};
        if (is_worth_it(q, &ret[i])) {
            i++;
            continue;
        }
        memmove(at + i, at + i + 1, (count - i - 1) * sizeof *at);
        count--;
        i = 0;
    }
    return count;
}

size_t steps_find(const struct step_question *q, struct step ret[STEPS_MAX])
{
    return q->counted && never_varied(q) ? counted_steps(q, ret) : varying_steps(q, ret);
}

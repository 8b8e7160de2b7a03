/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a figure that a run has each night took a step, and on which night. Pure.
 *
 * A figure that is counted and was the same for STEP_QUIET nights has stepped as soon as it is
 * another, by however little; a single odd night among equal ones is none. For one that varies the
 * nights are split by change_point.h, and what is smaller than the figure's guard is left out: a
 * difference may be certain and still be nothing to get up for.
 */
#ifndef SOAK_STATS_STEP_H
#define SOAK_STATS_STEP_H

#include <stdbool.h>
#include <stddef.h>

/* Chance: with 15 nights the fewest that can be told apart at all are 7 and 8. */
enum { STEP_QUIET = 5, STEP_AGAIN = 3, STEP_PERMUTATIONS = 9999, STEPS_MAX = 16 };
#define STEP_CHANCE 0.0005

struct step_question {
    const double *value; /* a night each, the last is tonight; all finite */
    size_t count;
    bool counted;              /* exact where nothing has changed */
    double relative, absolute; /* a step is larger than both, the former as a share of before */
};

struct step {
    size_t at;            /* the first night of the new level */
    double before, after; /* the medians on both sides, to the next step */
    bool certain;         /* of a count that never varied */
};

/* Writes the steps, ascending; returns how many, at most STEPS_MAX. */
size_t steps_find(const struct step_question *q, struct step ret[STEPS_MAX]);
/* The median of `count` values; NAN of none. */
double step_median(const double *value, size_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the level of a series changes: E-divisive (Matteson and James, "A Nonparametric Approach
 * for Multiple Change Point Analysis of Multivariate Data", Journal of the American Statistical
 * Association 109, 2014, p. 334), with the exponent 1, each side reaching to the end of its
 * segment. Daly et al. (ICPE 2020) and Fleming et al. (ICPE 2023) watch nightly figures of
 * databases with it. It supposes no distribution: a segment is split where the energy distance of
 * both sides is largest, if a share of at most `chance` of the segments' permutations does as well.
 * Pure; heap only inside the call.
 */
#ifndef SOAK_STATS_CHANGE_POINT_H
#define SOAK_STATS_CHANGE_POINT_H

#include <stddef.h>
#include <stdint.h>

struct change_question {
    const double *value; /* in the order of time; all finite */
    size_t count;
    size_t side;           /* values that a segment has at least: 2 or more */
    unsigned permutations; /* at most: fewer where it is clear before */
    double chance;
    uint64_t seed; /* of the permutations: the same answer each time */
};

/* Writes the index of the first value of each new segment, ascending; the answer is how many, at
 * most `size`. */
size_t change_points(const struct change_question *q, size_t *ret_at, size_t size);

#endif

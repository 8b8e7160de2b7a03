/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which points of a long series stay, so that it keeps its extremes: x is cut into spans of equal
 * length, from 0 on, and of each span the points stay at which one of the figures is largest or
 * smallest, the first of equals. Spans are doubled until few enough are left; so what is thinned
 * again and again comes to the same as what is thinned once. Pure.
 */
#ifndef SOAK_STATS_THINNING_H
#define SOAK_STATS_THINNING_H

#include <stdbool.h>
#include <stddef.h>

enum { THINNING_FIGURES = 2 };

struct thinning {
    size_t count;
    const double *x; /* ascending, 0 at least */
    double recent;   /* the points of this last stretch of x stay; the last in any case */
    size_t figures;  /* THINNING_FIGURES at most, */
    const double *value[THINNING_FIGURES]; /* each by point; NAN: it has none there */
};

/* Marks in keep[count] those that stay, and returns how many: all where these are at most `most`.
 * `*span` is the length to begin with, and becomes the one that was used. More than `most` stay
 * only when the last stretch alone has so many. */
size_t thinning_choose(const struct thinning *t, size_t most, double *span, bool *keep);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Search for the first of several versions, in order, that is like the last and not like the first.
 * Pure. It takes for granted that there is one turn; with several it finds one of them.
 */
#ifndef SOAK_STATS_BISECT_H
#define SOAK_STATS_BISECT_H

#include <stdbool.h>
#include <stddef.h>

struct bisect {
    size_t low, high; /* low is like the first version, high like the last */
};

/* `versions` is 2 or more; the ends are known to differ. */
struct bisect bisect_of(size_t versions);
/* The version to look at next; false when there is none left: `high` is the first that turned. */
bool bisect_next(const struct bisect *b, size_t *ret);
/* What `version` turned out to be. */
void bisect_take(struct bisect *b, size_t version, bool like_last);
/* Versions that are looked at, at most, the two ends among them. */
size_t bisect_most(size_t versions);

/* Whether the ends differ by more than a share of the first's figure. */
bool bisect_differs(double first, double last, double tolerance);
/* Whether a figure is nearer to the last's than to the first's. */
bool bisect_like_last(double value, double first, double last);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How rare a leak would still have been a LEAK: a block lost by chance once per so many
 * connections, of all or of one behaviour's, at a site where nothing else moves, through each of
 * the rules about a site that may doubt it, and over a warm-up that the leak itself prolongs. Pure.
 */
#ifndef SOAK_STATS_REACH_H
#define SOAK_STATS_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many epochs a leak may add to a warm-up. */
enum { REACH_LONGER = 3 };

/* What a longer warm-up would have come to: the connections of each epoch that would have followed,
 * up to a 0, and the share of the measured ones that it leaves. */
struct reach_warm_up {
    uint64_t longer[REACH_LONGER];
    double left[REACH_LONGER];
};

/* Where only some connections may lose a block, such as those of one behaviour, the figures of the
 * warm-up are of these, and so is what one block is lost per. */
struct reach {
    const uint64_t *opened; /* connections of each epoch that is judged; 0: it isn't. Borrowed */
    const uint64_t *losing; /* those of them that may lose a block; NULL: all. Borrowed */
    size_t epochs;
    uint64_t threads; /* that the connections are spread over, evenly; 0 or 1: of no matter */
    uint64_t warm; /* connections of the warm-up's last epoch: a loss in it makes the next follow */
    struct reach_warm_up warm_up;
};

/* Probability that a block lost by chance once per `one_in` connections isn't a LEAK. At most 1; it
 * may be a little too large, never too small. */
double reach_miss(const struct reach *r, double one_in);
/* Whether that is at most what the judge's confidence leaves; and the largest X for which it is, 0:
 * there is none. */
bool reach_shows(const struct reach *r, double one_in);
double reach_one_in(const struct reach *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mix of behaviours of each measured epoch, so that the growth of the epochs can be solved for
 * each behaviour. Pure.
 *
 * An epoch favours some behaviours by half of their weight: which, is chosen one epoch after the
 * other. First that the epochs so far and this one tell as many behaviours apart as
 * possible; then that over every stretch from the first epoch on each behaviour has had the share
 * that the user gave it. The second is what keeps the judge's rules true, which take growth as
 * proportional to connections: two halves of a run are such a stretch and its rest.
 */
#ifndef SOAK_STATS_MIX_H
#define SOAK_STATS_MIX_H

#include <stddef.h>
#include <stdint.h>

enum {
    MIX_MAX = 64,          /* behaviours */
    MIX_WEIGHT_MAX = 10000 /* 64 of three times this fit into a control line */
};

struct mix {
    size_t count;
    uint64_t base[MIX_MAX];  /* the user's weights, scaled down to MIX_WEIGHT_MAX */
    double surplus[MIX_MAX]; /* connections beyond the user's share so far, over the share */
    double opened;           /* in the epochs so far */
    double inverse[MIX_MAX][MIX_MAX]; /* of the information matrix of the epochs so far */
};

/* `weight`: the user's, `count` of them (at most MIX_MAX), not all 0. */
void mix_init(struct mix *m, const uint64_t *weight, size_t count);
/* How many behaviours have a weight. With fewer than two every epoch has the same mix. */
size_t mix_drawn(const struct mix *m);
/* The weights of the next epoch, of `opens` connections. A weight of 0 stays 0. */
void mix_next(struct mix *m, uint64_t opens, uint64_t *ret_weight);

#endif

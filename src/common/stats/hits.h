/* SPDX-License-Identifier: Apache-2.0 */
/* What happens by chance to some of many connections, for simulations. */
#ifndef SOAK_STATS_HITS_H
#define SOAK_STATS_HITS_H

#include "base/rng.h"

#include <math.h>
#include <stdint.h>

/* How many of n connections something happens to that happens to each with `chance`: the gaps
 * between them are geometric (Devroye, Non-Uniform Random Variate Generation, 1986, X.4.3). */
static inline int64_t hits_draw(struct rng *r, uint64_t n, double chance)
{
    int64_t hits = 0;
    if (chance >= 1 || chance <= 0)
        return chance >= 1 ? (int64_t)n : 0;
    for (double at = 0; at < (double)n;) {
        at += 1 + floor(log1p(-rng_unit(r)) / log1p(-chance));
        hits += at <= (double)n;
    }
    return hits;
}

#endif

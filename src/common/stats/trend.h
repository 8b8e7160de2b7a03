/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slope of a noisy metric against closed connections: Theil-Sen (Sen 1968) with a moving-block
 * bootstrap interval (Kuensch 1989; seeded, so a run repeats). Pure; heap only inside the call.
 */
#ifndef SOAK_STATS_TREND_H
#define SOAK_STATS_TREND_H

#include <stddef.h>
#include <stdint.h>

/* Fewer points have no interval. */
enum { TREND_MIN_POINTS = 6 };

struct trend {
    double slope; /* units per connection */
    double low,
        high; /* the interval's ends; -INFINITY and INFINITY when there are too few points */
};

/* `x` ascending. Fewer than 2 distinct x: slope 0 with an infinite interval. */
struct trend trend_of(const double *x, const double *y, size_t count, double confidence,
                      uint64_t seed);

#endif

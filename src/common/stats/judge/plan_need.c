/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections a run measures for a sensitivity. */
#include "judge.h"
#include "plan.h"
#include "stats/sensitivity.h"

#include <math.h>

/* Two equal halves of 8,050 connections show one lost block per 1,000 in 99.9 %. The halves of the
 * judged connections are never quite equal: from 17,000 some plans came to one per 999 only
 * (test_plan). */
static const double UNEQUAL_HALVES = 1.12;

uint64_t plan_least_for(uint64_t one_in)
{
    return sensitivity_needed(one_in, JUDGE_CONVICT_BLOCKS, JUDGE_MIN_EPOCHS,
                              JUDGE_CONFIDENCE_PERMILLE / 1000.0);
}

/* How many times as many it takes where they are spread over so many threads. As large epochs as a
 * run without a bound has in the end. */
static double times_of(uint64_t threads)
{
    enum { EPOCHS = 8, OPENS = 1 << 20 };
    uint64_t opened[EPOCHS];
    if (threads <= 1)
        return 1;
    for (size_t c = 0; c < EPOCHS; c++)
        opened[c] = OPENS;
    const struct reach one = {.opened = opened, .epochs = EPOCHS};
    const struct reach spread = {.opened = opened, .epochs = EPOCHS, .threads = threads};
    return reach_one_in(&one) / reach_one_in(&spread);
}

uint64_t plan_measured_for(uint64_t one_in, uint64_t threads)
{
    double alone = ceil(UNEQUAL_HALVES * (double)plan_least_for(one_in));
    return (uint64_t)ceil(times_of(threads) * alone);
}

uint64_t plan_unbounded(const struct plan_input *in)
{
    uint64_t one_in = in->one_in ? in->one_in : plan_one_in(in->unit);
    uint64_t measured = plan_measured_for(one_in, in->threads);
    uint64_t beyond_cache = in->expected + in->expected / 2;
    return measured > beyond_cache ? measured : beyond_cache;
}

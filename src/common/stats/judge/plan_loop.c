/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_loop.h"

#include "judge.h"
#include "plan.h"
#include "stats/sensitivity.h"

#include <math.h>

static const double GOLDEN = 0.618;

/* Of so many steps the one that follows another: far from it, and none twice. */
static size_t stride_of(size_t steps)
{
    size_t stride = (size_t)((double)steps * GOLDEN);
    while (stride == 0 || common_divisor((int64_t)stride, (int64_t)steps) != 1)
        stride++;
    return stride;
}

void plan_loop(uint64_t largest, size_t runs, uint64_t *ret)
{
    size_t between = runs - 2, stride = stride_of(between);
    for (size_t i = 0; i < runs; i++) {
        size_t step = i == 0 ? 1 : i == runs - 1 ? runs : 2 + (i - 1) * stride % between;
        ret[i] = (largest * step + runs - 1) / runs;
    }
}

uint64_t plan_loop_largest(size_t runs, uint64_t total)
{
    return 2 * total / (runs + 1);
}

/* The smallest run is what the others are measured against. */
uint64_t plan_loop_for(size_t runs, uint64_t one_in, uint64_t expected)
{
    double steps = (double)runs;
    double judged = runs_times(runs) * (double)plan_measured_for(one_in, 1);
    double cached = 1.5 * (double)expected;
    double largest = ceil((judged > cached ? judged : cached) * steps / (steps - 1));
    return (uint64_t)ceil(largest * (steps + 1) / 2) + runs;
}

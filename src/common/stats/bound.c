/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/bound.h"

#include "base/check.h"

#include <math.h>

/* Probability of `k` or fewer of `n` at share p, 0 < p < 1. Summed by logarithms: the first terms
 * of a large n are too small for a double. */
static double at_most(uint64_t k, uint64_t n, double p)
{
    double sum = 0, size = (double)n, all = lgamma(size + 1);
    for (uint64_t i = 0; i <= k; i++) {
        double at = (double)i;
        double choose = all - lgamma(at + 1) - lgamma(size - at + 1);
        sum += exp(choose + at * log(p) + (size - at) * log1p(-p));
    }
    return sum < 1 ? sum : 1;
}

double bound_upper(uint64_t k, uint64_t n, double confidence)
{
    CHECK(n >= 1 && k <= n);
    CHECK(confidence > 0 && confidence < 1);
    if (k == n)
        return 1;
    if (k == 0)
        return -expm1(log1p(-confidence) / (double)n);
    double low = (double)k / (double)n, high = 1;
    while (high - low > 1e-12 * high) {
        double middle = low + (high - low) / 2;
        if (at_most(k, n, middle) > 1 - confidence)
            low = middle;
        else
            high = middle;
    }
    return high;
}

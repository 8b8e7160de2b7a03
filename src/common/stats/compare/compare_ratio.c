/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double compare_median(double *value, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(value, count, sizeof *value, by_value);
    return (value[(count - 1) / 2] + value[count / 2]) / 2;
}

/* That the median lies between the k-th smallest and the k-th largest of n: each of n values is
 * below it with a half, so David and Nagaraja, Order Statistics, section 7.1. */
static double level_of(size_t n, size_t k)
{
    double sum = 0, term = 1; /* C(n, 0) */
    for (size_t i = 0; i < k; i++) {
        sum += term;
        term *= (double)(n - i) / (double)(i + 1);
    }
    return 1 - 2 * sum * pow(0.5, (double)n);
}

struct compare_ratio compare_ratio_of(double *ratio, size_t count)
{
    struct compare_ratio r = {.pairs = count, .low = NAN, .high = NAN};
    CHECK(count <= COMPARE_RUNS);
    r.median = compare_median(ratio, count);
    if (count == 0)
        return r;
    size_t k = 1;
    while (2 * (k + 1) <= count && level_of(count, k + 1) >= COMPARE_LEVEL)
        k++;
    r.low = ratio[k - 1];
    r.high = ratio[count - k];
    r.level = fmax(level_of(count, k), 0);
    return r;
}

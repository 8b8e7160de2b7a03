/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sensitivity.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_BLOCKS = 16, MAX_EPOCHS = 16 };

/* prob[b][k]: b blocks so far (capped: "b or more"), k epochs that kept any (capped as well). */
struct table {
    double prob[MAX_BLOCKS + 1][MAX_EPOCHS + 1];
};

static int capped(int value, int cap)
{
    return value < cap ? value : cap;
}

/* Adds one epoch with `mean` expected survivors to every state of `from`. */
static void add_epoch(const struct table *from, struct table *to, int blocks, int epochs,
                      double mean)
{
    double term[MAX_BLOCKS + 1]; /* exactly j survivors for j < blocks; the last: that or more */
    double left = 1;
    term[0] = exp(-mean);
    for (int j = 0; j < blocks; j++) {
        left -= term[j];
        term[j + 1] = term[j] * mean / (j + 1);
    }
    term[blocks] = left > 0 ? left : 0;
    memset(to, 0, sizeof *to);
    for (int b = 0; b <= blocks; b++) {
        for (int k = 0; k <= epochs; k++) {
            double p = from->prob[b][k];
            for (int j = 0; j <= blocks && p > 0; j++)
                to->prob[capped(b + j, blocks)][capped(k + (j > 0), epochs)] += p * term[j];
        }
    }
}

double sensitivity_miss(const uint64_t *opened, size_t epochs, int min_blocks, int min_epochs,
                        double one_in)
{
    CHECK(min_blocks >= 1 && min_blocks <= MAX_BLOCKS);
    CHECK(min_epochs >= 1 && min_epochs <= MAX_EPOCHS);
    CHECK(one_in > 0);
    struct table a = {0}, b;
    a.prob[0][0] = 1;
    for (size_t e = 0; e < epochs; e++) {
        add_epoch(&a, &b, min_blocks, min_epochs, (double)opened[e] / one_in);
        a = b;
    }
    /* What escapes is summed itself: 1 - p would lose the small figures that matter here. */
    double miss = 0;
    for (int k = 0; k <= min_epochs; k++) {
        for (int j = 0; j <= min_blocks; j++)
            miss += j == min_blocks && k == min_epochs ? 0 : a.prob[j][k];
    }
    return miss;
}

double sensitivity_one_in(const uint64_t *opened, size_t epochs, int min_blocks, int min_epochs,
                          double confidence)
{
    double allowed = 1 - confidence, total = 0;
    for (size_t e = 0; e < epochs; e++)
        total += (double)opened[e];
    double low = 1, high = total;
    if (sensitivity_miss(opened, epochs, min_blocks, min_epochs, low) > allowed)
        return 0;
    /* One block per all connections has at most one expected survivor, so `high` always escapes
     * for any confidence above 0.1; the loop needs no widening. */
    while (high - low > 1e-6 * low) {
        double middle = low + (high - low) / 2;
        if (sensitivity_miss(opened, epochs, min_blocks, min_epochs, middle) > allowed)
            high = middle;
        else
            low = middle;
    }
    return low;
}

size_t sensitivity_halves(const uint64_t *opened, size_t epochs, uint64_t ret_half[2])
{
    uint64_t all = 0, sum = 0, best = UINT64_MAX;
    size_t middle = 0;
    for (size_t e = 0; e < epochs; e++)
        all += opened[e];
    ret_half[0] = ret_half[1] = 0;
    for (size_t e = 0; e < epochs; e++) {
        if (opened[e] == 0)
            continue;
        sum += opened[e];
        uint64_t rest = all - sum, apart = sum > rest ? sum - rest : rest - sum;
        if (apart >= best)
            continue;
        best = apart;
        middle = e;
        ret_half[0] = sum;
        ret_half[1] = rest;
    }
    return middle;
}

static bool shows(uint64_t connections, uint64_t one_in, int min_blocks, int min_epochs,
                  double confidence)
{
    uint64_t half[2] = {connections / 2, connections - connections / 2};
    return sensitivity_miss(half, 2, min_blocks, min_epochs, (double)one_in) <= 1 - confidence;
}

uint64_t sensitivity_needed(uint64_t one_in, int min_blocks, int min_epochs, double confidence)
{
    CHECK(one_in >= 1 && one_in <= UINT64_MAX / 1024);
    uint64_t low, high = 1;
    do {
        low = high;
        high *= 2;
    } while (!shows(high, one_in, min_blocks, min_epochs, confidence));
    while (high - low > 1 + low / 100000) {
        uint64_t middle = low + (high - low) / 2;
        if (shows(middle, one_in, min_blocks, min_epochs, confidence))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Probability of `k` or fewer of `n` at share p, 0 < p < 1. Summed by logarithms: the first terms
 * of a large n are too small for a double. */
static double binomial_at_most(uint64_t k, uint64_t n, double p)
{
    double sum = 0, size = (double)n, all = lgamma(size + 1);
    for (uint64_t i = 0; i <= k; i++) {
        double at = (double)i;
        double choose = all - lgamma(at + 1) - lgamma(size - at + 1);
        sum += exp(choose + at * log(p) + (size - at) * log1p(-p));
    }
    return sum;
}

double sensitivity_upper_share(uint64_t k, uint64_t n, double confidence)
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
        if (binomial_at_most(k, n, middle) > 1 - confidence)
            low = middle;
        else
            high = middle;
    }
    return high;
}

int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

double chi_square_beyond(double x, int n)
{
    if (n <= 0)
        return 1;
    double v = 2.0 / (9.0 * n), z = (cbrt(x / n) - (1 - v)) / sqrt(v);
    return 0.5 * erfc(z / sqrt(2));
}

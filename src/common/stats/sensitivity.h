/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sensitivity: how rare a leak would still have shown. A block lost once per X connections, at
 * random, gives Poisson(n_e / X) survivors in an epoch of n_e connections; the judge convicts on at
 * least `min_blocks` survivors from at least `min_epochs` epochs. The sensitivity is the largest X
 * for which that happens with the given confidence. Pure.
 */
#ifndef SOAK_STATS_SENSITIVITY_H
#define SOAK_STATS_SENSITIVITY_H

#include <stddef.h>
#include <stdint.h>

/* Probability that a leak of one block per `one_in` connections escapes. In [0, 1]. */
double sensitivity_miss(const uint64_t *opened, size_t epochs, int min_blocks, int min_epochs,
                        double one_in);
/* The largest X (bisection, relative error 1e-6), or 0 when even X = 1 could escape. */
double sensitivity_one_in(const uint64_t *opened, size_t epochs, int min_blocks, int min_epochs,
                          double confidence);
/* Cuts epochs into the two halves that are the most alike, and returns the last epoch of the first.
 * An epoch of 0 connections belongs to neither; with two others or more no half is empty. */
size_t sensitivity_halves(const uint64_t *opened, size_t epochs, uint64_t ret_half[2]);
/* The inverse: how few connections in two equal halves would show a leak of one block per `one_in`
 * connections with that confidence. At least 2. */
uint64_t sensitivity_needed(uint64_t one_in, int min_blocks, int min_epochs, double confidence);

/* How sure a count of rare events makes: the exact (Clopper-Pearson) upper bound of a binomial
 * share, C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413. The largest share p for which
 * `k` or fewer events of `n` still happen with a probability of 1 - confidence: with this
 * confidence the true share isn't larger. For k = 0 that is 1 - (1 - confidence)^(1/n). 1 when k =
 * n. `k` <= n, n >= 1, 0 < confidence < 1. */
double sensitivity_upper_share(uint64_t k, uint64_t n, double confidence);

/* P(chi-square of n degrees >= x): Wilson and Hilferty, The distribution of chi-square (1931). 1
 * for n <= 0. */
double chi_square_beyond(double x, int n);

/* 0 with 0 is 0. */
int64_t common_divisor(int64_t a, int64_t b);

#endif

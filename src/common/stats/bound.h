/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How sure a count of rare events makes: the exact (Clopper-Pearson) upper bound of a binomial
 * share. C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413. Pure.
 */
#ifndef SOAK_STATS_BOUND_H
#define SOAK_STATS_BOUND_H

#include <stdint.h>

/* The largest share p for which `k` or fewer events of `n` still happen with a probability of
 * 1 - confidence: with this confidence the true share isn't larger. For k = 0 that is
 * 1 - (1 - confidence)^(1/n). 1 when k = n. `k` <= n, n >= 1, 0 < confidence < 1. */
double bound_upper(uint64_t k, uint64_t n, double confidence);

#endif

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

#endif

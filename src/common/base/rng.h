/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small seeded generator: splitmix64 (Steele, Lea, Flood 2014). Every choice that a run makes by
 * chance comes from one of these, so a seed repeats the run. Not for keys. Not thread-safe: one
 * per owner.
 */
#ifndef SOAK_BASE_RNG_H
#define SOAK_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* Uniform in [0, bound); bound must not be 0. Bias under 2^-32 for bounds under 2^32. */
static inline uint64_t rng_below(struct rng *r, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)rng_next(r) * bound) >> 64);
}

/* Uniform in [0, 1). */
static inline double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

#endif

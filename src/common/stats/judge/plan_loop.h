/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of a program that is started again and again (--loop), each with another number of
 * connections: what its process still holds at its end, by that number, is the series that is
 * judged. Pure.
 *
 * The numbers are a staircase of equal steps up to the largest, so that a cache that fills shows as
 * a landing. They don't come in that order: otherwise a machine that gets slower, or a log that
 * gets longer, would look like what connections do. The smallest is the first, which tells early
 * whether the program works; the largest is the last, whose call stacks are taken and whose block
 * the self-check loses.
 */
#ifndef SOAK_STATS_PLAN_LOOP_H
#define SOAK_STATS_PLAN_LOOP_H

#include <stddef.h>
#include <stdint.h>

/* The sensitivity if none is asked for: it takes many more connections than in one process that
 * stays, of which each run makes its part again. */
enum { PLAN_ONE_IN_LOOP = 50 };

/* ret[runs], in the order of the runs: two at least. */
void plan_loop(uint64_t largest, size_t runs, uint64_t *ret);
/* The largest run where all together make so many connections; and how many they all make for a
 * sensitivity, beyond a cache of so many entries. */
uint64_t plan_loop_largest(size_t runs, uint64_t total);
uint64_t plan_loop_for(size_t runs, uint64_t one_in, uint64_t expected);

#endif

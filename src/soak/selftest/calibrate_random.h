/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `soak calibrate --random`: mixes of options and behaviours by chance, each of which must either
 * be refused with a reason or pass on a clean server.
 */
#ifndef SOAK_CALIBRATE_RANDOM_H
#define SOAK_CALIBRATE_RANDOM_H

#include "base/err.h"
#include "run_process.h"

#include <stdbool.h>
#include <stdint.h>

struct calibrate_random {
    uint64_t mixes, seed, closed; /* how many, of the first, connections of each at least */
    uint64_t passed, refused, others;
};

/* Runs them, a line each: the verdict and the command that repeats it. Returns 0, or -1 when it was
 * interrupted or soak can't be run. */
int calibrate_random_run(struct calibrate_random *c, struct run_process *sub, struct err *e);
/* Prints the totals. Returns whether none was anything but PASS or refused. */
bool calibrate_random_summarise(const struct calibrate_random *c);

#endif

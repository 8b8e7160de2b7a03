/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run of `soak selftest --endurance N`, and the line that says what was seen of it, of an
 * interrupted one, too: that ends in order, with what it has measured until then.
 */
#ifndef SOAK_ENDURANCE_RUN_H
#define SOAK_ENDURANCE_RUN_H

#include "run_process.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENDURANCE_MIN = 1000, ENDURANCE_MAX = 1000000000 };

/* Returns 0 when the run could be judged; whether it was flat, or so far if it was interrupted, is
 * in *ret_flat. Returns -1 with a sentence when it broke or couldn't be kept and nothing moved. */
int endurance_run(struct run_process *sub, uint64_t connections, bool *ret_flat, struct err *e);

#endif

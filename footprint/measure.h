/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measurement: connections to warm up, those that are measured, and a number of server ends
 * held open for the process's own size. What it finds is printed as lines
 * (docs/reference/protocol.md).
 */
#ifndef SOAK_FOOTPRINT_MEASURE_H
#define SOAK_FOOTPRINT_MEASURE_H

#include "base/err.h"
#include "options.h"

#include <stdio.h>

/* Room for the meter's tables; the meter is started with it. */
enum { MEASURE_BLOCKS = 1 << 19, MEASURE_SITES = 2048 };

/* Returns 0 when all lines but the last, `done`, are printed; or -1. */
int measure_run(const struct options *o, FILE *out, struct err *e);

#endif

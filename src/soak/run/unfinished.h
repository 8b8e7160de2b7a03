/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result so far, in the run's folder: written anew at each checkpoint, and gone once the run
 * has one. What is left of it when soak is killed, and what `soak report` reads then.
 */
#ifndef SOAK_RUN_UNFINISHED_H
#define SOAK_RUN_UNFINISHED_H

#include "run.h"

/* Where it can't be written the run goes on: the samples and the result say so. */
void unfinished_write(struct run *r);
/* After the result is kept. */
void unfinished_remove(struct run *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends a run in which nothing moves: a side that hangs, a server that refuses everyone.
 */
#ifndef SOAK_WATCHDOG_H
#define SOAK_WATCHDOG_H

#include "run.h"

/* Looks whether something has moved since the last look; breaks the run after --watchdog without.
 */
void watchdog_look(struct run *r);

#endif

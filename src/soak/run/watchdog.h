/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends a run from which no verdict can come any more: nothing moves (a side hangs, a server refuses
 * everyone), or nearly all connections fail. It would go on for minutes only to say so.
 */
#ifndef SOAK_WATCHDOG_H
#define SOAK_WATCHDOG_H

#include "run.h"

/* Looks whether something has moved since the last look; breaks the run after --watchdog without.
 */
void watchdog_look(struct run *r);
/* Looks how many have failed, while connections are opened. Breaks the run with how many, the first
 * failure and its behaviour. A run in which something grows goes on: a leak beats failures. */
void watchdog_look_failing(struct run *r);

#endif

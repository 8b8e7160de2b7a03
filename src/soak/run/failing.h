/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends a run in which nearly all connections fail as soon as it can't become valid any more: it
 * would go on for minutes only to say so.
 */
#ifndef SOAK_FAILING_H
#define SOAK_FAILING_H

#include "run.h"

/* Looks how many have failed, while connections are opened. Breaks the run with how many, the first
 * failure and its behaviour. A run in which something grows goes on: a leak beats failures. */
void failing_look(struct run *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client takes for so many connections: told by soak before a run, and by the client to
 * whoever starts it by hand. Pure, but for the number of processors.
 */
#ifndef SOAK_BASE_LOAD_NEED_H
#define SOAK_BASE_LOAD_NEED_H

#include <stdint.h>

/* Bounds per worker: a listener's backlog and the descriptors stay within reason. */
enum { LOAD_OPENING_MAX = 256, LOAD_LEAVING_MAX = 256 };

/* Threads: those asked for, or with 0 as many as processors, at most 4; never more than
 * connections.
 */
int load_need_workers(int asked, uint64_t conns);
/* Descriptors in all: of the open connections, those that replace them, those that linger on, and a
 * few others. */
uint64_t load_need_files(uint64_t conns, int workers);

#endif

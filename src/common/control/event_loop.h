/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a loop of libuv begins, in soak, its server and its client: the one moment at which libuv
 * takes descriptors and memory of its own. On a loop that is open, the init and start of timers,
 * signals, asyncs, pipes and sockets take nothing that could be refused, so that those are CHECKs.
 */
#ifndef SOAK_CONTROL_EVENT_LOOP_H
#define SOAK_CONTROL_EVENT_LOOP_H

#include "base/err.h"

#include <stdint.h>
#include <uv.h>

/* Of what a loop watches that has no connections. */
enum { EVENT_LOOP_FEW = 256 };

/* uv_loop_init, with room for descriptors below `room`, or below the limit of open files. libuv
 * keeps what a loop watches in a table by descriptor, which doubles as soon as a higher one is
 * watched: that is growth, however seldom, and would be measured; and where there is no memory for
 * it libuv aborts. It does so too where the first loop of a process can't have its pipe of signals.
 * In here the process then says the reason and exits with EXIT_BROKEN. Returns 0, or libuv's code
 * with a sentence that names the limit to raise. Before any other thread runs. */
int event_loop_open(uv_loop_t *loop, uint64_t room, struct err *e);

#endif

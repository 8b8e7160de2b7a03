/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one event loop with its own listening socket and its own connections. The first runs on
 * the main thread, the others each on a thread. Everything here belongs to the worker's thread, but
 * `orders` and `wake`, by which the main thread asks something of it.
 */
#ifndef SOAK_SERVER_WORKER_H
#define SOAK_SERVER_WORKER_H

#include "base/err.h"
#include "deadline.h"
#include "net/socket.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct shared;

enum worker_order {
    WORKER_SETTLE = 1, /* empty the thread's allocator cache */
    WORKER_DRAIN = 2,  /* stop listening */
    WORKER_LEAVE = 4,  /* send close_notify on every connection */
    WORKER_QUIT = 8    /* close all; the loop then ends */
};

struct worker {
    uint32_t magic;
    struct shared *shared; /* borrowed: outlives the worker */
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_async_t wake;
    uv_timer_t tick;
    uv_thread_t thread;
    atomic_uint orders;
    bool listening, quitting;
    bool held_back;      /* a connection is there, and isn't accepted yet */
    int last_file;       /* the highest descriptor that the limit allows */
    int spare_file;      /* given up for a moment when there is no other, or -1 */
    uv_prepare_t refill; /* makes it again before the loop waits */
    struct deadline_list handshaking, idle, lingering; /* every open connection is in one of them */
    struct net_loop net;
};

/* Takes `listen_fd`. Returns the worker or NULL; free it after its loop has ended. */
struct worker *worker_new(struct shared *shared, int listen_fd, struct err *e);
/* Runs the loop until WORKER_QUIT has been obeyed. */
void worker_run(struct worker *w);
/* From any thread. */
void worker_order(struct worker *w, enum worker_order order);
/* Accepts what was held back, if it may now. On its thread. */
void worker_let_in(struct worker *w);
/* Whether all that are open have been silent for a while, and some are. On its thread. */
bool worker_at_rest(const struct worker *w);
/* Ends the handshakes that have taken a while. On its thread. */
void worker_give_up(struct worker *w);
/* Ends every open connection politely. On its thread. */
void worker_leave(struct worker *w);
/* Closes the connection that waits; returns whether there was one. The server is short of files
 * because it was asked to be. On its thread. */
bool worker_turn_away(void *worker);
void worker_free(struct worker *w);

#endif

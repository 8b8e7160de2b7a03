/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: a thread with an event loop, a TLS context and its part of the connections. Orders go
 * in and replies come out as atomic flags with a wake-up. worker_new, worker_start and worker_end
 * run on the main thread.
 */
#ifndef SOAK_CLIENT_WORKER_H
#define SOAK_CLIENT_WORKER_H

#include "base/err.h"
#include "options.h"
#include "pool.h"
#include "recipe.h"
#include "tls/client_certs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum worker_order {
    WORKER_EPOCH = 1, /* of `opens` connections */
    WORKER_FINISH = 2,
    WORKER_DRAIN = 4,
    WORKER_SETTLE = 8,
    WORKER_QUIT = 16, /* close all; the thread then ends */
    WORKER_ALONE = 32 /* an epoch of connections one by one */
};

enum worker_reply { WORKER_IS_QUIET = 1, WORKER_IS_DRAINED = 2, WORKER_IS_SETTLED = 4 };

/* Written by the worker that took the place, before `ready`. */
struct worker_failure {
    atomic_bool ready;
    enum peer_failure kind;
    const char *behaviour; /* or the operation that failed: static */
    char text[256];
};

/* What the workers share with the main thread. Outlives them. */
struct worker_shared {
    const struct options *options;
    struct client_certs *certs; /* owned; NULL without --client-certs */
    struct page *page;
    uint8_t *payload;            /* owned */
    uv_async_t *wake;            /* the main loop's: something was replied */
    const struct choice *choice; /* of the run; made before the workers start */
    struct behaviour_mix mix;    /* of the epoch; written before its order */
    /* The first failure of each kind, in the order in which they came. */
    atomic_flag failed[PEER_FAILURES]; /* by kind: it has a place already */
    atomic_uint failures;              /* places taken */
    struct worker_failure failure[PEER_FAILURES];
};

struct worker {
    struct worker_shared *shared; /* borrowed */
    uint64_t first_slot, slots;
    uv_loop_t loop;
    uv_async_t wake;
    uv_thread_t thread;
    atomic_uint orders, replies;
    atomic_uint_fast64_t opens, oldest; /* written before the order or reply that they belong to */
    SSL_CTX *ctx;                       /* owned */
    struct sessions sessions;
    struct pool pool;
};

/* From this many on most connections are idle, and each gives its buffers back while it is: a fifth
 * of its memory, for 0.2 % of the instructions of a full handshake (bench/README.md). The server
 * sees nothing of it. */
enum { WORKER_MANY_OPEN = 1000 };

/* OpenSSL's modes (SSL_CTX_set_mode(3)) when all workers together hold `conns`. */
static inline long worker_modes(uint64_t conns)
{
    return SSL_MODE_ENABLE_PARTIAL_WRITE |
           (conns < WORKER_MANY_OPEN ? 0 : SSL_MODE_RELEASE_BUFFERS);
}

/* What its connections are made from. Returns 0 or -1. */
int worker_context_new(const struct options *options, SSL_CTX **ret, struct err *e);
/* Worker number `index` of `options->workers`. Returns it or NULL. */
struct worker *worker_new(struct worker_shared *shared, int index, struct err *e);
int worker_start(struct worker *w, struct err *e);
void worker_order(struct worker *w, enum worker_order order);
/* Orders WORKER_QUIT, waits for the thread and frees. */
void worker_end(struct worker *w);

#endif

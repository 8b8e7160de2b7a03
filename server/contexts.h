/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SSL_CTX that connections are made of: one for all, as servers have it; replaced every N
 * connections, as a server does that reloads its certificates (--ctx-reload), the old one dying
 * with its last connection; or one for each connection, freed with it (--ctx per-connection).
 * Shared by the workers, on any thread.
 */
#ifndef SOAK_SERVER_CONTEXTS_H
#define SOAK_SERVER_CONTEXTS_H

#include "base/err.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct contexts;

/* Makes one more, always in the same way; on any thread. Returns 0 or -1. */
typedef int contexts_make(void *arg, SSL_CTX **ret, struct err *e);

struct contexts_options {
    contexts_make *make;
    void *arg; /* borrowed: outlives the contexts */
    bool per_connection;
    uint64_t reload; /* connections; 0: never */
};

/* Makes the shared one at once, so that what is wrong is told at the start. Returns 0 or -1;
 * contexts_free frees. */
int contexts_new(const struct contexts_options *o, struct contexts **ret, struct err *e);
void contexts_free(struct contexts *x);

/* What the next connection is to be made of: a reference, SSL_CTX_free. NULL with the reason. */
SSL_CTX *contexts_take(struct contexts *x, struct err *e);
/* A checkpoint: reloads due by now are made one for each of the next connections, and so it goes on
 * from checkpoint to checkpoint. Else two contexts would live at one checkpoint and three at the
 * next, as the count of connections happens to fall, and growth couldn't be told from that. */
void contexts_checkpoint(struct contexts *x);
/* Replaces the shared one at once, where reloads are asked for: what hung on the old one goes, as
 * it would by the next reload. Returns 0 or -1. */
int contexts_reload(struct contexts *x, struct err *e);
/* The shared one as it is now: a reference, SSL_CTX_free. */
SSL_CTX *contexts_shared(struct contexts *x);

#endif

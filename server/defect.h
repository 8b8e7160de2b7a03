/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's own bugs, off by default: options/defects.def names them. Each reads like the real
 * bug it stands for, and what OpenSSL allocates for it is asked for in defect.c (the growing table
 * and the notes of each SSL in defect_stores.c), so that a report can be checked
 * against a file and line.
 *
 * One struct defect per process, shared by the workers: the hooks may be called on any of their
 * threads at the same time. The hooks of one connection come from its own loop.
 */
#ifndef SOAK_SERVER_DEFECT_H
#define SOAK_SERVER_DEFECT_H

#include "base/err.h"
#include "page/page.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct defect;

/* What a bug keeps in a connection. Zero at first. */
struct defect_conn {
    void *state;
};

/* `text` is NAME or NAME:1/N (options/choices.h); NULL: no bug. With 1/N exactly one connection is
 * hit in each N of those that could be, at a place that follows from the seed. Returns 0 or -1;
 * defect_free frees.
 */
int defect_new(const char *text, uint64_t seed, struct defect **ret, struct err *e);
/* Frees what isn't lost by intent. No hook may be under way. */
void defect_free(struct defect *d);

/* Timers of the bugs that need no connection; on `loop`, until defect_stop (the handle is closed
 * there, and the loop must run once more). */
void defect_start(struct defect *d, uv_loop_t *loop);
void defect_stop(struct defect *d);

void defect_on_accept(struct defect *d, struct defect_conn *c, SSL *ssl);
void defect_on_handshake_done(struct defect *d, struct defect_conn *c, SSL *ssl);
/* The connection ends and never had a handshake. */
void defect_on_handshake_failed(struct defect *d, struct defect_conn *c, SSL *ssl);
/* The peer has reset a connection whose handshake was done. */
void defect_on_reset(struct defect *d, struct defect_conn *c, SSL *ssl);
/* The connection ends, whatever way. True: the SSL now belongs to the bug, don't free it. */
bool defect_on_close(struct defect *d, struct defect_conn *c, SSL *ssl);
/* The peer of an open connection has sent something, which was echoed. */
void defect_on_message(struct defect *d, SSL *ssl);

/* Frees what is only deferred. */
void defect_drain(struct defect *d);
/* Empties bounded tables. */
void defect_flush(struct defect *d);
/* Declares the bounded tables, population and capacity, in the page's cache entry. */
void defect_publish(struct defect *d, struct page_cache *ret);

#endif

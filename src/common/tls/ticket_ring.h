/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket key that changes every N connections, as servers rotate theirs every few hours:
 * the key before still opens its tickets, which the server then renews; older ones are forgotten.
 * Made by the server, borrowed by its contexts, used by all its threads.
 */
#ifndef SOAK_TLS_TICKET_RING_H
#define SOAK_TLS_TICKET_RING_H

#include "base/err.h"

#include <openssl/ssl.h>
#include <stdint.h>

struct ticket_ring;

/* `every` is at least 1. Returns 0 or -1. */
int ticket_ring_new(uint64_t every, struct ticket_ring **ret, struct err *e);
void ticket_ring_free(struct ticket_ring *ring);

/* Counts a connection before its handshake; the key changes at every N-th. NULL is harmless. */
void ticket_ring_connection(struct ticket_ring *ring);

/* Gives the context the callback that seals and opens tickets. The ring is found through the
 * context's features. Returns 0 or -1. */
int ticket_ring_use(SSL_CTX *ctx);

#endif

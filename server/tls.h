/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server's SSL_CTXs are made from: keys and certificates, the staple, the ticket keys, and
 * the context for the other name. Made at start, by the command line; only read afterwards, on any
 * thread (the ticket keys have their own lock).
 */
#ifndef SOAK_SERVER_TLS_H
#define SOAK_SERVER_TLS_H

#include "options.h"
#include "tls/context.h"

struct server_tls {
    struct identity authority; /* given, or with a staple: the certificates' issuer */
    struct identity identity, second, other_identity;
    struct identity many_names; /* of the behaviour */
    struct staple staple;
    struct ticket_ring *ring; /* owned, or NULL */
    SSL_CTX *other;           /* owned, or NULL */
    struct context_features features;
};

/* Returns 0 or -1. It stays where it is: the contexts point into it. */
int server_tls_open(struct server_tls *t, const struct options *o, struct err *e);
/* After all contexts and connections. */
void server_tls_fini(struct server_tls *t);

/* One more context, always alike. Returns 0 or -1. */
int server_tls_context(const struct server_tls *t, const struct options *o, SSL_CTX **ret,
                       struct err *e);

#endif

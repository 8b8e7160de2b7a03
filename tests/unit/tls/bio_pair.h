/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client and a server joined by OpenSSL's own BIO pair, for tests of what OpenSSL allocates: no
 * memory but its own. (tls_ends.h is for tests of what the ends say.)
 */
#ifndef SOAK_TESTS_BIO_PAIR_H
#define SOAK_TESTS_BIO_PAIR_H

#include "tls/context.h"
#include "tls/identity.h"

#include <openssl/ssl.h>

struct bio_pair_contexts {
    struct identity identity;
    SSL_CTX *client, *server;
};

struct bio_pair {
    SSL *client, *server;
};

/* TLS 1.3, sessions of the kind that is asked for. Returns 0, or nonzero as cmocka's setups do. */
int bio_pair_start(struct bio_pair_contexts *c, enum session_kind session);
void bio_pair_stop(struct bio_pair_contexts *c);

/* A connection whose handshake is done; the client resumes `session` unless it is NULL. */
struct bio_pair bio_pair_open(const struct bio_pair_contexts *c, SSL_SESSION *session);
/* Without close_notify: who wants one sends it before. */
void bio_pair_free(struct bio_pair pair);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client and a server joined by OpenSSL's own BIO pair, for tests of what OpenSSL allocates: no
 * memory but its own. (tls_ends.h is for tests of what the ends say.)
 */
#ifndef SOAK_TESTS_BIO_PAIR_H
#define SOAK_TESTS_BIO_PAIR_H

#include "tls/context.h"

#include <openssl/ssl.h>

struct bio_pair {
    SSL *client, *server;
};

/* A group's set-up and teardown, as cmocka has them: the probe counts, and there are contexts for
 * TLS 1.3 with sessions of the kind that is asked for. */
int bio_pair_start(void **state, enum session_kind session);
int bio_pair_stop(void **state);

/* The server's certificate: borrowed. */
X509 *bio_pair_certificate(void);

/* A connection whose handshake is done; the client resumes `session` unless it is NULL. */
struct bio_pair bio_pair_open(SSL_SESSION *session);
/* Without close_notify: who wants one sends it before. */
void bio_pair_free(struct bio_pair pair);

#endif

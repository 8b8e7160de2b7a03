/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two SSL_CTX of the measurement, made by the same functions as those of soak-server and
 * soak-client, and the certificates that they show. Certificates differ in length from one making
 * to the next, and RSA keys in what OpenSSL allocates for them; they are made anew until they are
 * as most are, so that every run of the program measures the same.
 */
#ifndef SOAK_FOOTPRINT_CONTEXTS_H
#define SOAK_FOOTPRINT_CONTEXTS_H

#include "base/footprint_names.h"
#include "options.h"
#include "tls/context.h"

enum { CONTEXTS_SESSION_BYTES = 8192 };

struct contexts {
    SSL_CTX *ctx[FOOTPRINT_END_COUNT];
    struct context_features features;
    /* The newest session that the client was given, as DER, so that no object of OpenSSL's stays
     * from one connection to the next; 0 bytes: none. */
    long session_bytes;
    unsigned char session[CONTEXTS_SESSION_BYTES];
};

/* It stays where it is: the SSL_CTXs point into it. Returns 0 or -1. */
int contexts_open(struct contexts *c, const struct options *o, struct err *e);
void contexts_fini(struct contexts *c);

/* Makes the client offer the session that it has; nothing when it has none. Returns 0 or -1. */
int contexts_offer(const struct contexts *c, SSL *client, struct err *e);

#endif

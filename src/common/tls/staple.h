/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server staples when a client asks for its certificate's status (RFC 6066 8): made once at
 * start, borrowed by its contexts.
 */
#ifndef SOAK_TLS_STAPLE_H
#define SOAK_TLS_STAPLE_H

#include "base/err.h"
#include "tls/identity.h"

#include <openssl/ssl.h>
#include <stddef.h>

/* The large kind is DER of STAPLE_LARGE_BYTES; in TLS 1.2, where OpenSSL's clients take no message
 * of this kind over 16 KiB, STAPLE_TLS12_BYTES. */
enum { STAPLE_LARGE_BYTES = 60000, STAPLE_TLS12_BYTES = 16000 };

struct staple {
    enum ocsp_kind kind;
    unsigned char *bytes; /* owned */
    size_t length;
};

/* A response about `id`, signed by its issuer. Returns 0 or -1; staple_fini frees. */
int staple_make(enum ocsp_kind kind, const struct identity *id, const struct identity *issuer,
                struct staple *ret, struct err *e);
void staple_fini(struct staple *staple);

/* Gives the context the callback that staples; it finds the staple through the context's features.
 */
void staple_use(SSL_CTX *ctx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates made in memory at start and never written anywhere: a self-signed server
 * identity, and for client authentication a small authority with one client certificate, handed
 * between processes as PEM in a memory file.
 */
#ifndef SOAK_TLS_IDENTITY_H
#define SOAK_TLS_IDENTITY_H

#include "base/err.h"
#include "options/choices.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity {
    EVP_PKEY *key; /* owned */
    X509 *cert;    /* owned */
};

/* A fresh key and a certificate for `common_name` (also as DNS name), valid from a day ago for ten
 * years, signed by `issuer` or by itself when NULL. Returns 0 or -1; identity_fini frees. */
int identity_make(enum key_kind kind, const char *common_name, const struct identity *issuer,
                  struct identity *ret, struct err *e);
void identity_fini(struct identity *id);

/* The same, of other kinds. */
struct identity_request {
    enum key_kind kind;
    const char *common_name;
    const struct identity *issuer; /* NULL: signed by itself, and so an authority */
    const char *address;           /* another name: an IP address; NULL: none */
    uint64_t names;                /* DNS names in all; 0: the common name alone */
    bool authority;                /* may sign others, though it has an issuer */
    bool expired;                  /* its time ended yesterday */
};
int identity_make_as(const struct identity_request *request, struct identity *ret, struct err *e);

/* PEM: the certificate, then the key when `with_key`. Returns a heap string (free) or NULL. */
char *identity_pem(const struct identity *id, bool with_key);
/* Reads a file that has both. Returns 0 or -1; identity_fini frees. */
int identity_read(const char *path, struct identity *ret, struct err *e);

/*
 * What a server staples when a client asks for its certificate's status (RFC 6066 8): made once at
 * start, borrowed by its contexts.
 */
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SSL_CTX for the two ends, from plain options. The contexts are ordinary: default security level,
 * no session cache on the client side, Nagle and buffers are the caller's matter.
 */
#ifndef SOAK_TLS_CONTEXT_H
#define SOAK_TLS_CONTEXT_H

#include "base/err.h"
#include "options/choices.h"
#include "tls/context_features.h"
#include "tls/identity.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct context_server_options {
    enum tls_version version;
    enum session_kind session;
    uint64_t cache_size; /* sessions; used with SESSION_CACHE */
    const struct identity *identity;
    const char *client_ca_path; /* PEM; not NULL: a client certificate is required, or what
                                   features->client_auth says */
    const char *alpn; /* `a,b`, what the server knows, or NULL; borrowed: outlives SSL_CTX */
    bool accept_sni;  /* acknowledge any server name */
    const struct context_features *features; /* borrowed: outlives SSL_CTX; NULL: none */
};

/* Returns 0 and a context (SSL_CTX_free), or -1. */
int context_server_new(const struct context_server_options *o, SSL_CTX **ret, struct err *e);

/* Refuses words of a cipher list that OpenSSL doesn't know: setting the list passes over them.
 * Returns 0 or -1. */
int context_check_ciphers(const char *ciphers, struct err *e);

struct context_client_options {
    enum tls_version version;
    const char *cert_path; /* PEM with certificate and key, or NULL */
    const char *alpn;      /* comma-separated, or NULL */
};
/* Doesn't verify the server: what is measured is memory, and the identity is made afresh each run.
 */
int context_client_new(const struct context_client_options *o, SSL_CTX **ret, struct err *e);

/* Takes the oldest error of this thread's OpenSSL queue as text and empties the queue. Returns buf.
 */
char *context_error(char *buf, size_t size);

#endif

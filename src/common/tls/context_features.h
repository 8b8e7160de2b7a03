/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server may do beyond a plain handshake, as plain data: how it answers tickets, early data,
 * keys shared beforehand, certificates of both sides, names. CONTEXT_FEATURES_PLAIN is what a
 * context does without any of it.
 *
 * The struct is borrowed by every SSL_CTX made with it (as its app data) and read in OpenSSL's
 * callbacks on any thread: it outlives them and stays as it is, but for `other`, which is set
 * before the first connection.
 */
#ifndef SOAK_TLS_CONTEXT_FEATURES_H
#define SOAK_TLS_CONTEXT_FEATURES_H

#include "options/choices.h"
#include "tls/identity.h"
#include "tls/ticket_ring.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    /* Certificates between a client's and the authority: more are refused. */
    CONTEXT_VERIFY_DEPTH = 4
};

/* The name that gets a context of its own. The server's other name is "localhost". */
#define CONTEXT_OTHER_NAME "other.localhost"

struct context_features {
    int tickets; /* that follow a TLS 1.3 handshake */
    enum ticket_callback ticket_answer;
    struct ticket_ring *ring;   /* borrowed, or NULL: OpenSSL's own ticket key */
    uint64_t ticket_seed;       /* of the key that several processes share; 0: each has its own */
    uint32_t session_timeout_s; /* 0: OpenSSL's default */
    uint32_t early_data_bytes;  /* 0: none is accepted */
    bool psk;                   /* the key of tls/psk.h */
    enum client_auth client_auth;
    const struct staple *staple; /* borrowed, or NULL: nothing is stapled */
    SSL_CTX *other;              /* borrowed: for CONTEXT_OTHER_NAME, or NULL */
    enum sni_unknown unknown_name;
    const struct identity *second; /* borrowed: of the other kind of key, or NULL */
    const char *groups;            /* `X25519:P-256`, or NULL: OpenSSL's */
    const char *ciphers;           /* names of TLS 1.2 and 1.3 mixed, by colons, or NULL */
    bool renegotiation;            /* a TLS 1.2 client may renegotiate */
    int padding_bytes; /* TLS 1.3 records are padded to multiples of this; 0: no padding */
};

#define CONTEXT_FEATURES_PLAIN                                                                     \
    {                                                                                              \
        .tickets = 2                                                                               \
    }

#endif

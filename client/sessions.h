/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions to resume, taken from earlier connections: a small bounded store, one per worker, filled
 * by the context's new-session callback. A TLS 1.3 session is used once (RFC 8446 C.4); one of
 * TLS 1.2 stays. They are kept as DER in plain memory, because a kept SSL_SESSION would tie blocks
 * of a connection long gone (its certificate) to the connections that resume it, and look like a
 * leak in the client's own ledger. The server's certificate is left out: nothing here verifies it,
 * and parsing it was a third of the client's instructions per resumed connection. The first session
 * stays until sessions_clear, for behaviours that need one that is long over. One thread.
 *
 * A session carries what the connection that made it had agreed on beyond what all ask for: a
 * maximum fragment, a name, a cipher, a key known beforehand. Offered without that it is refused
 * (RFC 6066 4: with an alert), so a session is only kept where another connection asks for the
 * same.
 */
#ifndef SOAK_CLIENT_SESSIONS_H
#define SOAK_CLIENT_SESSIONS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { SESSIONS_MAX = 64 };

struct session_der {
    unsigned char *bytes; /* owned */
    int length;
};

struct sessions {
    bool (*fits_others)(const SSL *ssl);
    struct session_der ancient; /* a copy of the first of all */
    struct session_der replay;  /* used once, to be used again; the recipes' */
    size_t first, count;        /* a ring, oldest first */
    struct session_der entry[SESSIONS_MAX];
};

/* Makes `ctx` hand its sessions to `s`, which must outlive it: those of connections for which
 * `fits_others` is true. */
void sessions_attach(struct sessions *s, SSL_CTX *ctx, bool (*fits_others)(const SSL *ssl));
/* Gives the oldest session that is still valid to `ssl`; does nothing when there is none. With
 * `keep` it stays in the store, for a handshake that won't bring a new one. */
void sessions_offer(struct sessions *s, SSL *ssl, bool keep);
/* Takes the oldest session, or the newest, out of the store: the caller's, to be freed. Without
 * `bytes` when there is none. */
struct session_der sessions_take(struct sessions *s, bool newest);
/* Puts it back, or frees it when the store is full. */
void sessions_put(struct sessions *s, struct session_der der);
/* As an object (SSL_SESSION_free), or NULL when there is none. */
SSL_SESSION *session_decode(const struct session_der *der);
void sessions_clear(struct sessions *s);

#endif

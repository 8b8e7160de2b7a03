/*
 * Sessions to resume, taken from earlier connections: a small bounded store, one per worker, filled
 * by the context's new-session callback. A TLS 1.3 session is used once (RFC 8446 C.4); one of
 * TLS 1.2 stays. They are kept as DER in plain memory, because a kept SSL_SESSION would tie blocks
 * of a connection long gone (its certificate) to the connections that resume it, and look like a
 * leak in the client's own ledger. The server's certificate is left out: nothing here verifies it,
 * and parsing it was a third of the client's instructions per resumed connection. One thread.
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
    size_t first, count; /* a ring, oldest first */
    struct session_der entry[SESSIONS_MAX];
};

/* Makes `ctx` hand its sessions to `s`, which must outlive it. */
void sessions_attach(struct sessions *s, SSL_CTX *ctx);
/* Gives the oldest session that is still valid to `ssl`; does nothing when there is none. With
 * `keep` it stays in the store, for a handshake that won't bring a new one. */
void sessions_offer(struct sessions *s, SSL *ssl, bool keep);
void sessions_clear(struct sessions *s);

#endif

/*
 * Sessions to resume, taken from earlier connections: a small bounded store, one per worker, filled
 * by the context's new-session callback. A TLS 1.3 session is used once (RFC 8446 C.4); one of
 * TLS 1.2 stays. Once full it stays full whenever no handshake is under way, so that the client's
 * memory is the same at every checkpoint. One thread.
 */
#ifndef SOAK_CLIENT_SESSIONS_H
#define SOAK_CLIENT_SESSIONS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { SESSIONS_MAX = 64 };

struct sessions {
    size_t first, count;              /* a ring, oldest first */
    SSL_SESSION *entry[SESSIONS_MAX]; /* owned */
};

/* Makes `ctx` hand its sessions to `s`, which must outlive it. */
void sessions_attach(struct sessions *s, SSL_CTX *ctx);
/* Gives the oldest session to `ssl`; it stays in the store when `keep` is true, for a handshake
 * that won't bring a new one. Does nothing when there is none. */
void sessions_offer(struct sessions *s, SSL *ssl, bool keep);
void sessions_clear(struct sessions *s);

#endif

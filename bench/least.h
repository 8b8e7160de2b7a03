/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the least client and server have in common however they wait: the TLS of a connection, which
 * knows of no sockets. Each call may leave bytes in `least.out`, to be sent before another
 * connection's turn.
 */
#ifndef SOAK_BENCH_LEAST_H
#define SOAK_BENCH_LEAST_H

#include "cases.h"
#include "tls/wire.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum { LEAST_BATCH = 30 /* connections, as many as peers.py has open */, LEAST_BACKLOG = 256 };

/* How far a client's connection has come: what it waits for. */
enum least_step { LEAST_HANDSHAKE, LEAST_ECHO, LEAST_END };

struct least_tls {
    SSL *ssl; /* owned: SSL_free */
    struct wire wire;
    enum least_step step;
};

/* One for a process, which is one of the two. */
struct least {
    const struct bench_case *of;
    struct sockaddr_in server;
    SSL_CTX *ctx; /* owned, never freed */
    struct wire_out out;
    bool resets;
    long made, most, resumed; /* connections; `most` is 0 when only SIGTERM ends it */
};
extern struct least least;

/* A client's connection says hello at once. */
void least_open_tls(struct least_tls *t, bool server);
/* Takes `count` bytes that have come, and goes as far as they let it. Returns whether the
 * connection goes on. */
bool least_client_turn(struct least_tls *t, const uint8_t *bytes, size_t count);
bool least_server_turn(struct least_tls *t, const uint8_t *bytes, size_t count);

/* Of how many connections a client is to make more: at most so many, none after SIGTERM. */
int least_wanted(int most);

/* They return when no more are wanted. */
void least_client_in_step(void);
void least_client_by_epoll(void);
void least_client_by_libuv(void);
/* They don't. */
void least_server_by_epoll(void);
void least_server_by_libuv(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines over TCP between a run and one of its agents: TLS 1.3 with a pre-shared key made from the
 * join token and a fresh key exchange (psk_dhe_ke), nothing else, so that both ends know each other
 * without certificates. A line is as base/line.h has it.
 *
 * struct channel is embedded by its owner, which frees itself in on_closed, the last of its events.
 * struct channel_loop is one per loop and outlives its channels. Everything runs on the loop, and
 * no event comes within a call of the owner's. What a peer can cost is bounded: a handshake of
 * OpenSSL's largest messages, a line, and CHANNEL_KEPT bytes of output that it doesn't read: a
 * segment that is lost holds back the lines of a checkpoint, which are some hundred.
 */
#ifndef SOAK_CHANNEL_CHANNEL_H
#define SOAK_CHANNEL_CHANNEL_H

#include "base/err.h"
#include "base/line.h"
#include "net/socket.h"
#include "token.h"

#include <stdbool.h>

#define CHANNEL_PROTOCOL "soak-agent/1"
enum { CHANNEL_WHY = 200, CHANNEL_KEPT = 1 << 20 };

struct channel;

struct channel_events {
    void (*on_open)(struct channel *c); /* the peer knows the token */
    void (*on_line)(struct channel *c, const char *line);
    /* It has ended, as `why` says; or "", after channel_close. */
    void (*on_closed)(struct channel *c, const char *why);
};

struct channel_loop {
    struct net_loop net;
    SSL_CTX *ctx; /* owned */
    bool serves;
    uint8_t key[TOKEN_KEY];
};

struct channel {
    struct net_socket socket; /* first */
    struct channel_loop *loop;
    const struct channel_events *events; /* borrowed: static */
    void *owner;                         /* borrowed */
    SSL *ssl;                            /* owned */
    struct line_reader reader;
    bool open;
    char why[CHANNEL_WHY];
};

/* Returns 0 or -1. `serves`: of the run, which is joined. */
int channel_loop_init(struct channel_loop *l, uv_loop_t *loop, const char *token, bool serves,
                      struct err *e);
void channel_loop_fini(struct channel_loop *l);

/* `events` and `owner` are set. A peer that the listener has; or, with a descriptor that may still
 * be on its way, a run. Return 0 or -1, with on_closed to come either way. */
int channel_accept(struct channel *c, struct channel_loop *l, uv_stream_t *listener);
int channel_connect(struct channel *c, struct channel_loop *l, int fd);
/* Sends one line (a newline is added; longer ones are cut). One that isn't open drops it. */
void channel_say(struct channel *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes that were said and haven't left yet. */
size_t channel_kept(const struct channel *c);
/* Closing twice is harmless. */
void channel_close(struct channel *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCP socket of an event loop, and what OpenSSL reads from it and writes to it. What OpenSSL
 * has written leaves with one call; what the kernel has no room for is kept and sent later. An
 * error is noted in `broken`: the owner asks for it when its turn ends.
 *
 * struct net_socket is embedded by a connection, which frees itself in on_closed. struct net_loop
 * is one per loop; it outlives its sockets. Everything runs on the loop; nothing blocks.
 */
#ifndef SOAK_NET_SOCKET_H
#define SOAK_NET_SOCKET_H

#include "tls/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { NET_IN_BYTES = 64 * 1024, NET_PLAIN_BYTES = 16 * 1024 };

struct net_socket;

/* What happens to a socket, as the owner of its loop wants to know it. */
struct net_events {
    void (*on_read)(struct net_socket *s, const uint8_t *bytes, size_t count);
    /* No more bytes will come: UV_EOF, or the error that ended it. */
    void (*on_ended)(struct net_socket *s, int why);
    /* Kept output has left, or couldn't: `status` is 0 or libuv's error. */
    void (*on_written)(struct net_socket *s, size_t count, int status);
    /* The last of all. */
    void (*on_closed)(struct net_socket *s);
};

struct net_loop {
    uv_loop_t *loop;                 /* borrowed */
    const struct net_events *events; /* borrowed: static */
    struct wire_out out;             /* of the socket being served; empty between turns */
    uint8_t in[NET_IN_BYTES];        /* what it has just received */
    uint8_t plain[NET_PLAIN_BYTES];  /* the owner's, for what TLS makes of it */
};

struct net_socket {
    uint32_t magic;
    int broken;      /* the libuv error that ended a write, or 0; the owner may note its own */
    unsigned writes; /* kept output under way */
    struct net_loop *net;
    struct wire wire;
    uv_tcp_t tcp;
};

/* Neither connected nor connecting: uv_accept, or net_connect. */
void net_init(struct net_socket *s, struct net_loop *net);
/* Takes `fd`, which may still be on its way. Returns 0 or libuv's error; then `fd` is closed. */
int net_connect(struct net_socket *s, int fd);
/* The descriptor, or -1 when there is none. */
int net_fd(const struct net_socket *s);

/* Each is harmless when it is so already. */
void net_read_start(struct net_socket *s);
void net_read_stop(struct net_socket *s);
/* libuv reports a reset right behind the last bytes as end of file; the socket still knows better.
 */
bool net_was_reset(const struct net_socket *s);

/* Sends what OpenSSL has written, and keeps what the kernel has no room for. Returns the bytes that
 * have left; the kept ones are on_written's. */
size_t net_flush(struct net_socket *s);
/* Sends it so that FIN leaves in the segment that carries its last bytes. What the kernel has no
 * room for is left to net_flush, and FIN to the owner. */
void net_flush_with_fin(struct net_socket *s);
/* Queues bytes behind what is kept already, never at once: on_written comes in a later turn of the
 * loop. No bytes: it comes when the connection stands. */
void net_keep(struct net_socket *s, const uint8_t *bytes, size_t count);
/* Ends our side: nothing must be kept. Returns 0 or -1. */
int net_half_close(struct net_socket *s);

/* Closes, by FIN or by RST; once. What is kept is dropped. */
void net_close(struct net_socket *s);
void net_reset(struct net_socket *s);
/* Closes without on_closed: `closed` comes instead. */
bool net_is_closed(const struct net_socket *s);

#endif

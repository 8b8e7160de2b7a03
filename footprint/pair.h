/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: a server's and a client's SSL object joined in memory, in one thread. Each step
 * of an end is announced to the meter, and each stage that it reaches.
 */
#ifndef SOAK_FOOTPRINT_PAIR_H
#define SOAK_FOOTPRINT_PAIR_H

#include "base/footprint_names.h"
#include "contexts.h"
#include "tls/wire.h"

struct pair_end {
    SSL *ssl; /* owned */
    struct wire wire;
    bool handshake_done, idle;
    size_t passed; /* bytes of the message: that the server has echoed, the client got back */
};

/* It stays where it is while open: its BIOs point into it. */
struct pair {
    struct contexts *contexts; /* borrowed */
    size_t payload;            /* bytes, at most LIMIT_FOOTPRINT_PAYLOAD */
    bool resume;               /* offer the client's session */
    bool resumed;              /* after pair_talk: by the server's word */
    struct pair_end end[FOOTPRINT_END_COUNT];
};

/* Makes both ends, the server's first. Returns 0 or -1; pair_free in both cases. */
int pair_open(struct pair *p, struct err *e);
/* The handshake and the echo, until both ends have nothing left to read. Returns 0 or -1. */
int pair_talk(struct pair *p, struct err *e);
/* The key exchange of the handshake, by the library's name for it: `x25519`. "" when it had none or
 * nobody says. After pair_talk; the meter is nobody's. Returns buf. */
char *pair_group(const struct pair *p, char *buf, size_t size);
/* The client's close_notify, then the server's. Returns 0 or -1. */
int pair_send_close_notify(struct pair *p, struct err *e);
/* Frees one end; nothing when that is done. */
void pair_free_end(struct pair *p, enum footprint_end end);
void pair_free(struct pair *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a connection is an ordinary one. By chance an ECDSA signature is a byte longer or
 * shorter, and so is the number in a TLS 1.3 ticket that hides its age, by which the ticket may
 * grow by a cipher block. A median over connections where that is a matter of heads or tails would
 * differ from run to run. So only connections are measured in which all of it has the commonest
 * length, by the messages that the server writes and reads.
 */
#ifndef SOAK_FOOTPRINT_ORDINARY_H
#define SOAK_FOOTPRINT_ORDINARY_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct ordinary {
    bool unusual;      /* some length isn't the commonest */
    int tickets, high; /* tickets, and those whose number takes the longer form */
    bool last_is_high;
};

/* Watches the connections of a server's context. `o` is borrowed: it outlives them. */
void ordinary_watch(struct ordinary *o, SSL_CTX *server);
/* A connection begins. */
void ordinary_begin(struct ordinary *o);
/* Whether the connection since then is one. */
bool ordinary_is(const struct ordinary *o);

#endif

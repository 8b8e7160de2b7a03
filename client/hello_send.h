/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks for recipes that send OpenSSL's own ClientHello in an unusual way: a part of it, in small
 * records, bit by bit, or larger than anyone would. The message stays as it was written, so that
 * the handshake succeeds when all of it is sent.
 */
#ifndef SOAK_CLIENT_HELLO_SEND_H
#define SOAK_CLIENT_HELLO_SEND_H

#include "peer.h"

/* `transmit`: the first half only. Counts the flights, for a recipe with a point. */
void hello_transmit_half(struct peer *p);
/* `transmit`: in records of a few bytes. */
void hello_transmit_fragments(struct peer *p);
/* `transmit` and `written`: in 32 writes, the first 24 of a byte each, with a turn of the loop
 * between two. Uses the peer's `own`. */
void hello_transmit_dribble(struct peer *p);
void hello_written_dribble(struct peer *p);
/* `transmit` and `tick`: a byte with each tick, and never the last. Uses the peer's `own`. */
void hello_transmit_slowly(struct peer *p);
enum step hello_tick_slowly(struct peer *p);
/* `prepare`: with 56 KiB of extensions for an OCSP responder, near the 64 KiB that all extensions
 * may take. Servers parse and keep them, whether they staple or not. */
int hello_prepare_huge(struct peer *p);

#endif

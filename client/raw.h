/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For recipes without TLS (`raw`): what the server answers is read as records that aren't
 * encrypted.
 */
#ifndef SOAK_CLIENT_RAW_H
#define SOAK_CLIENT_RAW_H

#include "peer.h"

/* The recipe's `arrived`: a fatal alert refuses the peer, a handshake message accepts it, which is
 * a failure; after anything else it waits for the server's close. Uses the peer's `own`. */
bool raw_arrived(struct peer *p, const uint8_t *bytes, size_t count);

/* A number below PEER_PAYLOAD_SPARE that differs from one connection to the next, for hooks that
 * do several things in turn. */
size_t raw_turn(const struct peer *p);

#endif

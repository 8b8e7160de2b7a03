/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dialogue in clear text before TLS (--starttls) of one connection: starttls/starttls.h knows
 * what is said, this what becomes of the peer. While it lasts the peer has a `starttls`; then it
 * begins what it would have begun at once.
 */
#ifndef SOAK_CLIENT_PEER_STARTTLS_H
#define SOAK_CLIENT_PEER_STARTTLS_H

#include "peer.h"

/* TCP is on its way. */
void peer_starttls_begin(struct peer *p);
/* Bytes have arrived. */
void peer_starttls_received(struct peer *p, const uint8_t *bytes, size_t count);
/* The server has ended the connection: whether that is all right for this recipe. Then the peer is
 * closed. */
bool peer_starttls_ended(struct peer *p);

#endif

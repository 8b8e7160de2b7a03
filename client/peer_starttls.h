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
enum step peer_starttls_begin(struct peer *p);
/* Bytes have arrived. ON: the dialogue is over, and TLS begins. */
enum step peer_starttls_received(struct peer *p, const uint8_t *bytes, size_t count);
/* Whether the server may end the connection now, as this recipe wants it. */
bool peer_starttls_may_end(const struct peer *p);

#endif

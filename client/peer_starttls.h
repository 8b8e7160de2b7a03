/*
 * The dialogue in clear text before TLS (--starttls) of one connection: prelude/prelude.h knows
 * what is said, this what becomes of the peer. While it lasts the peer has a `prelude`; then it
 * begins what it would have begun at once.
 */
#ifndef SOAK_CLIENT_PEER_PRELUDE_H
#define SOAK_CLIENT_PEER_PRELUDE_H

#include "peer.h"

/* TCP is on its way. */
void peer_prelude_begin(struct peer *p);
/* Bytes have arrived. */
void peer_prelude_received(struct peer *p, const uint8_t *bytes, size_t count);
/* The server has ended the connection: whether that is all right for this recipe. Then the peer is
 * closed. */
bool peer_prelude_ended(struct peer *p);

#endif

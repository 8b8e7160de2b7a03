/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer and the server say to each other: the dialogue in clear text before TLS (--starttls),
 * of which starttls/starttls.h knows the words; then within TLS the handshake, the message and its
 * echo or answer (talk.h), what the recipe or an operation adds, the server's close_notify.
 */
#ifndef SOAK_CLIENT_EXCHANGE_H
#define SOAK_CLIENT_EXCHANGE_H

#include "peer.h"

/* Goes as far as the bytes in the socket's wire allow, in whatever state the connection is. */
enum step exchange(struct peer *p);

/* The peer's turn that comes by time (about every 100 ms). */
enum step exchange_tick(struct peer *p);

/* The dialogue before TLS, while the peer has a `starttls`. */

/* TCP is on its way. */
enum step exchange_starttls_begin(struct peer *p);
/* Bytes have arrived. ON: the dialogue is over, and TLS begins. */
enum step exchange_starttls_received(struct peer *p, const uint8_t *bytes, size_t count);
/* Whether the server may end the connection now, as this recipe wants it. */
bool exchange_starttls_may_end(const struct peer *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on a held connection: what is done again and again while it stays. Each ends with the
 * message echoed once more, or with what the server was asked for, so that its end is certain; then
 * shared->on_operated is the peer's event. What fails ends the peer, as a failure.
 *
 * Runs in the peer's turn, as peer_tls.c does.
 */
#ifndef SOAK_CLIENT_OPERATE_H
#define SOAK_CLIENT_OPERATE_H

#include "peer.h"

/* Begins one. Needs a peer that is held and not under an operation. */
void operate_begin(struct peer *p, enum operation operation);
/* Goes as far as what has arrived allows; harmless when there is none under way. Before the turn's
 * message is sent and its bytes are read. */
void operate_advance(struct peer *p);
/* Takes data that isn't the echo of the message. False: it is none of the operation's. */
bool operate_heard(struct peer *p, const uint8_t *bytes, size_t count);
/* Whether the message is to be sent. */
bool operate_sends(const struct peer *p);
/* Whether it has come to its end in this turn. May end the peer. */
bool operate_is_over(struct peer *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on a held connection: what is done again and again while it stays. Each ends with the
 * message echoed once more, or with what the server was asked for, so that its end is certain. What
 * fails ends the peer, as a failure.
 */
#ifndef SOAK_CLIENT_OPERATE_H
#define SOAK_CLIENT_OPERATE_H

#include "peer.h"

/* Begins one. Needs a peer that is held and not under an operation. */
enum step operate_begin(struct peer *p, enum operation operation);
/* Goes as far as what has arrived allows; harmless when there is none under way. Before the turn's
 * message is sent and its bytes are read. */
enum step operate_advance(struct peer *p);
/* Takes what the server answers to a request for a ticket. */
enum step operate_heard(struct peer *p, const uint8_t *bytes, size_t count);
/* Whether the message is to be sent. */
bool operate_sends(const struct peer *p);
/* Whether the one under way has come to its end in this turn. */
enum step operate_conclude(struct peer *p);

#endif

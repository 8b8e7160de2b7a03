/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Early data (RFC 8446 2.3): the message, or as much of it as is allowed, goes with the
 * ClientHello. When the server takes it, its echo comes as ever; when it doesn't, the message is
 * sent again after the handshake.
 */
#ifndef SOAK_CLIENT_RESUME_EARLY_H
#define SOAK_CLIENT_RESUME_EARLY_H

#include "peer.h"

/* Hooks `prepare`. Without a session that allows it none is sent. */
int early_prepare(struct peer *p);
/* With a session whose age is wrong by half a minute, and allowance for more than there is. */
int early_prepare_stale(struct peer *p);
/* Each session twice. */
int early_prepare_replay(struct peer *p);
/* Hook `on_handshake_done`. */
void early_on_handshake_done(struct peer *p);

#endif

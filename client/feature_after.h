/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks for what is done between the echoed message and being held: KeyUpdates, renegotiations, and
 * what the server is asked to do by its requests (docs/reference/protocol.md). `repeats` of the
 * recipe says how often.
 */
#ifndef SOAK_CLIENT_FEATURE_AFTER_H
#define SOAK_CLIENT_FEATURE_AFTER_H

#include "peer.h"

/* `work` and `heard`: the server is asked for updates, tickets, a certificate or renegotiations,
 * and says when it has them. */
bool feature_after_request(struct peer *p);
void feature_after_answered(struct peer *p, const uint8_t *bytes, size_t count);

/* `work` and `heard`: our KeyUpdate, which asks for the server's, and a message that comes back
 * under the new keys. */
bool feature_after_update(struct peer *p);
void feature_after_updated(struct peer *p, const uint8_t *bytes, size_t count);

/* `prepare`: TLS 1.2 only; and the same with a large request for a stapled status. */
int feature_after_prepare_tls12(struct peer *p);
int feature_after_prepare_status(struct peer *p);
/* `work`: handshakes that we begin. What comes meanwhile is an error. */
bool feature_after_renegotiate(struct peer *p);

/* `prepare`: TLS 1.3 only. */
int feature_after_prepare_tls13(struct peer *p);
/* `unable` of tickets that are asked for. */
const char *feature_after_no_tickets(void);

#endif

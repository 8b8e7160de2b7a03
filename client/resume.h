/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection offers to the server to resume: a session of the loop's store, as it is or
 * spoiled. All are hooks of recipes (`prepare`): they return 0, or -1 when it can't be offered.
 * With an empty store nothing is offered, and the handshake is a full one: it brings a session.
 */
#ifndef SOAK_CLIENT_RESUME_H
#define SOAK_CLIENT_RESUME_H

#include "peer.h"

/* Offers `der`, which stays the caller's; NULL offers nothing. */
int offer_der(struct peer *p, const struct session_der *der);

/* The oldest. */
int offer_oldest(struct peer *p);
/* The same, where the server is to refuse it, so it stays in the store. */
int offer_to_be_refused(struct peer *p);
/* The same with another key in it, so that its binder is wrong (RFC 8446 4.2.11.2). */
int offer_without_key(struct peer *p);
/* The first of all, whether or not the server still knows it, and nothing in turn: a resumed
 * session fills no cache. */
int offer_ancient_or_none(struct peer *p);
/* The first of all, after it has expired at the server, presented as still valid. */
int offer_expired(struct peer *p);
/* Alternately the newest and the first of all. */
int offer_newest_or_ancient(struct peer *p);
/* The oldest, with one bit flipped in its ticket, or in its ID if there is no ticket. */
int offer_spoiled(struct peer *p);

/*
 * Early data (RFC 8446 2.3): the message, or as much of it as is allowed, goes with the
 * ClientHello. When the server takes it, its echo comes as ever; when it doesn't, the message is
 * sent again after the handshake.
 */

/* Hooks `prepare`. Without a session that allows it none is sent. */
int early_prepare(struct peer *p);
/* With a session whose age is wrong by half a minute, and allowance for more than there is. */
int early_prepare_stale(struct peer *p);
/* Each session twice. */
int early_prepare_replay(struct peer *p);
/* Hook `on_handshake_done`. */
void early_on_handshake_done(struct peer *p);

#endif

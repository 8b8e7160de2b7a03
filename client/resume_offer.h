/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection offers to the server to resume: a session of the loop's store, as it is or
 * spoiled. All are hooks of recipes (`prepare`): they return 0, or -1 when it can't be offered.
 * With an empty store nothing is offered, and the handshake is a full one: it brings a session.
 */
#ifndef SOAK_CLIENT_RESUME_OFFER_H
#define SOAK_CLIENT_RESUME_OFFER_H

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
/* The first of all, when its time is over at the server, as if it weren't. */
int offer_expired(struct peer *p);
/* The newest and the first of all in turn. */
int offer_newest_or_ancient(struct peer *p);
/* The oldest with a bit of its ticket turned over, or of its ID where there is no ticket. */
int offer_spoiled(struct peer *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaving: a held connection as its recipe says, and one that is cut at a point of its handshake.
 */
#ifndef SOAK_CLIENT_LEAVE_H
#define SOAK_CLIENT_LEAVE_H

#include "peer.h"

/* Leaves a held connection. Reports nothing but `gone`. */
enum step leave_held(struct peer *p);
/* For recipes with a point: counts the flights about to be sent, and holds back what lies beyond
 * the point. */
void leave_transmit(struct peer *p);
/* Whether the point of a recipe with one is reached. */
bool leave_is_due(const struct peer *p);
/* Leaves there, or stalls. */
enum step leave_at_point(struct peer *p);
/* Whether the message isn't to be sent: the point comes before it. */
bool leave_is_silent(const struct peer *p);

#endif

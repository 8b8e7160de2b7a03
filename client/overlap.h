/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that resume one session at the same time: a group of them offers it, and each holds
 * its second flight back until all have had the server's first. Then those act that break the
 * session (a damaged Finished, a reset), and once they are gone the others go on. A group that
 * doesn't fill up goes on after a tick or two, so no one waits for long.
 *
 * A group lives as long as it has members; the loop's peers share the one that gathers.
 */
#ifndef SOAK_CLIENT_OVERLAP_H
#define SOAK_CLIENT_OVERLAP_H

#include "peer.h"

/* Hooks of the three recipes; with an empty store there is no group, and no one waits. */
int overlap_prepare(struct peer *p);
int overlap_prepare_spoiler(struct peer *p);
void overlap_transmit(struct peer *p);
void overlap_transmit_corrupt(struct peer *p);
void overlap_transmit_abort(struct peer *p);
enum step overlap_tick(struct peer *p);
void overlap_gone(struct peer *p);

#endif

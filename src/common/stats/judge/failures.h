/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections that failed against their intent do to a run: the one place for the shares.
 * Pure.
 */
#ifndef SOAK_STATS_FAILURES_H
#define SOAK_STATS_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

/* More than one in a hundred: such a run proves nothing but a leak. `tried` are all connections
 * that came to an end of their handshake, these among them. */
bool failures_many(uint64_t failed, uint64_t tried);

/* Nearly all fail, and those still to come, of `expected` in all, can't make up for it: they would
 * be many even if no other did. A few at the begin, such as those of a server that warms up, don't
 * decide. */
bool failures_decide(uint64_t failed, uint64_t tried, uint64_t expected);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the ports of one address are enough: IPv6 has one loopback address. */
#ifndef SOAK_PORTS_H
#define SOAK_PORTS_H

#include "scenario/scenario.h"

/* Refuses a rate at which a server on [::1] would leave more ports in TIME_WAIT than there are,
 * where the kernel doesn't take them again. Returns 0 or -1. */
int ports_check(const struct scenario *s, struct err *e);
/* The rule itself: `ports` in all, `reused` within a second; `per_s` 0 is as fast as possible. */
bool ports_suffice(double per_s, uint64_t conns, long ports, bool reused);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures the footprint of a connection: starts soak-footprint, reads what it says, and gives the
 * sites the names of their functions while the process still stands. On a loop of its own; returns
 * when the process has gone.
 */
#ifndef SOAK_FOOTPRINT_H
#define SOAK_FOOTPRINT_H

#include "report/footprint.h"
#include "scenario/scenario.h"

/* Which soak-footprint is started, and how. All is the caller's. */
struct footprint_launch {
    const char *folder;       /* that holds it */
    char *const *environment; /* NULL: soak's own */
    const char *log_path;     /* that its stderr is appended to; NULL: it is dropped */
};
/* What the scenario has and soak-footprint hasn't is no error: `left_out` names it. Silence for the
 * scenario's `watchdog` ends it. Returns 0 (footprint_free), UV_EINTR when one of the signals that
 * end soak came, or -1. */
int footprint_measure(const struct footprint_launch *launch, const struct scenario *s,
                      struct footprint *ret, struct err *e);

/* The options of the scenario that soak-footprint hasn't: "alpn, sni"; "" when there are none. Cut
 * after a whole name. Returns buf. */
char *footprint_left_out(const struct scenario *s, char *buf, size_t size);

#endif

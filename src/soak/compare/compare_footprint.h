/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The footprint of a run's document: allocations of one handshake and bytes held, exact.
 */
#ifndef SOAK_COMPARE_FOOTPRINT_H
#define SOAK_COMPARE_FOOTPRINT_H

#include "base/err.h"
#include "compare_set.h"

#include "report/footprint.h"

struct compare_footprint {
    uint64_t conns;             /* 0: there is none */
    struct compare_site *site;  /* owned by the caller */
    size_t sites, server_sites; /* those of the server come first */
    const char *group;          /* of the key exchange; NULL: not known */
};

/* Takes it (NULL: none) into the run's exact rows and the sites of both ends. Returns 0, or -1 with
 * nothing to free. */
int compare_footprint_take(struct compare_set *s, const struct footprint *f,
                           struct compare_run *run, struct compare_footprint *ret, struct err *e);

#endif

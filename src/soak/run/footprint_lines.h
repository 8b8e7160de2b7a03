/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of soak-footprint (docs/reference/protocol.md) as a struct footprint. Every line comes
 * from another process and is checked: the words, the numbers, that each comes once, that none is
 * missing at the end. Pure but for memory.
 */
#ifndef SOAK_FOOTPRINT_LINES_H
#define SOAK_FOOTPRINT_LINES_H

#include "report/footprint.h"

struct footprint_lines {
    struct footprint footprint; /* owned */
    /* A return address in the function of each site, 0 where it isn't known. Owned. */
    uint64_t *caller[FOOTPRINT_END_COUNT];
    unsigned int ends, stages[FOOTPRINT_END_COUNT]; /* those that have come, a bit each */
    bool measured, done;
};

void footprint_lines_init(struct footprint_lines *l);
/* What it still owns. */
void footprint_lines_fini(struct footprint_lines *l);

/* Takes one line. Returns 0, or -1 with a sentence; nothing more may be added then. After `done`
 * the footprint is whole, but that no site has the name of its function. */
int footprint_lines_add(struct footprint_lines *l, const char *line, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes on in a program of which nothing is asked: a few words from two looks at it. Pure.
 */
#ifndef SOAK_EVIDENCE_MOVING_H
#define SOAK_EVIDENCE_MOVING_H

#include "page/snapshot.h"

struct moving_look {
    const struct snapshot *snapshot;
    uint64_t cpu_ns, at_ns;
};

/* `120 blocks were made and 118 freed in 2.5 s; live at crypto/bio.c:10 +2`, the sites that moved
 * most first; `it wants 37 % of a processor` when none did. Returns buf. */
char *moving_text(const struct moving_look *before, const struct moving_look *after, char *buf,
                  size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many operations an epoch of held connections may still begin, and whether it is over. Pure:
 * no clock, no I/O; one owner. An epoch of M operations does exactly M of them: one that fails with
 * its connection is made up for by another.
 */
#ifndef SOAK_CLIENT_ROUNDS_H
#define SOAK_CLIENT_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct rounds {
    uint64_t left;      /* may still be begun */
    uint64_t under_way; /* begun and not over */
    bool finishing;
};

/* An epoch of `operations`. Needs none under way. */
void rounds_start(struct rounds *r, uint64_t operations);
/* Whether one may be begun. */
bool rounds_spare(const struct rounds *r);
void rounds_begin(struct rounds *r); /* needs rounds_spare */
void rounds_done(struct rounds *r);
void rounds_failed(struct rounds *r);
/* No more are begun. */
void rounds_finish(struct rounds *r);
/* All are done. */
bool rounds_over(const struct rounds *r);

#endif

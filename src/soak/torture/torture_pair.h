/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server and a client whose allocations can be made to fail: started together, restarted when one
 * of them has died. One loop, driven by pair_wait: a step is asked for, then waited for, always
 * with a bound. The pages are new at each start, so both count their connections from 0.
 */
#ifndef SOAK_TORTURE_PAIR_H
#define SOAK_TORTURE_PAIR_H

#include "archive/run_dir.h"
#include "guard.h"
#include "scenario/scenario.h"
#include "subject/subject.h"
#include "symbol/symbol.h"

#include <stdbool.h>
#include <uv.h>

enum { PAIR_SERVER, PAIR_CLIENT, PAIR_SIDES };

struct pair {
    /* The owner's, borrowed. */
    const struct scenario *scenario;
    const struct programs *programs;
    struct run_dir *dir;
    uint64_t seed;

    struct subjects subjects; /* in the order of the sides */
    uv_timer_t tick;
    struct interrupts interrupts;
    bool ready[PAIR_SIDES];
    bool quiet;       /* the client has said so since the last order */
    unsigned flushed; /* a bit per side that has no sessions any more, since the last order */
    bool settled;     /* both have answered the last order to settle */
    bool interrupted, running;
    struct symbols *symbols[PAIR_SIDES]; /* owned; opened when first asked for */
};

enum pair_end {
    PAIR_DONE,       /* what was waited for has come */
    PAIR_LATE,       /* it hasn't, in time */
    PAIR_DIED,       /* a child has ended */
    PAIR_INTERRUPTED /* struct interrupts, guard.h */
};

typedef bool (*pair_fn)(const struct pair *p);

/* The owner's fields are set, the others 0. Returns 0 or -1. */
int pair_init(struct pair *p, struct err *e);
/* Starts both. They have answered `ready` when it returns 0. */
int pair_start(struct pair *p, struct err *e);
/* Ends both, by word or by force, and waits for it. Harmless when none runs. */
void pair_stop(struct pair *p);
void pair_fini(struct pair *p);

/* Runs the loop until `done` says so, which is asked again at least every millisecond. */
enum pair_end pair_wait(struct pair *p, pair_fn done, uint64_t limit_ms);
/* Tells the client to open `opens` connections of the behaviour, one by one, and waits until each
 * is gone on both sides. */
enum pair_end pair_connections(struct pair *p, size_t behaviour, uint64_t opens, uint64_t limit_ms);
/* Empties the server's caches, and with them the client's sessions. */
enum pair_end pair_flush(struct pair *p, uint64_t limit_ms);
/* Makes sure that everything before it has been done by every thread of both sides. */
enum pair_end pair_settle(struct pair *p, uint64_t limit_ms);
/* The names of one side's code addresses; NULL when they can't be known. */
struct symbols *pair_symbols(struct pair *p, int side);

#endif

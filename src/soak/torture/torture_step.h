/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of which one allocation fails, and what became of it: how the connection ended,
 * and what stays on either side once it is gone. The ledger before it is what the step before it
 * left.
 */
#ifndef SOAK_TORTURE_STEP_H
#define SOAK_TORTURE_STEP_H

#include "base/names.h"
#include "torture_ledger.h"
#include "torture_pair.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(ENUM, name in JSON) */
#define STEP_OUTCOME_LIST(X)                                                                       \
    X(STEP_WENT_ON, "went-on") /* the connection did all that it was to do */                      \
    X(STEP_FAILED, "failed")   /* it failed, and both sides ended it */                            \
    X(STEP_HUNG, "hung")       /* one side waited for the other until the client gave up */        \
    X(STEP_STUCK, "stuck")     /* a side answered no more at all; both have been ended */          \
    X(STEP_CRASHED, "crashed") /* a side died; both have been ended */                             \
    X(STEP_INTERRUPTED, "interrupted") /* by the user: the rest isn't known */

enum step_outcome { STEP_OUTCOME_LIST(ENUM_ID) };

/* Return addresses, innermost first. */
struct step_stack {
    size_t frames;
    uint64_t frame[PAGE_STACK_FRAMES];
};

struct step {
    enum step_outcome outcome;
    uint64_t asked; /* allocations of the connection on the side of the plan */
    bool hit;       /* the allocation was asked for, and failed; the next four tell which */
    char file[PAGE_FILE_BYTES];
    uint32_t line;
    uint64_t size;
    struct step_stack stack;
    int end_side; /* STEP_CRASHED, STEP_STUCK: who. The next two tell how and where */
    int signal;   /* 0: it exited */
    struct step_stack end_stack;
    struct kept kept[PAIR_SIDES]; /* nothing unless both sides live */
};

struct bench {
    struct pair pair;
    struct snapshot before[PAIR_SIDES]; /* owned */
};

/* Takes the ledger as the one before the first step. Returns 0 or -1. */
int bench_begin(struct bench *b, struct err *e);
/* Frees the ledgers; the pair stays. */
void bench_end(struct bench *b);

/* Whose allocation fails in a connection of which behaviour. `nth` 0: nothing fails, the
 * allocations are only counted. */
struct step_plan {
    int side;
    size_t behaviour;
    uint64_t nth;
};
/* With an outcome of STEP_STUCK or STEP_CRASHED the pair runs no more. Returns 0, or -1 when the
 * page can't be read. */
int step_run(struct bench *b, const struct step_plan *plan, struct step *ret, struct err *e);

#endif

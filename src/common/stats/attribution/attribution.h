/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which behaviour loses how much: the exact growth of each judged epoch against the exact number of
 * connections of each behaviour in it is a linear system. Pure: no clock, no I/O, heap only inside
 * the call. docs/decision.md, "Which behaviour", says what is concluded from it.
 *
 * Two systems are tried, because a block is stamped with the epoch of its allocation: connections
 * by the epoch in which they began (what is allocated at accept) and by the epoch in which they
 * ended (what is allocated on leaving). The one that fits is taken.
 */
#ifndef SOAK_STATS_ATTRIBUTION_H
#define SOAK_STATS_ATTRIBUTION_H

#include "base/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BEHAVIOURS_MAX = 64, BEHAVIOURS_EPOCHS = 64 };

/* Standard errors to either side that hold 99.9 %, as everywhere in the judge. */
#define BEHAVIOURS_LIMITS 3.2905

/* An innocent behaviour surely loses less than this part of what the least guilty one does. */
#define BEHAVIOURS_NO_LOSS 0.1

/* X(ENUM, word in JSON) */
#define BEHAVIOUR_VERDICT_LIST(X)                                                                  \
    X(BEHAVIOUR_UNSURE, "unsure")                                                                  \
    X(BEHAVIOUR_GUILTY, "guilty")                                                                  \
    X(BEHAVIOUR_INNOCENT, "innocent")

/* X(ENUM, word in JSON) */
#define BEHAVIOURS_OUTCOME_LIST(X)                                                                 \
    X(BEHAVIOURS_NONE, "none")              /* nothing grows, or nothing is known */               \
    X(BEHAVIOURS_SINGLE, "single")          /* all connections behave alike */                     \
    X(BEHAVIOURS_ALIKE, "alike")            /* every behaviour loses the same */                   \
    X(BEHAVIOURS_APART, "apart")            /* told apart: see the shares */                       \
    X(BEHAVIOURS_UNTOLD, "untold")          /* too few epochs or losses to tell them apart */      \
    X(BEHAVIOURS_TOGETHER, "not-separable") /* no sum over the behaviours explains the growth */

enum behaviour_verdict { BEHAVIOUR_VERDICT_LIST(ENUM_ID) };
enum behaviours_outcome { BEHAVIOURS_OUTCOME_LIST(ENUM_ID) };

/* One judged epoch. */
struct behaviours_epoch {
    const uint64_t *begun, *ended; /* [count]: connections by behaviour; borrowed */
    int64_t blocks, bytes;         /* survivors born in it */
};

struct behaviours_question {
    size_t count; /* behaviours, at most BEHAVIOURS_MAX */
    size_t epochs;
    const struct behaviours_epoch *epoch;
    double deviation; /* the sum of the sites' behaviours_deviation; 0: not known */
    bool unlike;      /* one of them is many places: its losses may have any number of blocks */
    bool begun_only;  /* for the tests: don't try the other system */
};

struct behaviours_share {
    uint64_t connections; /* in the judged epochs; 0: the behaviour has no part in the system */
    double blocks, bytes; /* per connection */
    double blocks_error, bytes_error; /* of one standard deviation; 0 when exact */
    enum behaviour_verdict verdict;
};

struct behaviours_answer {
    enum behaviours_outcome outcome;
    size_t count;
    struct behaviours_share share[BEHAVIOURS_MAX];
    bool exact;     /* whole numbers that give the growth of every epoch to the block and byte */
    bool by_end;    /* connections are counted by the epoch in which they ended */
    bool sparse;    /* fewer epochs than behaviours: the one behaviour that fits all of them */
    int freedom;    /* epochs beyond those that the system needs: what can contradict it */
    double scatter; /* variance over mean of the losses: 1 for single blocks lost at random */
    double residual_blocks, residual_bytes; /* the largest of any epoch */
    double chance; /* that losses at random leave so large residuals; 1 when there is no freedom */
};

/* More than this it surely (99.9 %) doesn't lose. */
static inline double behaviours_at_most(const struct behaviours_share *s)
{
    return (s->blocks > 0 ? s->blocks : 0) + BEHAVIOURS_LIMITS * s->blocks_error;
}

/* The standard deviation of what a site has lost in all epochs, by its growth in each. */
double behaviours_deviation(const int64_t *blocks, size_t epochs);
/* Fills `ret` entirely. */
void behaviours_solve(const struct behaviours_question *q, struct behaviours_answer *ret);

/* Some behaviour is guilty, and another isn't: only then is there something to confirm. */
bool behaviours_tell(const struct behaviours_answer *a);

/* What the answer says an epoch of these connections keeps, and how far off chance may put it (99.9
 * %; 0 when exact). */
struct behaviours_forecast {
    double blocks, bytes, blocks_off;
};
struct behaviours_forecast behaviours_forecast(const struct behaviours_answer *a,
                                               const uint64_t *begun, const uint64_t *ended);

/* An epoch made to confirm what was solved, and what it should keep by the solution. */
struct behaviours_confirm {
    uint64_t connections, guilty; /* all, and those of a guilty behaviour */
    int64_t blocks, bytes;
    struct behaviours_forecast predicted;
    bool agrees;
};
/* How many losses so many blocks are, by the answer. */
double behaviours_losses(const struct behaviours_answer *a, double blocks);
/* Both agree with the solution, and a connection of the first surely (99.9 %) keeps more than one
 * of the second: else they would agree with another one, too. */
bool behaviours_confirmed(const struct behaviours_answer *a, const struct behaviours_confirm *alone,
                          const struct behaviours_confirm *without);

#endif

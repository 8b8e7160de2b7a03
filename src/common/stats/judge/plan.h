/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which epoch comes next, and how long a run must be for the sensitivity that is asked of it. Pure:
 * the orchestrator tells what happened, the plan answers what to do.
 * Warm-up ends by observation; epochs after it are n, 2n, 4n, ... up to an eighth of the run, then
 * equal; a hold when the judge asks for one; when a leak was told to come from some behaviours, an
 * epoch of these alone and one without them; a turnover so that every measured connection closes;
 * the drain.
 */
#ifndef SOAK_STATS_PLAN_H
#define SOAK_STATS_PLAN_H

#include "reach.h"
#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run's sensitivity if none is asked for. How often a bounded run replaces, or operates on, each
 * open connection at the very least: a verdict needs epochs whose connections have all gone, and
 * operations or reloads that later ones have followed. */
enum { PLAN_ONE_IN = 1000, PLAN_TURNOVERS = 4, PLAN_ROUNDS = 8 };

/* A reload takes a good part of a second, and what leaks by reloads does so by nearly each. */
enum { PLAN_ONE_IN_RELOADS = 5 };

enum plan_step {
    PLAN_WARM,            /* churn `opens`, not judged */
    PLAN_MEASURE,         /* churn `opens` */
    PLAN_CONFIRM_ALONE,   /* churn `opens` of the guilty behaviours only; not judged */
    PLAN_CONFIRM_WITHOUT, /* churn `opens` of all but them; not judged */
    PLAN_HOLD,            /* no churn for `hold_ms` */
    PLAN_TURNOVER,        /* churn `opens` (just over the stable set): everything older closes */
    PLAN_PROFILE,         /* churn `opens` while the heap is profiled: twice, not judged */
    PLAN_DRAIN            /* close all: the run's end */
};

struct plan_input {
    uint64_t conns;       /* of reloads 1: the configuration is what is held */
    double rate_per_s;    /* asked; 0 = max */
    uint64_t closed;      /* bound: connections in all, warm-up included; 0 = not given */
    uint64_t for_ms;      /* bound: time; 0 = not given */
    uint64_t epoch_opens; /* connections that no epoch may have fewer of; 0 = as it comes */
    enum unit unit; /* what takes the place of connections: of operations, each epoch of the warm-up
                     * does one on all that are held */
    uint64_t expected; /* entries of a cache, beyond which a run without a bound goes; 0 = none */
    uint64_t one_in; /* sensitivity asked for; 0 = plan_one_in. A run without a bound reaches it */
    bool until_sure; /* no longer than that takes and than the judge is in doubt; `for_ms` is a
                      * limit then */
    bool early_stop; /* end once a LEAK is certain */
    uint64_t hold_most_ms; /* a server may close what it is idle for longer; 0 = it doesn't */
    size_t behaviours;     /* that connections may have, to be told apart; 0 and 1 are the same */
    uint64_t threads;      /* that serve them, as far as is known: see struct reach */
};

struct plan {
    struct plan_input in;
    uint64_t
        need; /* connections to measure for the sensitivity asked for; 0 with a bound in them */
    uint64_t unit;  /* n */
    uint64_t total; /* connections the run aims at, warm-up included */
    int warm_epochs, measured_epochs;
    int extra_epochs;        /* beyond the total, because the judge was undecided */
    uint64_t measured_opens; /* in all measured epochs */
    uint64_t next_opens;     /* of the next measured epoch, before any bound */
    int profiled;            /* steps of the heap's profile */
    int confirms;            /* steps of the confirmation so far */
    int makes_up;            /* epochs after a turnover, as what was judged fell short */
    bool held, held_long, measured_out, turned_over, drained;
};

/* What the orchestrator has seen up to the last checkpoint. */
struct plan_seen {
    uint64_t opened;           /* connections since start */
    uint64_t elapsed_ms;       /* since the churn began */
    int64_t ledger_blocks[3];  /* of the subject at the last three checkpoints, newest first */
    uint64_t ledger_opened[3]; /* `opened` at those checkpoints */
    int checkpoints;           /* how many of the three are filled (0..3) */
    bool wants_hold, wants_more, certain; /* the judge's words */
    uint64_t hold_ms;                     /* ... and how much longer a hold it lacks at the end */
    bool suspects_heap; /* it may come to a profile: room for it is kept in a bounded run, if a
                         * quarter of it is enough */
    bool wants_profile; /* the heap grows outside OpenSSL: its stacks are wanted */
    bool
        falls_short; /* nothing leaks, and what is judged doesn't reach the sensitivity asked for */
    uint64_t threads; /* that the judge knows to serve the connections */
    bool untold;      /* a leak whose behaviours more epochs could tell apart */
    bool wants_confirm;
    uint64_t confirm_opens; /* of each of its two epochs */
    bool interrupted;       /* SIGINT: go to the end by the shortest way */
};

struct plan_action {
    enum plan_step step;
    uint64_t opens;
    uint64_t hold_ms;
};

/* The sensitivity of a run that isn't asked for any. */
static inline uint64_t plan_one_in(enum unit unit)
{
    return unit == UNIT_RELOAD ? PLAN_ONE_IN_RELOADS : PLAN_ONE_IN;
}
void plan_init(struct plan *p, const struct plan_input *in);
/* Decides and records the next step. After PLAN_DRAIN it must not be called again. */
struct plan_action plan_next(struct plan *p, const struct plan_seen *seen);
/* Connections that a run measures so that a block lost once per `one_in` of them would have shown
 * with 99.9 %, spread over so many threads (0: not known, as 1); and how many it takes at the very
 * least, by one thread, with halves that are exactly equal. */
uint64_t plan_measured_for(uint64_t one_in, uint64_t threads);
uint64_t plan_least_for(uint64_t one_in);
/* What a run without a bound measures: that many, over its threads, and beyond its cache. */
uint64_t plan_unbounded(const struct plan_input *in);
/* The smallest bound (`closed`, warm-up and turnover included; two digits from 1,000 on) with which
 * a run that is otherwise as `in` says surely measures enough for that sensitivity, however its
 * warm-up ends and whatever its heap does. `in`'s own bounds don't matter. For 1/1 it is the bound
 * that gives a run any sensitivity at all. */
uint64_t plan_closed_for(const struct plan_input *in, uint64_t one_in);
/* What a leak would have made of its warm-up, which has ended, and of what it measures then: at the
 * pace reached so far where its bound is in time. */
void plan_warm_up(const struct plan *p, uint64_t opened, uint64_t elapsed_ms,
                  struct reach_warm_up *ret);
/* Connections in all that the run comes to at the pace reached, its bounds counted. */
uint64_t plan_expected(const struct plan *p, uint64_t opened, uint64_t elapsed_ms);
/* Milliseconds until then at the pace reached; `opened` isn't 0. Those that the open connections
 * are begun with count as all others do, though nothing closes meanwhile. */
double plan_left_ms(const struct plan *p, uint64_t opened, uint64_t elapsed_ms);
/* About how many epochs the whole run has, for the display ("epoch 4 of 6"). */
int plan_epochs_estimate(const struct plan *p);

#endif

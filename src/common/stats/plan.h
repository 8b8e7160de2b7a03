/*
 * Which epoch comes next. Pure: the orchestrator tells what happened, the plan answers what to do.
 * Warm-up ends by observation; epochs after it are n, 2n, 4n, ... up to an eighth of the run, then
 * equal; a hold when the judge asks for one; when a leak was told to come from some behaviours, an
 * epoch of these alone and one without them; a turnover so that every measured connection closes;
 * the drain.
 */
#ifndef SOAK_STATS_PLAN_H
#define SOAK_STATS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_step {
    PLAN_WARM,            /* churn `opens`, not judged */
    PLAN_MEASURE,         /* churn `opens` */
    PLAN_CONFIRM_ALONE,   /* churn `opens` of the guilty behaviours only; not judged */
    PLAN_CONFIRM_WITHOUT, /* churn `opens` of all but them; not judged */
    PLAN_HOLD,            /* no churn for `hold_ms` */
    PLAN_TURNOVER,        /* churn `opens` (just over the stable set): everything older closes */
    PLAN_DRAIN            /* close all: the run's end */
};

struct plan_input {
    uint64_t conns;
    double rate_per_s; /* asked; 0 = max */
    uint64_t closed;   /* bound: connections in all, warm-up included; 0 = not given */
    uint64_t for_ms;   /* bound: time; 0 = not given */
    bool early_stop;   /* end once a LEAK is certain */
    size_t behaviours; /* that connections may have, to be told apart; 0 and 1 are the same */
};

struct plan {
    struct plan_input in;
    uint64_t unit;  /* n */
    uint64_t total; /* connections the run aims at, warm-up included */
    int warm_epochs, measured_epochs;
    int extra_epochs;        /* beyond the total, because the judge was undecided */
    uint64_t measured_opens; /* in all measured epochs */
    uint64_t next_opens;     /* of the next measured epoch, before any bound */
    bool held, measured_out, turned_over, drained;
    int confirms; /* steps of the confirmation so far */
};

/* What the orchestrator has seen up to the last checkpoint. */
struct plan_seen {
    uint64_t opened;           /* connections since start */
    uint64_t elapsed_ms;       /* since the churn began */
    int64_t ledger_blocks[3];  /* of the subject at the last three checkpoints, newest first */
    uint64_t ledger_opened[3]; /* `opened` at those checkpoints */
    int checkpoints;           /* how many of the three are filled (0..3) */
    bool wants_hold, wants_more, certain; /* the judge's words */
    bool untold;                          /* a leak whose behaviours more epochs could tell apart */
    bool wants_confirm;
    uint64_t confirm_opens; /* of each of its two epochs */
    bool interrupted;       /* SIGINT: go to the end by the shortest way */
};

struct plan_action {
    enum plan_step step;
    uint64_t opens;
    uint64_t hold_ms;
};

void plan_init(struct plan *p, const struct plan_input *in);
/* Decides and records the next step. After PLAN_DRAIN it must not be called again. */
struct plan_action plan_next(struct plan *p, const struct plan_seen *seen);
/* About how many epochs the whole run has, for the display ("epoch 4 of 6"). */
int plan_epochs_estimate(const struct plan *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done with the exact sample at a quiescent point: kept, written, judged, and the next
 * epoch's number stamped. And what the plan is told of it.
 */
#ifndef SOAK_CHECKPOINT_H
#define SOAK_CHECKPOINT_H

#include "run.h"

/* Takes the sample for r->settle's purpose. Returns 0 or -1 (a subject is gone). */
int checkpoint_take(struct run *r, struct err *e);
/* What the plan needs to know now. */
void checkpoint_seen(const struct run *r, struct plan_seen *ret);
/* The connections so far, as the client counts them; failed: against their behaviour's intent. */
struct judge_load checkpoint_load(const struct run *r);
/* Connections to the server's port so far that weren't the client's. */
uint64_t checkpoint_foreign(const struct run *r);
/* Judges both subjects anew over all that was seen. */
void checkpoint_judge(struct run *r);
/* Plans the self-check of the epoch about to begin, in both pages: while nothing is under way. */
void checkpoint_plan_canary(struct run *r);

/*
 * The quiescent point: waits until neither subject's counters move and the server holds exactly the
 * connections that the client holds, lets both publish their exact figures, and samples them. A
 * subject that allocates by the clock never stands still: once no connection moves any more, a
 * second of that is enough, and the sample says `"still": false`.
 */
/* Begins; the run's state goes through RUN_SETTLE and RUN_PUBLISH, and once settle_answer says that
 * both sides have published, the run takes the sample for `purpose`. */
void settle_begin(struct run *r, enum run_settle purpose);
/* A poll of the pages, every few milliseconds while in RUN_SETTLE. */
void settle_poll(struct run *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done with the exact sample at a quiescent point: kept, written, judged, and the next
 * epoch's number stamped. And what the plan is told of it.
 */
#ifndef SOAK_CHECKPOINT_H
#define SOAK_CHECKPOINT_H

#include "run.h"

/* Whether nothing of the judged subject is counted, which breaks the run: it would look clean.
 * Asked after the warm-up, when it has done what it does. */
bool checkpoint_blind(struct run *r);
/* Takes the sample for r->settle's purpose. Returns 0 or -1 (a subject is gone, or at the end all
 * of it that is counted). */
int checkpoint_take(struct run *r, struct err *e);
/* What the plan needs to know now. */
void checkpoint_seen(const struct run *r, struct plan_seen *ret);
/* The connections so far, as the client counts them; failed: against their behaviour's intent. */
struct judge_load checkpoint_load(const struct run *r);
/* Connections that are open at once; those of a client program, which opens as many as it likes:
 * the most so far. With --loop its runs do so, each for itself: 0. */
uint64_t checkpoint_at_once(const struct run *r);
/* Connections to the server's port so far that weren't the client's. */
uint64_t checkpoint_foreign(const struct run *r);
/* Those of them that couldn't be turned away, at least. */
uint64_t checkpoint_foreign_served(const struct run *r);
/* What a judgement needs to know beside what was seen of a subject. */
struct history_question checkpoint_question(const struct run *r);
/* Judges both subjects anew over all that was seen. */
void checkpoint_judge(struct run *r);
/* Tells a server that can't count them itself how many operations there were, for its self-check.
 */
void checkpoint_forward_operations(struct run *r);
/* Begins a subject's self-check, before it is started: its first connection is in it. */
void checkpoint_begin_canary(struct run *r, size_t subject);
/* Plans the self-check of the epoch about to begin, in both pages: while nothing is under way. */
void checkpoint_plan_canary(struct run *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quiescent point: waits until neither subject's counters move and the server holds exactly the
 * connections that the client holds, lets both publish their exact figures, and samples them. A
 * subject that allocates by the clock never stands still: once no connection moves any more, a
 * second of that is enough, and the sample says `"still": false`.
 *
 * A program that isn't soak's doesn't say what it holds, and may still be about to do something. It
 * is sampled once its page has been quiet for as long as --settle says and it has hardly used the
 * processor meanwhile; or, when that doesn't come, a while later.
 */
#ifndef SOAK_SETTLE_H
#define SOAK_SETTLE_H

#include "run.h"

/* Begins, with the command of --on-checkpoint; the run's state goes through RUN_SETTLE and
 * RUN_PUBLISH, and once all that can publish have, the run takes the sample for `purpose`. */
void settle_begin(struct run *r, enum run_settle purpose);
/* For SETTLE_RELOAD: the quiet alone, without a command of the user's and without a sample. */
void settle_reload(struct run *r);
/* A poll of the pages, every few milliseconds while in RUN_SETTLE. */
void settle_poll(struct run *r);
/* What has moved, when no sample so far was taken while nothing did; else NULL. Borrowed. */
const char *settle_moving(const struct run *r);
/* Frees what a waiting that hasn't ended keeps. */
void settle_end(struct run *r);

#endif

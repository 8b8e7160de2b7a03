/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each run of a program that is started again and again (--loop) held when it ended, and the
 * history that is made of it: in the order of their connections the runs are the checkpoints of one
 * process that has made that many so far, which is what the judge reads.
 *
 * At a site a block of a shorter run counts as a survivor as far as no longer run has less: what a
 * longer run has more of than all that are still longer was not left behind by connections.
 */
#ifndef SOAK_EVIDENCE_LOOP_H
#define SOAK_EVIDENCE_LOOP_H

#include "history.h"

struct loop_run {
    uint64_t asked, made; /* connections: {count}, and those that were accepted */
    uint64_t status;      /* of its exit */
    double seconds;
    bool armed, planted;      /* the self-check was to lose its block in it, and did */
    struct snapshot snapshot; /* owned: blocks at its end, sums since the run before */
};

struct loop_record {
    size_t runs;
    struct loop_run run[PAGE_EPOCHS]; /* in the order in which they were made */
    struct snapshot before;           /* sums at the end of the newest; `site` is NULL */
};

/* Copies `run`, in whose snapshot the sums are those since the first run. Returns 0, or -1 when out
 * of memory, or of room. */
int loop_record_add(struct loop_record *l, const struct loop_run *run);
void loop_record_free(struct loop_record *l);

/* Makes `h` anew of all runs. Returns 0, or -1 when out of memory. */
int loop_record_fold(const struct loop_record *l, struct history *h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-check of one subject: its plan goes into the probe page, what the ledger then shows of
 * it is kept by checkpoint, and stats/canary.h says whether the meter works. Plain memory.
 */
#ifndef SOAK_EVIDENCE_CANARY_RECORD_H
#define SOAK_EVIDENCE_CANARY_RECORD_H

#include "page/snapshot.h"
#include "stats/judge/canary.h"

struct canary_record {
    struct canary_plan plan;
    uint64_t seed;
    int64_t blocks[PAGE_PLANTS][PAGE_EPOCHS], bytes[PAGE_PLANTS][PAGE_EPOCHS];
    struct snapshot_site last[PAGE_PLANTS]; /* at the last checkpoint */
    int64_t drained[PAGE_PLANTS];           /* blocks of judged epochs */
    int64_t flushed[PAGE_PLANTS][2];        /* the same, and bytes */
};

/* Both write into the page, so nothing may be under way. Where operations or
 * reloads are the unit, they take the place of connections. Before the first connection: the
 * controls that are under way in the warm-up begin. */
void canary_record_begin(struct canary_record *s, struct page *page, enum unit unit, uint64_t seed);
/* Before the first measured epoch: the planted and the one-time block come at seeded connections of
 * the next `connections`, so many that every run reaches them. */
void canary_record_arm(struct canary_record *s, struct page *page, uint64_t connections);

/* Where the checkpoints stand in another order than they were made (--loop): the two ordinals in
 * that. Not armed: that epoch isn't among them yet. */
void canary_record_place(struct canary_record *s, bool armed, uint64_t ordinal);

void canary_record_checkpoint(struct canary_record *s, const struct snapshot *snapshot, size_t c);
void canary_record_drained(struct canary_record *s, const struct snapshot *snapshot,
                           const struct judge_epoch *epoch, size_t epochs);
void canary_record_flushed(struct canary_record *s, const struct snapshot *snapshot,
                           const struct judge_epoch *epoch, size_t epochs);

/* What of the subject bears on its self-check: canary.h. */
struct canary_subject {
    const struct judge_epoch *epoch; /* by its own count */
    size_t epochs;
    bool drained, shared, one_process, gone;
};
void canary_record_judge(const struct canary_record *s, const struct canary_subject *subject,
                         struct canary *ret);

#endif

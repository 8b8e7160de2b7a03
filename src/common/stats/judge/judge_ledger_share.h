/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenSSL's own live blocks take of the heap at each checkpoint, and the two series that are
 * judged in its place: what is allocated beside them, and what pages hold beyond what is allocated.
 * Open connections differ from one checkpoint to the next, in certificates or in the size of a
 * ClientHello, and so does the heap; what the ledger has seen says nothing about the rest. Private.
 */
#ifndef SOAK_STATS_JUDGE_LEDGER_SHARE_H
#define SOAK_STATS_JUDGE_LEDGER_SHARE_H

#include "judge_internal.h"

struct ledger_share {
    double *bytes; /* owned: [epochs], with headers and rounded up to size classes */
    size_t size_classes;
    struct judge_size_class *size_class; /* owned: less the blocks of sites of that one size */
    int64_t **region;                    /* owned: what `size_class` lends */
    double slack;         /* by which they may have grown more, or shrunk less, than `bytes` says */
    int64_t grown_blocks; /* of all sites together; 0 where blocks or bytes became fewer */
};

/* Without the rule LEDGER_FIRST the ledger takes nothing. Owned by the caller: share_fini. */
void share_init(struct ledger_share *share, const struct judge_context *h);
void share_fini(struct ledger_share *share);

/* A copy of `g` with the points less what the ledger takes, or less those of `less`. `value` has
 * room for g->count and is lent to the copy. NULL stays NULL. */
const struct judge_gauge *share_beside_ledger(const struct ledger_share *share,
                                              const struct judge_context *h,
                                              const struct judge_gauge *g, double *value,
                                              struct judge_gauge *ret);
const struct judge_gauge *share_beside(const struct judge_gauge *g, const struct judge_gauge *less,
                                       double *value, struct judge_gauge *ret);

#endif

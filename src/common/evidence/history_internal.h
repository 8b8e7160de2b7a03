/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a history, for the two files that record it and tell of it.
 */
#ifndef SOAK_EVIDENCE_HISTORY_INTERNAL_H
#define SOAK_EVIDENCE_HISTORY_INTERNAL_H

#include "history.h"

struct totals {
    int64_t blocks, bytes;
    uint64_t opened, allocs, reallocs, alloc_bytes, cpu_ns;
};

struct history {
    size_t epochs;
    size_t first; /* first measured epoch, or SIZE_MAX */
    uint64_t
        disturbed; /* connections that closed in epochs behind it that lost a part of the load */
    struct judge_epoch epoch[PAGE_EPOCHS];
    struct judge_epoch own[PAGE_EPOCHS]; /* the same by the subject's own count: the self-check's */
    uint64_t descriptors;                /* 1 + the highest that was ever seen open */
    uint64_t own_begun;                  /* connections or operations at the last checkpoint */
    enum unit unit;
    bool by_load, one_process, gone, several, ended;
    struct totals total[PAGE_EPOCHS];
    double gauge[METRICS][PAGE_EPOCHS]; /* of GAUGE_LIST; the others stay 0 */
    int64_t blocks[PAGE_SITES][PAGE_EPOCHS], bytes[PAGE_SITES][PAGE_EPOCHS];
    /* Blocks at checkpoint c, of its sites, each by the c + 1 epochs of birth until then; NULL:
     * none is kept. */
    int32_t *alive[PAGE_EPOCHS]; /* owned */
    size_t alive_sites[PAGE_EPOCHS];
    int64_t class_live[PAGE_CLASSES][PAGE_EPOCHS];
    int64_t class_drained[PAGE_CLASSES], class_flushed[PAGE_CLASSES];
    uint64_t population[PAGE_CACHES][PAGE_EPOCHS];
    int64_t regions[PAGE_SIZE_CLASSES][PAGE_EPOCHS];
    struct snapshot last;                             /* owned: the last checkpoint's */
    struct by_thread by_thread;                       /* owned: the same's */
    int64_t closed[PAGE_SITES];                       /* held connections; as `drained` */
    int64_t drained[PAGE_SITES], flushed[PAGE_SITES]; /* blocks of measured epochs */
    int64_t flushed_bytes[PAGE_SITES];
    int64_t left[PAGE_SITES][PAGE_EPOCHS][2]; /* `flushed` by epoch of birth, of all epochs */
    int64_t empty[PAGE_SITES];                /* live bytes after the drain, of all epochs */
    int64_t drain_bytes, drain_blocks;        /* the same of all sites */
    uint64_t made_before[PAGE_SITES];         /* allocations until the measuring began */
    bool has_drain;
    struct canary_record canary;
};

#endif

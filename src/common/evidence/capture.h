/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose call stacks are taken, and what they came to: one per subject. After each checkpoint's
 * judgement the guilty sites are marked in the subject's page for the epochs to come; at the next
 * checkpoints the stacks are copied from the page, beside the ledger's own count of the same
 * epochs, so that it can be said how much of the growth the stacks explain.
 */
#ifndef SOAK_EVIDENCE_CAPTURE_H
#define SOAK_EVIDENCE_CAPTURE_H

#include "page/snapshot.h"
#include "stats/judge/judge.h"

#include <stdbool.h>

enum {
    CAPTURE_WANTED = 8,    /* sites marked at a time */
    CAPTURE_KNOWN = 32,    /* sites marked at any time */
    CAPTURE_PLENTY = 1000, /* blocks on a site's stacks: no more are taken */
    CAPTURE_PATIENCE = 3   /* epochs that an early end of the run waits for a stack */
};

/* Survivors of one call stack: blocks whose connections have all closed. */
struct stack_sample {
    const uint64_t *frame; /* return addresses, innermost first: borrowed from the capture */
    size_t frames;
    uint32_t site;
    uint64_t epoch; /* the first one whose survivors are counted here */
    uint64_t last;  /* and the last */
    int64_t blocks, bytes;
};

struct capture_site {
    uint32_t site;
    bool wanted;           /* marked now */
    uint64_t epochs;       /* a bit per epoch in which it was marked from beginning to end */
    int64_t blocks, bytes; /* the ledger's survivors of these epochs */
};

struct capture {
    size_t sites;
    struct capture_site site[CAPTURE_KNOWN];
    uint64_t closed;               /* a bit per epoch all of whose connections had closed */
    struct snapshot_stacks stacks; /* owned: at the last checkpoint */
};

/* The end of an epoch. */
struct capture_end {
    const struct page *page;         /* borrowed */
    const struct snapshot *snapshot; /* of it; borrowed */
    uint64_t epoch, oldest;          /* that ends; as history_checkpoint takes it */
};
/* Keeps what the page holds. Returns 0 or -1. */
int capture_keep(struct capture *c, const struct capture_end *end, struct err *e);
/* Chooses the sites to mark from what was judged: those that leak, are in doubt or may leak, the
 * one to blame, those marked already and the largest first. */
void capture_choose(struct capture *c, const struct judgement *j);
/* Writes the marks and the number of the epoch that begins into the page. */
void capture_mark(const struct capture *c, struct page *page, uint64_t epoch);
/* Whether a run that is sure of its leak may end as far as the stacks are concerned: there are some
 * of its sites, or there were epochs enough without any, or there can be none. */
bool capture_has_enough(const struct capture *c, const struct judgement *j);

/* The stacks with survivors, most blocks first. Returns their number; `*ret` is the caller's to
 * free, its frames stay the capture's. Returns 0 when out of memory. */
size_t capture_samples(const struct capture *c, struct stack_sample **ret);
/* A bit per epoch in which some site was marked from beginning to end. */
uint64_t capture_epochs(const struct capture *c);
void capture_fini(struct capture *c);

#endif

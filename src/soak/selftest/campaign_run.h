/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of a campaign, and where they are written down.
 */
#ifndef SOAK_CAMPAIGN_RUN_H
#define SOAK_CAMPAIGN_RUN_H

#include "campaign_journal.h"
#include "run_process.h"

#include <limits.h>

enum { CAMPAIGN_ROOM = 1024, CAMPAIGN_JOBS = 64, CAMPAIGN_BUSY = 64 };

/* As they are typed; NULL: not given. */
struct campaign_options {
    const char *which;
    uint64_t runs, seed;            /* runs: in all, with those that the folder has */
    uint64_t jobs, busy;            /* runs side by side; loops that hold a processor each */
    const char *openssl, *scenario; /* lists, separated by commas */
    const char *results, *markdown;
    bool simulated;
};

/* A run under way. */
struct campaign_slot {
    uint64_t number;
    struct campaign_case case_;
    bool busy, probes; /* probes: it is the clean run that prints the sensitivity */
};

struct campaign {
    struct campaign_choice choice;
    const struct campaign_options *o;                     /* borrowed */
    const char *folder;                                   /* borrowed, or in `path` */
    char openssl[CAMPAIGN_ROOM], scenario[CAMPAIGN_ROOM]; /* the words of the choice */
    char path[PATH_MAX];
    struct campaign_tally tally;
    struct campaign_journal journal;
    struct campaign_slot slot[CAMPAIGN_JOBS];
    uint64_t next;    /* the first number that wasn't looked at */
    uint64_t last_ns; /* when a run ended, or all began */
};

/* Fills a campaign, all zero so far, by its options. Returns 0, or -1 with what is wrong. */
int campaign_prepare(struct campaign *c, const struct campaign_options *o, struct err *e);
/* Makes the runs that are missing, and tells each that isn't right. Returns 0, or -1 when it was
 * interrupted, soak can't be run, or the folder can't be written. */
int campaign_run(struct campaign *c, struct run_process *sub, struct err *e);
/* Prints its section, and writes it to campaign.md and where it was asked for. Returns whether all
 * was as it must be. */
bool campaign_summarise(const struct campaign *c);

#endif

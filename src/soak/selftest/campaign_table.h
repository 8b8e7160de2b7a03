/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came of the runs of a campaign, and the section of results/campaigns.md that says so.
 */
#ifndef SOAK_CAMPAIGN_TABLE_H
#define SOAK_CAMPAIGN_TABLE_H

#include "base/err.h"
#include "campaign.h"

#include <stdio.h>

enum {
    CAMPAIGN_RUNS = 1000000, /* at most */
    CAMPAIGN_ROWS = 64,
    CAMPAIGN_NOTES = 40,
    CAMPAIGN_LINE = 1024,
    CAMPAIGN_SAID = 512,
    CAMPAIGN_DATE = 24
};

struct campaign_row {
    char name[CAMPAIGN_ROW];
    uint64_t outcome[CAMPAIGN_OUTCOMES];
};

/* A run as the journal has it. */
struct campaign_line {
    uint64_t number;
    enum campaign_outcome outcome;
    char row[CAMPAIGN_ROW];
    char line[CAMPAIGN_LINE]; /* the words behind `soak run --churn max` */
    char said[CAMPAIGN_SAID]; /* why it isn't right; "": it is, or nothing was said */
    char date[CAMPAIGN_DATE]; /* of its end */
    double took_ms; /* since the run before it in the journal ended, or the command began */
    double load;    /* of the machine at its end: processes that run or wait to */
};

/* All zero at the start. */
struct campaign_tally {
    uint64_t runs, outcome[CAMPAIGN_OUTCOMES];
    unsigned char done[CAMPAIGN_RUNS / 8]; /* bit by number */
    size_t rows;
    struct campaign_row row[CAMPAIGN_ROWS]; /* by name; what finds no place counts in the sums */
    uint64_t notes; /* of runs that aren't right; those beyond the room are in the journal only */
    struct campaign_line note[CAMPAIGN_NOTES]; /* by number */
    double took_ms, load;                      /* sums */
    char first[CAMPAIGN_DATE], last[CAMPAIGN_DATE];
};
bool campaign_is_done(const struct campaign_tally *t, uint64_t number);
/* Of a run that isn't done yet. */
void campaign_count(struct campaign_tally *t, const struct campaign_line *run);

/* What a section says of its campaign beside the tally: borrowed. */
struct campaign_about {
    enum campaign_of which;
    bool simulated;
    const char *title;   /* one campaign's alone, without a line break */
    const char *command; /* that goes on with it */
};
/* The section: a heading, the command, the table and what it proves, as Markdown. */
void campaign_print(const struct campaign_tally *t, const struct campaign_about *about, FILE *out);
/* Puts a section into a file of such, in place of the one with its heading or behind the last. A
 * file that isn't there is made. Returns 0 or -1. */
int campaign_book(const char *path, const char *section, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a campaign: runs.jsonl, a line about the campaign and one for each run, from which
 * it goes on when it was interrupted; and campaign.md, its table. One campaign writes at a time.
 */
#ifndef SOAK_CAMPAIGN_JOURNAL_H
#define SOAK_CAMPAIGN_JOURNAL_H

#include "base/err.h"
#include "campaign_table.h"

#include <jansson.h>
#include <stdio.h>

struct campaign_journal {
    FILE *file; /* owned; locked */
};

/* Makes the folder or opens it, and counts the runs that it has. `about` says what the campaign is
 * (borrowed): a folder of another is refused. A last line that was cut is dropped. Returns 0 or -1,
 * with nothing to close. */
int campaign_journal_open(struct campaign_journal *j, const char *folder, const json_t *about,
                          struct campaign_tally *tally, struct err *e);
/* Adds the line of a run; `kept` is the folder of its results, or NULL. Returns 0 or -1. */
int campaign_journal_add(struct campaign_journal *j, const struct campaign_line *run,
                         const char *kept, struct err *e);
void campaign_journal_close(struct campaign_journal *j);

#endif

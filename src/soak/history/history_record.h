/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the folders of runs to the history. A run is read from its folder alone (result.json, and
 * manifest.json for its options), at its end as much as months later, so what `rebuild` makes is
 * what the runs had recorded.
 */
#ifndef SOAK_HISTORY_RECORD_H
#define SOAK_HISTORY_RECORD_H

#include "archive/history_db.h"
#include "base/err.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* The history that runs are recorded in: $SOAK_HISTORY, else results/history.db. NULL when the
 * variable is there and empty: they are in none. Returns path, or NULL. */
const char *history_path(char path[PATH_MAX]);

/* A history that is broken is set aside, and a new one made from the folders of the runs in
 * results/; one sentence on stderr says so. Returns 1 when it did, 0 where there was nothing to
 * mend, or -1. */
int history_mend(const char *path, struct err *e);

/* Records the run that has ended in `folder`, where it is one of the history's: any, if
 * $SOAK_HISTORY says where; else one in the folder of results/history.db. What fails is said in one
 * sentence on stderr and changes nothing else. */
void history_record(const char *folder);

struct history_tally {
    size_t runs, unreadable;
    struct err first; /* why the first of the latter */
    uint64_t *added;  /* owned; what tells the runs apart */
};

/* Adds the runs in `folder`, at any depth, one by one, so that nobody waits for all; what isn't a
 * run, or one that `tally` has from another folder, is passed over, and one that can't be read is
 * counted. Returns 0, or -1 when the history can't be written; history_tally_free is due. */
int history_add_folder(struct history_db *db, const char *folder, struct history_tally *tally,
                       struct err *e);
void history_tally_free(struct history_tally *tally);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `soak bisect`: which of the versions between two that differ is the first that differs.
 */
#ifndef SOAK_BISECT_WORK_H
#define SOAK_BISECT_WORK_H

#include "base/names.h"
#include "compare_work.h"
#include "report/screen.h"

/* X(identifier, word): how a search ended. */
#define BISECT_END_LIST(X)                                                                         \
    X(BISECT_END_FOUND, "found")                                                                   \
    X(BISECT_END_ALIKE, "ends alike")                                                              \
    X(BISECT_END_UNSURE, "can't tell")                                                             \
    X(BISECT_END_STOPPED, "interrupted")                                                           \
    X(BISECT_END_STUCK, "broken")

enum bisect_end { BISECT_END_LIST(ENUM_ID) };
const char *bisect_end_name(enum bisect_end end);
bool bisect_end_from_name(const char *name, enum bisect_end *ret);

enum { BISECT_VERDICT = -1 };

struct bisect_work {
    struct compare_work *work;      /* its set gets the versions that were looked at */
    char *const *version;           /* borrowed; in order */
    size_t versions;                /* 2 and more */
    int metric;                     /* BISECT_VERDICT or an enum compare_row */
    size_t place[COMPARE_VERSIONS]; /* of the set's entries in `version` */
    size_t low, high; /* FOUND: the last that is like the first, the first that isn't */
    enum bisect_end end;
    char sentence[512]; /* what came of it */
};

/* "verdict", or the row's key. */
const char *bisect_metric_name(int metric);
/* The metric of that name; NULL: the verdict. Returns 0 or -1. */
int bisect_metric(const char *name, int *ret, struct err *e);

/* Searches; fills the end and the sentence, and puts the set's entries in their order. Returns the
 * exit code: 0 found, 3 ends alike or can't tell, 2 or 4 as compare_work_one, 130. */
int bisect_search(struct bisect_work *b);
/* The document soak-bisect/1 as text; owned by the caller; NULL when out of memory. */
#define BISECT_SCHEMA "soak-bisect/1"
#define BISECT_FILE   "bisect.json"
char *bisect_json(const struct bisect_work *b, int exit_code);
/* The answer, and unless `quiet` the versions that were looked at. What broke has no answer here:
 * its sentence goes elsewhere. */
void bisect_text(const struct bisect_work *b, const struct report_style *style, bool quiet,
                 FILE *out);

/* What --metric takes, for the help: the verdict and every exact row. */
#define BISECT_KEY_VERDICT(key)
#define BISECT_KEY_EXACT(key)   ", " key
#define BISECT_KEY_COUNTED(key) ", " key
#define BISECT_KEY_MEASURED(key)
#define BISECT_KEY_WITNESS(key)
#define BISECT_KEY(id, key, role, ...) BISECT_KEY_##role(key)
#define BISECT_METRICS                 "verdict" COMPARE_ROW_LIST(BISECT_KEY)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bisection that was kept, from its folder: what was asked and found by bisect.json, the versions
 * that were looked at by the documents of their runs, judged again. All of it is checked as a
 * stranger's.
 */
#ifndef SOAK_BISECT_KEPT_H
#define SOAK_BISECT_KEPT_H

#include "bisect_work.h"

struct bisect_kept {
    struct compare_set *set;      /* owned */
    struct compare_work work;     /* has the set, and nothing else */
    struct bisect_work bisection; /* of the work, with the versions below */
    char **version;               /* owned; borrowed from the set */
    int exit_code;
};

/* Whether `path` is a bisect.json, or a folder that has one. */
bool bisect_kept_is(const char *path);
/* Returns 0, or -1 with a sentence; bisect_kept_free is due either way. */
int bisect_kept_read(struct bisect_kept *k, const char *path, struct err *e);
void bisect_kept_free(struct bisect_kept *k);

/* The forms, as archive/outputs.h writes them: their context is the struct bisect_kept. The page
 * and the Markdown compare the versions that were looked at; there are none without such. */
void bisect_put_json(const void *kept, FILE *out);
void bisect_put_markdown(const void *kept, FILE *out);
void bisect_put_html(const void *kept, FILE *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of a suite, one after the other, in a folder of the suite's own: a folder for each run
 * and suite.json, which is written anew after each, so that nothing is lost whatever comes next.
 */
#ifndef SOAK_SUITE_RUN_H
#define SOAK_SUITE_RUN_H

#include "suite.h"
#include "suite_line.h"

#include <stdio.h>

struct suite_work {
    const struct suite_line *line;
    const struct suite_files *files; /* all, whichever shard they fall to */
    FILE *text;                      /* where the rows go; NULL = nowhere */
    bool interrupted;                /* filled: a signal ended it */
};

/* Lists all scenarios and adds the entries of the line's shard, with what each is expected to be.
 * Refuses the first that can't be run, or a folder that can't be made, before anything is. Returns
 * 0 or -1. */
int suite_plan(struct suite *s, const struct suite_work *w, struct err *e);
/* Runs them. Returns 0; or -1 when soak can't be run or the folder can't be written, with what was
 * measured until then in the suite. */
int suite_work(struct suite *s, struct suite_work *w, struct err *e);

#endif

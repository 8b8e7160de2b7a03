/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finished run as its folder has it: the one object from which all that is rebuilt is made, by
 * the run itself at its end as by `soak report` later.
 */
#ifndef SOAK_FINISHED_H
#define SOAK_FINISHED_H

#include "archive/run_dir.h"
#include "profile/profile.h"
#include "report/document.h"
#include "report/samples.h"
#include "shortest.h"

#include <limits.h>

struct finished {
    struct document *document; /* owned */
    struct samples samples;    /* owned; none in a folder without them */
    struct profile *stacks;    /* owned; of the survivors */
    struct shortest shortest;  /* owned; none where nobody has looked for it */
    char folder[PATH_MAX], last[PATH_MAX];
};

/* Reads what `path` names: a run's folder, or its result.json. Returns 0 or -1; finished_close is
 * due either way. */
int finished_open(struct finished *f, const char *path, struct err *e);
void finished_close(struct finished *f);

/* The file of its scenario, as the command that repeats the run has it: a path as it was given, a
 * name as it stands in scenarios/. Whether it is still there is another question. Returns buf. */
char *finished_scenario(const struct result *r, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options on the line of a command that are meant for each of its runs.
 */
#ifndef SOAK_FORWARDED_OPTIONS_H
#define SOAK_FORWARDED_OPTIONS_H

#include "command.h"

#include <stdbool.h>

/* With the words that a command adds of its own, at most 25, they fit SUBRUN_WORDS (run_process.h).
 */
enum { PASSED_ON_MAX = 64 };

struct forwarded_options {
    char *option[PASSED_ON_MAX + 1]; /* owned, NULL-ended: `--churn=max` */
    int options;
};

/* Collects, from a line that has been parsed, the options of a run that `keeps_back`
 * (NULL: none) doesn't claim for the command; those of the section [output] are always the
 * command's. Returns 0 or -1; forwarded_options_free is due either way. */
int forwarded_options_read(struct forwarded_options *p, const struct command_line *line,
                           bool (*keeps_back)(const void *ctx, const char *name), const void *ctx,
                           struct err *e);
void forwarded_options_free(struct forwarded_options *p);

#endif

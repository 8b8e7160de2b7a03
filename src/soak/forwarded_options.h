/*
 * Options on the line of a command that are meant for each of its runs.
 */
#ifndef SOAK_PASSED_ON_H
#define SOAK_PASSED_ON_H

#include "options/opts.h"

#include <stdbool.h>

/* With the words that a command adds of its own, at most 25, they fit SUBRUN_WORDS (subrun.h). */
enum { PASSED_ON_MAX = 64 };

struct passed_on {
    char *option[PASSED_ON_MAX + 1]; /* owned, NULL-ended: `--churn=max` */
    int options;
};

/* Collects, from a line that has been parsed by `table`, the options of a run that `keeps_back`
 * (NULL: none) doesn't claim for the command; those of the section [output] are always the
 * command's. Returns 0 or -1; passed_on_free is due either way. */
int passed_on_read(struct passed_on *p, const struct opt *table, size_t count, int argc,
                   char *const *argv, bool (*keeps_back)(const void *ctx, const char *name),
                   const void *ctx, struct err *e);
void passed_on_free(struct passed_on *p);

#endif

/*
 * What to do after a run: what an undecided one is missing, and the command to type next. The
 * command repeats the run: the same scenario, with the options that were typed.
 */
#ifndef SOAK_ADVICE_H
#define SOAK_ADVICE_H

#include "report/result.h"
#include "run.h"

#include <stddef.h>

/* One sentence on what would settle an INCONCLUSIVE run; "" for others. Returns buf. */
char *advice_missing(const struct run *r, const struct result *result, char *buf, size_t size);
/* The command for this result; "" when there is nothing to advise. Returns buf. */
char *advice_next(const struct run *r, const struct result *result, char *buf, size_t size);

#endif

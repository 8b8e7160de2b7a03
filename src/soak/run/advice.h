/* SPDX-License-Identifier: Apache-2.0 */
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
/* The command for this result, the second, ...; "" when there is nothing more to advise, or when it
 * is too long. Returns buf. */
char *advice_next(const struct run *r, const struct result *result, size_t which, char *buf,
                  size_t size);
/* What a run that would have shown one block in `seen_one_in` connections, of which it made so many
 * a second over so many threads (0: not known), is to be followed by: ten times that at least, in a
 * power of ten, or what a day has room for and twice that at least. 0: nothing. Pure. */
uint64_t advice_closer(const struct scenario *s, uint64_t threads, double seen_one_in,
                       double rate_per_s);
/* What it takes, or what it shows: `about 31m`; "" when that can't be said. Returns buf. */
char *advice_note(const struct run *r, const struct result *result, size_t which, char *buf,
                  size_t size);
/* What ended an INCONCLUSIVE run that saw too little: `--for 2m`; "" for others. Returns buf. */
char *advice_ended(const struct run *r, const struct result *result, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The option type OPT_WEIGHTS: `clean=50,reset` sets those and makes all others 0; a name alone
 * weighs 1; `none` is no name at all. Private to opts. Pure. */
#ifndef SOAK_OPTIONS_OPTS_WEIGHTS_H
#define SOAK_OPTIONS_OPTS_WEIGHTS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* `weights` has a place for each name in `names`. Returns 0, or -1 and nothing is changed. */
int opts_weights_set(uint64_t *weights, const char *names, const char *text, struct err *e);
/* Prints what opts_weights_set reads back. */
char *opts_weights_print(char *buf, size_t size, const char *names, const uint64_t *weights);

#endif

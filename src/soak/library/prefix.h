/* SPDX-License-Identifier: Apache-2.0 */
/* A library that a user built and installed under a prefix of its own. */
#ifndef SOAK_PREFIX_H
#define SOAK_PREFIX_H

#include "libs/lib.h"

/* Looks at PREFIX/include and PREFIX/lib or lib64. `part`: LIB_PARTS finds out which part it is.
 * Writes everything but name and folder; the version is what the header says, or "unknown". -1 with
 * a sentence when it isn't such a prefix. */
int prefix_examine(const char *prefix, enum lib_part part, struct lib *ret, struct err *e);

#endif

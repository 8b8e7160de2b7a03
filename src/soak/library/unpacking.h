/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several packages in one folder. tar follows the links that it finds, so each package is unpacked
 * into an empty folder and moved to the others from there: none is written where another one's link
 * leads. The cache's lock must be held.
 */
#ifndef SOAK_UNPACKING_H
#define SOAK_UNPACKING_H

#include "base/err.h"
#include "spawn.h"

#include <limits.h>

struct unpacking {
    const char *to;           /* borrowed: the folder of all */
    char apart[PATH_MAX + 8]; /* the empty one, beside it */
};

/* Unpacks a package, `file`, by a program that is told of `u->apart`, and moves what came of it to
 * `to`: a file takes the place of a file or link, a folder that of a link, or its contents go to
 * the folder that is there. Returns 0, or what spawn_need does. */
int unpacking_run(struct unpacking *u, const struct spawn *s, const char *file, const char *to,
                  struct err *e);

#endif

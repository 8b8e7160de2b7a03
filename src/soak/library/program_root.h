/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a fetched program: unpacking packages into it, and making what lies in it run from
 * there. The cache's lock must be held. */
#ifndef SOAK_PROGRAM_ROOT_H
#define SOAK_PROGRAM_ROOT_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

struct program_root {
    const char *place;            /* where it will lie: borrowed */
    bool npm;                     /* a package of npm; else of Debian */
    char folder[PATH_MAX];        /* where it is filled */
    char packages[PATH_MAX + 16]; /* the files that were fetched, below the folder */
    char root[PATH_MAX + 16];     /* where they are unpacked, below the folder */
};

/* Unpacks all that was fetched. Of Debian's libc only one that is newer than this machine's: the
 * others run on that. Returns 0, or below 0. */
int program_root_unpack(const struct program_root *r, const char *log, struct err *e);

/* Lets each program find its libraries at its later place, writes the record, and renames the
 * folder to its place. Returns 0, or below 0. */
int program_root_finish(const struct program_root *r, const char *asked, struct err *e);

/* Whether the place holds what was asked for, whole. */
bool program_root_is(const char *place, const char *asked);

#endif

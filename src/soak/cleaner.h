/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies on the disk for as long as soak works, and must not lie there afterwards: temporary
 * folders, keys. soak removes it itself; a cleaner, a process of soak's own, does when soak is
 * killed. It waits for the end of a pipe that only soak holds, and holds nothing else.
 */
#ifndef SOAK_CLEANER_H
#define SOAK_CLEANER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cleaner {
    int fd; /* soak's end of the pipe; -1: there is none */
    pid_t pid;
};

/* What one may be asked for. */
enum { CLEANER_PATHS = 8 };

/* Starts one for `paths`, in this order: files, and folders that are empty by then; `whole`: with
 * all that is in them. Returns 0 or -1. */
int cleaner_start(struct cleaner *c, const char *const *paths, size_t count, bool whole,
                  struct err *e);
/* Ends it, and it has removed nothing: what is left is kept, or was removed. Twice is harmless. */
void cleaner_stop(struct cleaner *c);

/* What main does with its words first. Doesn't return in a cleaner. */
void cleaner_begin(int argc, char *const *argv);

#endif

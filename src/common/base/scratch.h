/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies on the disk for as long as soak works, and must not lie there afterwards: temporary
 * folders, keys. soak removes it itself. Should soak be killed, a cleaner does, a process of soak's
 * own: it waits for the end of a pipe that only soak holds, and holds nothing else. And should all
 * of its processes be killed at once, as by a batch system, the next temporary folder's maker does:
 * a file in each folder, `.running`, is locked while its process lives. Folders of other users are
 * left alone.
 */
#ifndef SOAK_BASE_SCRATCH_H
#define SOAK_BASE_SCRATCH_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- a cleaner ---- */

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

/* What a main that starts any does with its words first. Doesn't return in a cleaner. */
void cleaner_begin(int argc, char *const *argv);

/* ---- a temporary folder ---- */

enum { SCRATCH_PATH = 512 };

struct scratch {
    char path[SCRATCH_PATH]; /* "": none */
    int lock;                /* of .running; -1: it is kept, or there is none */
    struct cleaner cleaner;
};

/* No folder yet: scratch_keep and scratch_close do nothing. */
#define SCRATCH_NONE                                                                               \
    {                                                                                              \
        .lock = -1, .cleaner = {.fd = -1 }                                                         \
    }

/* Makes `soak-NAME-` and six characters in TMPDIR or /tmp, with a cleaner. Returns 0 or -1. */
int scratch_open(struct scratch *s, const char *name, struct err *e);
/* From now on it is the user's: nothing removes it. */
void scratch_keep(struct scratch *s);
/* Removes it with all that is in it, unless it is kept. Harmless when there is none. */
void scratch_close(struct scratch *s);

/* Removes a folder and all below it, without following links; one that isn't there is removed
 * already. Returns 0 or -1. */
int tree_remove(const char *folder, struct err *e);

#endif

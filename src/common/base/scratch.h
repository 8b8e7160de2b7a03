/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A temporary folder of this process, in TMPDIR or /tmp. A file in it, `.running`, is locked while
 * the process lives: so what one left that was killed is found, and removed, when the next folder
 * is made. Folders of other users are left alone.
 */
#ifndef SOAK_BASE_SCRATCH_H
#define SOAK_BASE_SCRATCH_H

#include "err.h"

enum { SCRATCH_PATH = 512 };

struct scratch {
    char path[SCRATCH_PATH]; /* "": none */
    int lock;                /* of .running; -1: it is kept, or there is none */
};

/* Makes `soak-NAME-` and six characters. Returns 0 or -1. */
int scratch_open(struct scratch *s, const char *name, struct err *e);
/* From now on it is the user's: nothing removes it. */
void scratch_keep(struct scratch *s);
/* Removes it with all that is in it, unless it is kept. Harmless when there is none. */
void scratch_close(struct scratch *s);

/* Removes a folder and all below it, without following links; one that isn't there is removed
 * already. Returns 0 or -1. */
int tree_remove(const char *folder, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is replaced as a whole: written beside, synced and renamed, so that whatever fails or
 * ends the process leaves what was there. Where the file system can do that, what is written has no
 * name until it is whole: then nothing is left of it either.
 */
#ifndef SOAK_ARCHIVE_REPLACE_H
#define SOAK_ARCHIVE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct replacement {
    int folder_fd;           /* in which both lie */
    const char *name;        /* borrowed: of the file */
    const char *beside;      /* borrowed: of the one that is written first; unlinked */
    mode_t mode;             /* of a new file, before the umask */
    const struct stat *like; /* borrowed: of the file that is there, whose mode stays; or NULL */
    bool hasty;              /* the disk may have it later: no sync */
};

/* Whether the file beside can be made; it isn't there afterwards. Returns 0 or -errno. */
int replace_check(const struct replacement *r);
/* Returns 0, or -errno with the file as it was and nothing beside it. */
int replace_file(const struct replacement *r, const char *text, size_t length);

#endif

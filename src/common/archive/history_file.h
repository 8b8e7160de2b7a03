/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history as a file that several processes use and that may break: who may put another in its
 * place, and when; what is broken is set aside, never deleted. Locks are those of flock(2) on the
 * folder, so they outlast the file; SQLite's own guard what is in it. Every sentence names the
 * file.
 */
#ifndef SOAK_HISTORY_FILE_H
#define SOAK_HISTORY_FILE_H

#include "archive/history_db.h"
#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* A folder, a device, a pipe or what isn't a history is never written to, nor moved aside. Returns
 * 0, or -1 for one. */
int history_file_check(const char *path, struct err *e);

/* Several may write at a time; who replaces is alone. */
enum history_hold { HISTORY_WRITE, HISTORY_REPLACE };

/* Waits until the file is free, at most HISTORY_DB_WAIT_MS for one that writes and
 * HISTORY_REPLACE_WAIT_MS for one that replaces. Returns a descriptor for history_file_let_go, or
 * -1. On a file system without locks it is had at once. */
enum { HISTORY_REPLACE_WAIT_MS = 60000 };
int history_file_hold(const char *path, enum history_hold how, struct err *e);
void history_file_let_go(int hold);

/* Where a file stood that is about to be made again. */
struct history_mark {
    uint64_t device, inode; /* of none: 0 */
    int64_t last;           /* the last run's id */
};
struct history_mark history_file_mark(const char *path);
/* Adds to `made` what was recorded in `path` since: all of it, when that is another file by now.
 * Held by HISTORY_REPLACE. A file that can't be read has nothing. Returns 0 or -1. */
int history_file_catch_up(const char *path, const struct history_mark *since, const char *made,
                          struct err *e);

/* Puts the closed file `made` in the place of `path`. What was there is kept as PATH.old. Returns 0
 * or -1. */
int history_file_replace(const char *path, const char *made, struct err *e);

/* Whether the file is there and SQLite finds it damaged. One that isn't named *.db isn't ours to
 * judge. The sentence says what is wrong. */
bool history_file_is_broken(const char *path, struct err *e);
/* Moves it to PATH.broken, or PATH.broken-2 and so on, which `ret_aside` receives; its log goes
 * along. Held by HISTORY_REPLACE. Returns 0 or -1. */
int history_file_set_aside(const char *path, char ret_aside[PATH_MAX], struct err *e);

#endif

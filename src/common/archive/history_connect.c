/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a file that somebody else may have written: SQLite keeps to it and what lies
 * beside it, and comes to an end.
 */
#include "history_db_internal.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What is asked before the schema is checked takes some hundred steps. */
enum { STEPS_UNTIL_TRUSTED = 1000000 };

/* ---- what is opened ---- */

/* A journal beside the file may name a super-journal, which SQLite removes once it has played the
 * journal back: any file of the reader's. soak commits to one file at a time, so it has none. To
 * open a pipe waits for whoever writes to it. */
static int open_own(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    struct stat s;
    bool is_regular = !name || stat(name, &s) != 0 || S_ISREG(s.st_mode);
    if (is_regular && !(flags & SQLITE_OPEN_SUPER_JOURNAL))
        return sqlite3_vfs_find(NULL)->xOpen(vfs, name, file, flags, ret_flags);
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

/* SQLite's usual way to the files, but for that. Returns its name. */
static const char *own_files(void)
{
    static sqlite3_vfs own; /* SQLite keeps it */
    if (!own.zName) {
        own = *sqlite3_vfs_find(NULL);
        own.zName = "soak";
        own.xOpen = open_own;
        CHECK(sqlite3_vfs_register(&own, 0) == SQLITE_OK);
    }
    return own.zName;
}

/* ---- connections ---- */

static int stop(void *unused)
{
    (void)unused;
    return 1;
}

struct history_db *history_db_connect(const char *name, const char *path, int flags)
{
    struct history_db *h = calloc(1, sizeof *h);
    CHECK(h);
    snprintf(h->path, sizeof h->path, "%s", path);
    sqlite3_open_v2(name, &h->db, flags, own_files());
    CHECK(h->db);
    sqlite3_busy_timeout(h->db, HISTORY_DB_WAIT_MS);
    sqlite3_progress_handler(h->db, STEPS_UNTIL_TRUSTED, stop, NULL);
    return h;
}

void history_db_trust(struct history_db *h)
{
    sqlite3_progress_handler(h->db, 0, NULL, NULL);
}

void history_db_close(struct history_db *h)
{
    if (h)
        sqlite3_close(h->db);
    free(h);
}

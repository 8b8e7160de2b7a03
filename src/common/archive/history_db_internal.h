/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What history_connect.c (what SQLite may do), history_db.c (one file: its form, writing, reading)
 * and history_copy.c (from one to another) share. Functions return 0 or -1 with a sentence that
 * names the file.
 */
#ifndef SOAK_HISTORY_DB_INTERNAL_H
#define SOAK_HISTORY_DB_INTERNAL_H

#include "history_db.h"

#include <limits.h>
#include <sqlite3.h>

struct history_db {
    sqlite3 *db;
    char path[PATH_MAX]; /* as it is said: of a copy that of the file */
};

/* The texts of HISTORY_RUN_TEXTS, in its order, then the numbers. */
#define HISTORY_COLUMN(member) #member ", "
#define HISTORY_COLUMNS        HISTORY_RUN_TEXTS(HISTORY_COLUMN) "exit, conns, closed, seconds, one_in"

/* Opens `name`, which is `path` or says how to open it. Never NULL: that it failed is in the
 * connection's code. Until it is trusted no statement takes more than a million steps. */
struct history_db *history_db_connect(const char *name, const char *path, int flags);
void history_db_trust(struct history_db *h);
/* That it has what soak makes in a file of that version (PRAGMA user_version) and nothing else: no
 * view, no trigger and no expression of whoever wrote it is evaluated later. Then it is trusted. */
int history_db_check_schema(struct history_db *h, int64_t version, struct err *e);
/* Brings it to today's form. */
int history_db_migrate(struct history_db *h, struct err *e);
int history_db_execute(struct history_db *h, const char *sql, struct err *e);
sqlite3_stmt *history_db_prepare(struct history_db *h, const char *sql, struct err *e);
/* The one number that the statement answers with. */
int history_db_ask(struct history_db *h, const char *sql, int64_t *ret, struct err *e);
/* The sentence for what went wrong last. Returns -1. */
int history_db_refuse(const struct history_db *h, struct err *e);

#endif

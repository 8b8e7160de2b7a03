/* SPDX-License-Identifier: Apache-2.0 */
#include "history_db_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- a copy to read ---- */

/* Returns SQLite's primary code; the sentence is of what went wrong. */
static int copy(struct history_db *from, struct history_db *to, struct err *e)
{
    int code = sqlite3_errcode(from->db);
    if (code != SQLITE_OK) {
        history_db_refuse(from, e);
        return code;
    }
    sqlite3_backup *b = sqlite3_backup_init(to->db, "main", from->db, "main");
    code = b ? sqlite3_backup_step(b, -1) : SQLITE_ERROR;
    sqlite3_backup_finish(b); /* whose error is that of `to` */
    if (code == SQLITE_DONE)
        return SQLITE_OK;
    history_db_refuse(to, e);
    return code & 0xff;
}

/* As a URI says it: https://www.sqlite.org/uri.html */
static void print_uri(char *buf, size_t size, const char *path)
{
    size_t used = (size_t)snprintf(buf, size, "file:");
    for (; *path && used + 4 < size; path++)
        used += (size_t)snprintf(buf + used, size - used, strchr("?#%", *path) ? "%%%02X" : "%c",
                                 (unsigned char)*path);
    snprintf(buf + used, size - used, "?immutable=1");
}

/* Whether its last runs are in the log beside it, and not yet in the file. */
static bool has_log(const char *path)
{
    char log[PATH_MAX + 8];
    struct stat s;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &s) == 0 && s.st_size > 0;
}

static bool same_time(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Where its folder can't be written, SQLite reads a file in WAL mode only when it is told that
 * nobody writes it (https://www.sqlite.org/wal.html#read_only_databases), and then passes over the
 * log: so there must be none. */
static int copy_immutable(const char *path, struct history_db *to, struct err *e)
{
    char uri[3 * PATH_MAX + 32];
    struct stat before = {0}, after = {0};
    if (has_log(path))
        return err_set(e,
                       "%.300s: it and its folder are read-only, and its last runs are in its log: "
                       "copy %.60s* to where they can be written",
                       path, path);
    print_uri(uri, sizeof uri, path);
    if (stat(path, &before) != 0)
        return err_set(e, "%.300s: %s", path, strerror(errno));
    struct history_db *from = history_db_connect(uri, path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    int code = copy(from, to, e);
    history_db_close(from);
    if (stat(path, &after) != 0 || !same_time(&before, &after))
        return err_set(e, "%.300s: it was written while it was read: try again", path);
    return code == SQLITE_OK ? 0 : -1;
}

/* A file that can't be written SQLite opens for reading by itself. */
static int copy_file(const char *path, struct history_db *to, struct err *e)
{
    struct history_db *from = history_db_connect(path, path, SQLITE_OPEN_READWRITE);
    int code = copy(from, to, e);
    history_db_close(from);
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
        return copy_immutable(path, to, e);
    return code == SQLITE_OK ? 0 : -1;
}

/* Whether each page is where one leads to it, and once: pages in a ring, or many ways to one page,
 * would be read for ever. Evaluates what the schema says of columns, too. Returns SQLite's code. */
static int check_pages(struct history_db *h)
{
    sqlite3_stmt *s = history_db_prepare(h, "PRAGMA quick_check(1)", NULL);
    int code = s ? sqlite3_step(s) : sqlite3_errcode(h->db);
    if (code == SQLITE_ROW)
        code =
            strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
    sqlite3_finalize(s);
    return code & 0xff;
}

struct history_db *history_db_read(const char *path, struct err *e)
{
    struct history_db *h = history_db_connect(":memory:", path, SQLITE_OPEN_READWRITE);
    if (copy_file(path, h, e) == 0 && history_db_migrate(h, e) == 0) {
        int code = check_pages(h);
        if (code == SQLITE_OK)
            return h;
        err_set(e, "%.300s: %s", path, sqlite3_errstr(code));
    }
    history_db_close(h);
    return NULL;
}

/* ---- what is damaged ---- */

bool history_db_is_damaged(const char *path, struct err *e)
{
    int64_t version = 0;
    struct history_db *h = history_db_connect(path, path, SQLITE_OPEN_READWRITE);
    bool own = history_db_ask(h, "PRAGMA user_version", &version, NULL) == 0 &&
               history_db_check_schema(h, version, NULL) == 0;
    int code = own ? check_pages(h) : sqlite3_errcode(h->db);
    bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    if (damaged)
        err_set(e, "%.300s: %s", path, sqlite3_errstr(code));
    history_db_close(h);
    return damaged;
}

/* ---- from one file to another ---- */

int history_db_last(struct history_db *h, int64_t *ret, struct err *e)
{
    return history_db_ask(h, "SELECT ifnull(max(id), 0) FROM run", ret, e);
}

/* Runs and figures, by what makes a run the same in both. */
static int take_rows(struct history_db *h, int64_t after, struct err *e)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
             "BEGIN IMMEDIATE;"
             "INSERT OR REPLACE INTO run (" HISTORY_COLUMNS ") SELECT " HISTORY_COLUMNS
             " FROM other.run WHERE id > %" PRId64 " ORDER BY id;"
             "INSERT OR REPLACE INTO figure SELECT mine.id, f.name, f.value FROM other.run AS o"
             " JOIN run AS mine USING (scenario, library, settings, machine, time, seed)"
             " JOIN other.figure AS f ON f.run = o.id WHERE o.id > %" PRId64 ";"
             "COMMIT",
             after, after);
    if (history_db_execute(h, sql, e) == 0)
        return 0;
    history_db_execute(h, "ROLLBACK", NULL);
    return -1;
}

int history_db_take(struct history_db *h, const char *path, int64_t after, struct err *e)
{
    sqlite3_stmt *s = history_db_prepare(h, "ATTACH ? AS other", e);
    if (!s)
        return -1;
    sqlite3_bind_text(s, 1, path, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s) == SQLITE_DONE ? 0 : history_db_refuse(h, e);
    sqlite3_finalize(s);
    rc = rc == 0 ? take_rows(h, after, e) : rc;
    history_db_execute(h, "DETACH other", NULL);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "history_db_internal.h"

#include "base/check.h"
#include "base/clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From each version of the file (PRAGMA user_version) to the next; what has been released is never
 * changed. */
static const char *const migration[] = {
    "CREATE TABLE run (id INTEGER PRIMARY KEY,"
    " scenario TEXT NOT NULL, settings TEXT NOT NULL, library TEXT NOT NULL,"
    " machine TEXT NOT NULL, time TEXT NOT NULL, seed TEXT NOT NULL, folder TEXT NOT NULL,"
    " verdict TEXT NOT NULL, soak TEXT NOT NULL, exit INTEGER NOT NULL, conns INTEGER NOT NULL,"
    " closed INTEGER NOT NULL, seconds REAL, one_in REAL,"
    " UNIQUE (scenario, library, settings, machine, time, seed));"
    "CREATE INDEX run_by_history ON run (scenario, library, machine, time);"
    "CREATE TABLE figure (run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,"
    " name TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;",
};
enum { VERSION = sizeof migration / sizeof *migration };

#define ONE(member) +1
enum { TEXTS = HISTORY_RUN_TEXTS(ONE) };

int history_db_refuse(const struct history_db *h, struct err *e)
{
    int code = sqlite3_errcode(h->db);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return err_set(e, "%.300s: another process holds it locked", h->path);
    if (code == SQLITE_INTERRUPT) /* by history_connect.c alone */
        return err_set(e, "%.300s: the list of its tables has no end", h->path);
    return err_set(e, "%.300s: %s", h->path, sqlite3_errmsg(h->db));
}

int history_db_execute(struct history_db *h, const char *sql, struct err *e)
{
    return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : history_db_refuse(h, e);
}

sqlite3_stmt *history_db_prepare(struct history_db *h, const char *sql, struct err *e)
{
    sqlite3_stmt *made = NULL;
    if (sqlite3_prepare_v2(h->db, sql, -1, &made, NULL) != SQLITE_OK)
        history_db_refuse(h, e);
    return made;
}

int history_db_ask(struct history_db *h, const char *sql, int64_t *ret, struct err *e)
{
    sqlite3_stmt *s = history_db_prepare(h, sql, e);
    int rc = s && sqlite3_step(s) == SQLITE_ROW ? 0 : history_db_refuse(h, e);
    if (rc == 0)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return rc;
}

static const char *text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

/* ---- opening ---- */

static int step_up(struct history_db *h, int64_t from, struct err *e)
{
    char mark[128];
    snprintf(mark, sizeof mark, "PRAGMA user_version = %" PRId64 "; PRAGMA application_id = %d",
             from + 1, HISTORY_DB_MARK);
    return history_db_execute(h, migration[from], e) == 0 ? history_db_execute(h, mark, e) : -1;
}

/* The statements that made what is in the file, which SQLite executes again; but for what ANALYZE
 * makes. In hexadecimal, as they may hold a zero byte. */
static int read_schema(struct history_db *h, char **ret, struct err *e)
{
    sqlite3_stmt *s = history_db_prepare(
        h,
        "SELECT group_concat(hex(sql)) FROM (SELECT sql FROM sqlite_master WHERE sql NOT IN"
        " ('CREATE TABLE sqlite_stat1(tbl,idx,stat)',"
        " 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)') ORDER BY sql)",
        e);
    int rc = s && sqlite3_step(s) == SQLITE_ROW ? 0 : history_db_refuse(h, e);
    if (rc == 0)
        CHECK((*ret = strdup(text_at(s, 0))));
    sqlite3_finalize(s);
    return rc;
}

/* What soak makes in a file of that version. */
static char *own_schema(int64_t version)
{
    char *text = NULL;
    struct history_db *fresh = history_db_connect(":memory:", ":memory:", SQLITE_OPEN_READWRITE);
    for (int64_t from = 0; from < version; from++)
        CHECK(step_up(fresh, from, NULL) == 0);
    CHECK(read_schema(fresh, &text, NULL) == 0);
    history_db_close(fresh);
    return text;
}

int history_db_check_schema(struct history_db *h, int64_t version, struct err *e)
{
    char *is = NULL;
    if (version < 0 || version > VERSION)
        return err_set(e, "%.300s: written by a later soak (form %" PRId64 "; this one knows %d)",
                       h->path, version, (int)VERSION);
    if (read_schema(h, &is, e) != 0)
        return -1;
    char *own = own_schema(version);
    int rc =
        strcmp(is, own) == 0
            ? 0
            : err_set(e, "%.300s: its tables aren't those that soak makes, or not the only ones",
                      h->path);
    free(own);
    free(is);
    if (rc == 0)
        history_db_trust(h);
    return rc;
}

/* Under the lock of the transaction, so that of two processes one finds it done. */
static int bring_up(struct history_db *h, struct err *e)
{
    int64_t version = 0, application = 0, tables = 0;
    if (history_db_ask(h, "PRAGMA user_version", &version, e) != 0 ||
        history_db_ask(h, "PRAGMA application_id", &application, e) != 0 ||
        history_db_ask(h, "SELECT count(*) FROM sqlite_master", &tables, e) != 0)
        return -1;
    if (application != HISTORY_DB_MARK && (application != 0 || version != 0 || tables != 0))
        return err_set(e, "%.300s: a database, but not soak's history", h->path);
    if (history_db_check_schema(h, version, e) != 0)
        return -1;
    for (; version < VERSION; version++)
        if (step_up(h, version, e) != 0)
            return -1;
    return 0;
}

int history_db_migrate(struct history_db *h, struct err *e)
{
    int64_t version = 0;
    if (history_db_ask(h, "PRAGMA user_version", &version, e) != 0)
        return -1;
    if (version == VERSION)
        return bring_up(h, e);
    if (history_db_execute(h, "BEGIN IMMEDIATE", e) != 0)
        return -1;
    if (bring_up(h, e) == 0)
        return history_db_execute(h, "COMMIT", e);
    history_db_execute(h, "ROLLBACK", NULL);
    return -1;
}

/* Of several that open a new file, or one whose last owner just leaves, all but one are told that
 * it is busy without SQLite's own waiting. WAL: whoever reads doesn't wait for whoever writes. */
static int set_wal(struct history_db *h, struct err *e)
{
    uint64_t end = clock_now_ns() + (uint64_t)HISTORY_DB_WAIT_MS * 1000000;
    while (history_db_execute(h, "PRAGMA journal_mode = WAL", e) != 0) {
        if (sqlite3_errcode(h->db) != SQLITE_BUSY || clock_now_ns() > end)
            return -1;
        sqlite3_sleep(10);
    }
    return 0;
}

/* A crash of the machine may take the last runs from it, never its form: synchronous = NORMAL. */
static int prepare_file(struct history_db *h, struct err *e)
{
    return set_wal(h, e) == 0 && history_db_execute(h, "PRAGMA synchronous = NORMAL", e) == 0 &&
                   history_db_execute(h, "PRAGMA foreign_keys = ON", e) == 0
               ? history_db_migrate(h, e)
               : -1;
}

/* SQLite would let others read it; what it keeps beside a file has that file's mode. Only one that
 * isn't there: to close a database's descriptor takes the locks that SQLite has on it. */
static void make_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

struct history_db *history_db_open(const char *path, struct err *e)
{
    make_private(path);
    struct history_db *h =
        history_db_connect(path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if ((sqlite3_errcode(h->db) == SQLITE_OK ? prepare_file(h, e) : history_db_refuse(h, e)) == 0)
        return h;
    history_db_close(h);
    return NULL;
}

/* ---- writing ---- */

static void bind_number(sqlite3_stmt *s, int at, double value)
{
    if (isfinite(value))
        sqlite3_bind_double(s, at, value);
    else
        sqlite3_bind_null(s, at);
}

static void bind_run(sqlite3_stmt *s, const struct history_run *run)
{
    const char *const text[] = {
#define VALUE(member) run->member,
        HISTORY_RUN_TEXTS(VALUE)
#undef VALUE
    };
    for (int i = 0; i < TEXTS; i++)
        sqlite3_bind_text(s, i + 1, text[i] ? text[i] : "", -1, SQLITE_STATIC);
    sqlite3_bind_int(s, TEXTS + 1, run->exit_code);
    sqlite3_bind_int64(s, TEXTS + 2, (sqlite3_int64)run->conns);
    sqlite3_bind_int64(s, TEXTS + 3, (sqlite3_int64)run->closed);
    bind_number(s, TEXTS + 4, run->seconds);
    bind_number(s, TEXTS + 5, run->one_in);
}

static int add_figures(struct history_db *h, const struct history_run *run, struct err *e)
{
    sqlite3_int64 id = sqlite3_last_insert_rowid(h->db);
    sqlite3_stmt *s = history_db_prepare(h, "INSERT OR REPLACE INTO figure VALUES (?, ?, ?)", e);
    int rc = s ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < run->figures; i++) {
        if (!isfinite(run->figure[i].value))
            continue;
        sqlite3_bind_int64(s, 1, id);
        sqlite3_bind_text(s, 2, run->figure[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_double(s, 3, run->figure[i].value);
        rc = sqlite3_step(s) == SQLITE_DONE ? 0 : history_db_refuse(h, e);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    return rc;
}

static int add_run(struct history_db *h, const struct history_run *run, struct err *e)
{
    sqlite3_stmt *s = history_db_prepare(h,
                                         "INSERT OR REPLACE INTO run (" HISTORY_COLUMNS
                                         ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                         e);
    if (!s)
        return -1;
    bind_run(s, run);
    int rc = sqlite3_step(s) == SQLITE_DONE ? 0 : history_db_refuse(h, e);
    sqlite3_finalize(s);
    return rc == 0 ? add_figures(h, run, e) : -1;
}

int history_db_add(struct history_db *h, const struct history_run *run, struct err *e)
{
    if (history_db_execute(h, "SAVEPOINT adding", e) != 0)
        return -1;
    if (add_run(h, run, e) == 0)
        return history_db_execute(h, "RELEASE adding", e);
    history_db_execute(h, "ROLLBACK TO adding; RELEASE adding", NULL);
    return -1;
}

/* ---- reading ---- */

static double number_at(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? NAN : sqlite3_column_double(s, column);
}

static struct history_run run_at(sqlite3_stmt *s)
{
    int column = 0;
    struct history_run run = {.figures = 0};
#define READ(member) run.member = text_at(s, column++);
    HISTORY_RUN_TEXTS(READ)
#undef READ
    run.exit_code = sqlite3_column_int(s, TEXTS);
    run.conns = (uint64_t)sqlite3_column_int64(s, TEXTS + 1);
    run.closed = (uint64_t)sqlite3_column_int64(s, TEXTS + 2);
    run.seconds = number_at(s, TEXTS + 3);
    run.one_in = number_at(s, TEXTS + 4);
    run.id = sqlite3_column_int64(s, TEXTS + 5);
    return run;
}

int history_db_runs(struct history_db *h, const char *scenario, history_take_run *take, void *ctx,
                    struct err *e)
{
    int rc;
    sqlite3_stmt *s = history_db_prepare(h,
                                         "SELECT " HISTORY_COLUMNS
                                         ", id FROM run WHERE ?1 IS NULL OR scenario = ?1 "
                                         "ORDER BY scenario, library, machine, settings, time, id",
                                         e);
    if (!s)
        return -1;
    sqlite3_bind_text(s, 1, scenario, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct history_run run = run_at(s);
        take(ctx, &run);
    }
    rc = rc == SQLITE_DONE ? 0 : history_db_refuse(h, e);
    sqlite3_finalize(s);
    return rc;
}

int history_db_figures(struct history_db *h, int64_t run, history_take_figure *take, void *ctx,
                       struct err *e)
{
    int rc;
    sqlite3_stmt *s =
        history_db_prepare(h, "SELECT name, value FROM figure WHERE run = ? ORDER BY name", e);
    if (!s)
        return -1;
    sqlite3_bind_int64(s, 1, run);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct history_figure figure = {text_at(s, 0), sqlite3_column_double(s, 1)};
        take(ctx, &figure);
    }
    rc = rc == SQLITE_DONE ? 0 : history_db_refuse(h, e);
    sqlite3_finalize(s);
    return rc;
}

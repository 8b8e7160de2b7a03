/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/history_db.h"
#include "archive/history_file.h"

#include "tests/unit/remove_tree.h"

#include <grp.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static char folder[PATH_MAX / 2], path[PATH_MAX];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_history_db.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/history.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return remove_tree(folder);
}

static struct history_db *open_db(void)
{
    struct err e = {""};
    struct history_db *db = history_db_open(path, &e);
    if (!db)
        fail_msg("%s", e.text);
    return db;
}

static struct history_run run_at(const char *time)
{
    static const struct history_figure figure[] = {
        {"server.rss", 11943936}, {"handshake_p50", 1638399}, {"server.odd", NAN}};
    return (struct history_run){.scenario = "default",
                                .settings = "ab",
                                .library = "openssl 3.0.19",
                                .machine = "vm",
                                .time = time,
                                .seed = "1",
                                .folder = "/r/1",
                                .verdict = "PASS",
                                .soak = "0.1.0",
                                .closed = 2000,
                                .conns = 5,
                                .seconds = 1.5,
                                .one_in = NAN,
                                .figures = 3,
                                .figure = figure};
}

static void add(struct history_db *db, const char *time)
{
    struct err e = {""};
    struct history_run run = run_at(time);
    if (history_db_add(db, &run, &e) != 0)
        fail_msg("%s", e.text);
}

/* What was read, as text. */
static char seen[4096];

static void see_run(void *ctx, const struct history_run *run)
{
    int64_t *id = ctx;
    size_t used = strlen(seen);
    *id = run->id;
    snprintf(seen + used, sizeof seen - used, "%s %s %s;", run->scenario, run->time, run->verdict);
    assert_true(isnan(run->one_in) && run->closed == 2000 && run->conns == 5);
}

static void see_figure(void *ctx, const struct history_figure *figure)
{
    (void)ctx;
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "%s=%.0f;", figure->name, figure->value);
}

static const char *read_all(struct history_db *db, const char *scenario, int64_t *ret_last)
{
    struct err e = {""};
    seen[0] = '\0';
    if (history_db_runs(db, scenario, see_run, ret_last, &e) != 0)
        fail_msg("%s", e.text);
    return seen;
}

static void a_run_comes_back_with_its_figures(void **state)
{
    (void)state;
    int64_t id = 0;
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    history_db_close(db);
    db = open_db();
    assert_string_equal(read_all(db, NULL, &id), "default 2026-11-20T02:17:00Z PASS;");
    seen[0] = '\0';
    assert_int_equal(history_db_figures(db, id, see_figure, NULL, NULL), 0);
    /* By name, without what was no number. */
    assert_string_equal(seen, "handshake_p50=1638399;server.rss=11943936;");
    history_db_close(db);
}

static void runs_come_in_the_order_of_time_and_each_once(void **state)
{
    (void)state;
    int64_t id;
    struct history_db *db = open_db();
    add(db, "2026-11-21T02:17:00Z");
    add(db, "2026-11-20T02:17:00Z");
    add(db, "2026-11-21T02:17:00Z");
    assert_string_equal(read_all(db, "default", &id),
                        "default 2026-11-20T02:17:00Z PASS;default 2026-11-21T02:17:00Z PASS;");
    assert_string_equal(read_all(db, "other", &id), "");
    history_db_close(db);
}

/* With the same seed, in the same second. */
static void runs_of_two_libraries_are_two(void **state)
{
    (void)state;
    int64_t id;
    struct err e = {""};
    struct history_db *db = open_db();
    struct history_run run = run_at("2026-11-21T02:17:00Z");
    add(db, run.time);
    run.library = "openssl 3.5.7";
    assert_int_equal(history_db_add(db, &run, &e), 0);
    run.settings = "cd";
    assert_int_equal(history_db_add(db, &run, &e), 0);
    read_all(db, NULL, &id);
    assert_int_equal(strlen(seen), 3 * strlen("default 2026-11-21T02:17:00Z PASS;"));
    history_db_close(db);
}

static void expect_refused(const char *sentence)
{
    struct err e = {""};
    struct history_db *db = history_db_open(path, &e);
    if (db)
        fail_msg("it was opened");
    assert_non_null(strstr(e.text, "/history.db: "));
    if (!strstr(e.text, sentence))
        fail_msg("%s", e.text);
}

static void execute(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void what_is_no_history_is_refused(void **state)
{
    (void)state;
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", out);
    fclose(out);
    expect_refused("not a database");
    unlink(path);
    execute("CREATE TABLE theirs (a)");
    expect_refused("a database, but not soak's history");
}

static void one_of_a_later_soak_is_refused_and_left_alone(void **state)
{
    (void)state;
    history_db_close(open_db());
    execute("PRAGMA user_version = 99");
    expect_refused("written by a later soak (form 99; this one knows ");
    execute("INSERT INTO figure VALUES (1, 'a', 1)");
}

/* A file that was made and not yet filled, as a crash between both leaves it, is brought to today's
 * form; and what was there before is kept. */
static void an_older_one_is_brought_to_todays_form(void **state)
{
    (void)state;
    int64_t id;
    execute("PRAGMA application_id = 1936679275");
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    assert_string_equal(read_all(db, NULL, &id), "default 2026-11-20T02:17:00Z PASS;");
    history_db_close(db);
}

static void a_locked_one_is_waited_for_and_then_refused(void **state)
{
    (void)state;
    struct err e = {""};
    sqlite3 *other;
    struct history_db *db = open_db();
    struct history_run run = run_at("2026-11-20T02:17:00Z");
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(history_db_add(db, &run, &e), -1);
    assert_non_null(strstr(e.text, "another process holds it locked"));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    add(db, "2026-11-20T02:17:00Z");
    history_db_close(db);
}

static void write_twenty(int from)
{
    struct err e = {""};
    struct history_db *db = history_db_open(path, &e);
    for (int i = 0; db && i < 20; i++) {
        char time[32];
        snprintf(time, sizeof time, "2026-11-%02dT%02d:00:00Z", from, i);
        struct history_run run = run_at(time);
        if (history_db_add(db, &run, &e) != 0)
            _exit(1);
    }
    _exit(db ? 0 : 1);
}

static void count_run(void *ctx, const struct history_run *run)
{
    (void)run;
    ++*(int *)ctx;
}

/* A suite's shards, or two suites, on one machine: even the first, which makes the file. */
static void several_processes_write_at_a_time(void **state)
{
    (void)state;
    int status, count = 0;
    for (int i = 1; i <= 4; i++)
        if (fork() == 0)
            write_twenty(i);
    for (int i = 0; i < 4; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    struct history_db *db = open_db();
    assert_int_equal(history_db_runs(db, NULL, count_run, &count, NULL), 0);
    assert_int_equal(count, 80);
    history_db_close(db);
}

/* The log of what was there before isn't read as the new one's. */
static void a_new_one_takes_its_place_and_the_old_one_is_kept(void **state)
{
    (void)state;
    int64_t id;
    char made[PATH_MAX + 8], old[PATH_MAX + 8], log[PATH_MAX + 8];
    snprintf(made, sizeof made, "%s.new", path);
    snprintf(old, sizeof old, "%s.old", path);
    snprintf(log, sizeof log, "%s-wal", path);
    struct history_db *before = open_db();
    add(before, "2026-11-20T02:17:00Z");
    assert_int_equal(access(log, F_OK), 0);
    struct history_db *db = history_db_open(made, NULL);
    assert_non_null(db);
    add(db, "2026-11-25T02:17:00Z");
    history_db_close(db);
    assert_int_equal(history_file_replace(path, made, NULL), 0);
    assert_int_equal(access(old, F_OK), 0);
    assert_int_not_equal(access(log, F_OK), 0);
    db = open_db();
    assert_string_equal(read_all(db, NULL, &id), "default 2026-11-25T02:17:00Z PASS;");
    history_db_close(db);
    history_db_close(before);
}

/* ---- reading ---- */

/* As a reader without rights finds it: root has all, so the test gives its own up. */
static int as_nobody(int (*act)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        bool given_up = geteuid() != 0 || (setgroups(0, NULL) == 0 && setuid(65534) == 0);
        _exit(given_up ? act() : 99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int reads_one_run(void)
{
    int count = 0;
    struct err e = {""};
    struct history_db *db = history_db_read(path, &e);
    if (!db || history_db_runs(db, NULL, count_run, &count, &e) != 0)
        fprintf(stderr, "%s\n", e.text);
    history_db_close(db);
    return count == 1 ? 0 : 1;
}

static int is_told_of_the_log(void)
{
    struct err e = {""};
    struct history_db *db = history_db_read(path, &e);
    fprintf(stderr, "%s\n", e.text);
    history_db_close(db);
    return !db && strstr(e.text, "its last runs are in its log") ? 0 : 1;
}

static void make_read_only(mode_t file, mode_t of_folder)
{
    assert_int_equal(chmod(path, file), 0);
    assert_int_equal(chmod(folder, of_folder), 0);
}

/* Also when its name has what a URI uses. */
static void a_read_only_one_is_read(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/100%% a?b#c.db", folder);
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    history_db_close(db);
    make_read_only(0444, 0555);
    assert_int_equal(as_nobody(reads_one_run), 0);
    make_read_only(0666, 0555);
    assert_int_equal(as_nobody(reads_one_run), 0);
    make_read_only(0444, 0777);
    assert_int_equal(as_nobody(reads_one_run), 0);
    make_read_only(0644, 0755);
}

/* Not told, its last runs would be missing without a word: SQLite passes over a log then. */
static void a_read_only_one_with_a_log_is_refused(void **state)
{
    (void)state;
    char log[PATH_MAX + 8], kept[PATH_MAX + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    snprintf(kept, sizeof kept, "%s-kept", path);
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    assert_int_equal(link(log, kept), 0);
    history_db_close(db);
    assert_int_equal(rename(kept, log), 0);
    make_read_only(0444, 0555);
    assert_int_equal(as_nobody(is_told_of_the_log), 0);
    make_read_only(0644, 0755);
}

/* What was written is there, even if it is only in the log yet; and the reader leaves no trace. */
static void it_is_read_while_another_writes(void **state)
{
    (void)state;
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    assert_int_equal(reads_one_run(), 0);
    history_db_close(db);
    assert_int_equal(reads_one_run(), 0);
    char log[PATH_MAX + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    assert_int_not_equal(access(log, F_OK), 0);
}

/* ---- several processes ---- */

/* A run that records while the history is made again. */
static void what_is_recorded_during_a_rebuild_is_taken_along(void **state)
{
    (void)state;
    int64_t id;
    char made[PATH_MAX + 8];
    snprintf(made, sizeof made, "%s.new", path);
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    history_db_close(db);
    struct history_mark before = history_file_mark(path);
    history_db_close(history_db_open(made, NULL));
    db = open_db();
    add(db, "2026-11-21T02:17:00Z");
    history_db_close(db);
    int hold = history_file_hold(path, HISTORY_REPLACE, NULL);
    assert_true(hold >= 0);
    assert_int_equal(history_file_catch_up(path, &before, made, NULL), 0);
    assert_int_equal(history_file_replace(path, made, NULL), 0);
    history_file_let_go(hold);
    db = open_db();
    assert_string_equal(read_all(db, NULL, &id), "default 2026-11-21T02:17:00Z PASS;");
    seen[0] = '\0';
    assert_int_equal(history_db_figures(db, id, see_figure, NULL, NULL), 0);
    assert_string_equal(seen, "handshake_p50=1638399;server.rss=11943936;");
    history_db_close(db);
}

/* It was made again by another process meanwhile, or by the recorder itself: all of it counts. */
static void of_another_file_all_is_taken_along(void **state)
{
    (void)state;
    int64_t id;
    char made[PATH_MAX + 8];
    snprintf(made, sizeof made, "%s.new", path);
    struct history_mark before = history_file_mark(path);
    struct history_db *db = open_db();
    add(db, "2026-11-21T02:17:00Z");
    history_db_close(db);
    assert_int_equal(history_file_catch_up(path, &before, made, NULL), 0);
    assert_int_equal(history_file_replace(path, made, NULL), 0);
    db = open_db();
    assert_string_equal(read_all(db, NULL, &id), "default 2026-11-21T02:17:00Z PASS;");
    history_db_close(db);
}

static void nobody_replaces_what_another_has_open(void **state)
{
    (void)state;
    int first = history_file_hold(path, HISTORY_WRITE, NULL);
    int second = history_file_hold(path, HISTORY_WRITE, NULL);
    assert_true(first >= 0 && second >= 0);
    history_file_let_go(first);
    history_file_let_go(second);
    struct err e = {""};
    int alone = history_file_hold(path, HISTORY_REPLACE, NULL);
    assert_true(alone >= 0);
    assert_int_equal(history_file_hold(path, HISTORY_WRITE, &e), -1);
    assert_non_null(strstr(e.text, "/history.db: another process holds it locked"));
    history_file_let_go(alone);
}

/* ---- a broken one ---- */

static void write_at(long offset, const char *text)
{
    FILE *out = fopen(path, "r+");
    assert_non_null(out);
    assert_int_equal(fseek(out, offset, SEEK_SET), 0);
    fputs(text, out);
    fclose(out);
}

static void a_broken_one_is_known_and_set_aside(void **state)
{
    (void)state;
    struct err e = {""};
    char aside[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        history_db_close(open_db());
        assert_false(history_file_is_broken(path, &e));
        write_at(i == 0 ? 0 : 4096, "a sector of something else");
        assert_true(history_file_is_broken(path, &e));
        assert_non_null(strstr(e.text, "/history.db: "));
        assert_int_equal(history_file_set_aside(path, aside, &e), 0);
        assert_string_equal(strrchr(aside, '/'),
                            i == 0 ? "/history.db.broken" : "/history.db.broken-2");
        assert_int_equal(access(aside, F_OK), 0);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_false(history_file_is_broken(path, &e));
}

/* Neither one that is locked, nor what isn't soak's, nor what only somebody named by mistake. */
static void what_is_not_broken_is_left_alone(void **state)
{
    (void)state;
    sqlite3 *other;
    history_db_close(open_db());
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_false(history_file_is_broken(path, NULL));
    sqlite3_close(other);
    execute("PRAGMA user_version = 99");
    assert_false(history_file_is_broken(path, NULL));
    snprintf(path, sizeof path, "%s/letter.txt", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("Dear all, this is no database, however long it becomes in the end: it is a letter.",
          out);
    fclose(out);
    assert_false(history_file_is_broken(path, NULL));
}

/* ---- a hostile one ---- */

/* Of a new history. */
enum { PAGE = 4096, PAGES = 5 };

/* Most significant byte first, as SQLite's files have all numbers. */
static void store(unsigned char *to, uint32_t n, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(n >> (8 * (bytes - 1 - i)));
}

static void put_number(FILE *out, uint32_t n)
{
    unsigned char bytes[4];
    store(bytes, n, 4);
    assert_int_equal(fwrite(bytes, 1, 4, out), 4);
}

/* As www.sqlite.org's "Database File Format" has it: a header that changes nothing, then the name
 * of the journal that it is a part of. */
static void put_journal(const char *super)
{
    static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    uint32_t sum = 0, length = (uint32_t)strlen(super);
    char journal[PATH_MAX + 16];
    snprintf(journal, sizeof journal, "%s-journal", path);
    FILE *out = fopen(journal, "w");
    assert_non_null(out);
    fwrite(magic, 1, sizeof magic, out);
    put_number(out, 0);
    put_number(out, 0);
    put_number(out, PAGES);
    put_number(out, 512);
    put_number(out, PAGE);
    assert_int_equal(fseek(out, 512, SEEK_SET), 0);
    put_number(out, 0x40000000 / PAGE + 1);
    fputs(super, out);
    for (const char *p = super; *p; p++)
        sum += (unsigned char)*p;
    put_number(out, length);
    put_number(out, sum);
    fwrite(magic, 1, sizeof magic, out);
    fclose(out);
}

/* In the three ways in which a file is opened. */
static void open_in_each_way(void)
{
    history_db_close(history_db_read(path, NULL));
    history_file_is_broken(path, NULL);
    history_db_close(history_db_open(path, NULL));
}

static void its_journal_removes_no_other_file(void **state)
{
    (void)state;
    char precious[PATH_MAX + 16];
    snprintf(precious, sizeof precious, "%s/precious", folder);
    FILE *out = fopen(precious, "w");
    assert_non_null(out);
    fputs("of the reader", out);
    fclose(out);
    history_db_close(open_db());
    for (int i = 0; i < 3; i++) {
        put_journal(precious);
        if (i == 0)
            history_db_close(history_db_read(path, NULL));
        else if (i == 1)
            history_file_is_broken(path, NULL);
        else
            history_db_close(history_db_open(path, NULL));
        assert_int_equal(access(precious, F_OK), 0);
    }
}

/* Which would be waited for. */
static void a_pipe_in_the_place_of_its_journal_is_not_opened(void **state)
{
    (void)state;
    char journal[PATH_MAX + 16];
    snprintf(journal, sizeof journal, "%s-journal", path);
    history_db_close(open_db());
    assert_int_equal(mkfifo(journal, 0600), 0);
    open_in_each_way();
}

/* Each is evaluated when the file is read or a run added. */
static void one_with_more_than_soak_makes_is_refused(void **state)
{
    (void)state;
    static const char *const more[] = {
        "DROP TABLE run; CREATE VIEW run AS WITH RECURSIVE n(i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'a' AS scenario, 'b' AS settings,"
        " 'c' AS library, 'd' AS machine, 'e' AS time, 'f' AS seed, 'g' AS folder, 'h' AS verdict,"
        " 'i' AS soak, 0 AS exit, 1 AS conns, 2 AS closed, 3 AS seconds, 4 AS one_in, i AS id"
        " FROM n",
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM run; END",
        "CREATE INDEX i ON figure (hex(name))",
        "ALTER TABLE figure ADD COLUMN more AS (hex(name))",
        "CREATE TABLE other (a CHECK (length(hex(a)) > 1))",
    };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct err e = {""};
        history_db_close(open_db());
        execute(more[i]);
        expect_refused("its tables aren't those that soak makes, or not the only ones");
        assert_null(history_db_read(path, &e));
        assert_non_null(strstr(e.text, "its tables aren't those that soak makes"));
        assert_false(history_file_is_broken(path, NULL));
        unlink(path);
    }
}

/* An inner page of a table: each of its cells leads to the same page. */
static void lead_to(unsigned char *page, size_t header, uint32_t below)
{
    enum { CELLS = 400, CELL = 5 };
    unsigned char *at = page + header;
    memset(at, 0, PAGE - header);
    at[0] = 0x05;
    store(at + 3, CELLS, 2);
    store(at + 5, PAGE - CELLS * CELL, 2);
    store(at + 8, below, 4);
    for (int i = 0; i < CELLS; i++) {
        store(at + 12 + 2 * i, (uint32_t)(PAGE - (i + 1) * CELL), 2);
        store(page + PAGE - (i + 1) * CELL, below, 4);
        page[PAGE - (i + 1) * CELL + 4] = 1;
    }
}

/* Puts LEVELS of inner pages above the leaf that is the whole of a table: 400 to the power of that
 * times as many rows. `root`, counted from 0; behind the file's header, if it is the first page. */
static void multiply(uint32_t root)
{
    enum { LEVELS = 12, LEAF = PAGES, ALL = PAGES + LEVELS, HEADER = 100 };
    size_t header = root == 0 ? HEADER : 0;
    static unsigned char page[ALL][PAGE];
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fread(page, PAGE, PAGES, file), PAGES);
    memcpy(page[LEAF], page[root], PAGE);
    memmove(page[LEAF], page[LEAF] + header, HEADER);
    for (uint32_t i = LEAF + 1; i < ALL; i++)
        lead_to(page[i], 0, i); /* they are counted from 1: the one before */
    lead_to(page[root], header, ALL);
    store(page[0] + 28, ALL, 4);
    rewind(file);
    assert_int_equal(fwrite(page, PAGE, ALL, file), ALL);
    fclose(file);
}

static void one_whose_list_of_tables_has_no_end_is_refused(void **state)
{
    (void)state;
    history_db_close(open_db());
    multiply(0);
    expect_refused("the list of its tables has no end");
    open_in_each_way();
}

static void one_whose_runs_have_no_end_is_refused(void **state)
{
    (void)state;
    struct err e = {""};
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    history_db_close(db);
    multiply(1);
    assert_null(history_db_read(path, &e));
    assert_non_null(strstr(e.text, "/history.db: database disk image is malformed"));
}

/* What a person may do with it. */
static void one_that_was_analyzed_is_read(void **state)
{
    (void)state;
    struct history_db *db = open_db();
    add(db, "2026-11-20T02:17:00Z");
    history_db_close(db);
    execute("ANALYZE; VACUUM");
    assert_int_equal(reads_one_run(), 0);
}

#define IN_A_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_run_comes_back_with_its_figures),
        IN_A_FOLDER(runs_come_in_the_order_of_time_and_each_once),
        IN_A_FOLDER(runs_of_two_libraries_are_two),
        IN_A_FOLDER(what_is_no_history_is_refused),
        IN_A_FOLDER(one_of_a_later_soak_is_refused_and_left_alone),
        IN_A_FOLDER(an_older_one_is_brought_to_todays_form),
        IN_A_FOLDER(a_locked_one_is_waited_for_and_then_refused),
        IN_A_FOLDER(several_processes_write_at_a_time),
        IN_A_FOLDER(a_new_one_takes_its_place_and_the_old_one_is_kept),
        IN_A_FOLDER(a_read_only_one_is_read),
        IN_A_FOLDER(a_read_only_one_with_a_log_is_refused),
        IN_A_FOLDER(it_is_read_while_another_writes),
        IN_A_FOLDER(what_is_recorded_during_a_rebuild_is_taken_along),
        IN_A_FOLDER(of_another_file_all_is_taken_along),
        IN_A_FOLDER(nobody_replaces_what_another_has_open),
        IN_A_FOLDER(a_broken_one_is_known_and_set_aside),
        IN_A_FOLDER(what_is_not_broken_is_left_alone),
        IN_A_FOLDER(its_journal_removes_no_other_file),
        IN_A_FOLDER(a_pipe_in_the_place_of_its_journal_is_not_opened),
        IN_A_FOLDER(one_with_more_than_soak_makes_is_refused),
        IN_A_FOLDER(one_whose_list_of_tables_has_no_end_is_refused),
        IN_A_FOLDER(one_whose_runs_have_no_end_is_refused),
        IN_A_FOLDER(one_that_was_analyzed_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/history_db.h"

#include "tests/unit/remove_tree.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    assert_int_equal(history_db_replace(path, made, NULL), 0);
    assert_int_equal(access(old, F_OK), 0);
    assert_int_not_equal(access(log, F_OK), 0);
    db = open_db();
    assert_string_equal(read_all(db, NULL, &id), "default 2026-11-25T02:17:00Z PASS;");
    history_db_close(db);
    history_db_close(before);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

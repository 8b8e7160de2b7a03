/* SPDX-License-Identifier: Apache-2.0 */
#include "week_sim.h"

#include "tests/unit/remove_tree.h"

#include <jansson.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE_BYTES = 4096, PAGE_BYTES = 1 << 20, GROWTH_BYTES = 1 << 16 };
static const uint64_t WEEK_S = 604800, SPIKE_BYTES = 1 << 30;

static char base[PATH_MAX];
static struct week *week;

static int begin(void **state)
{
    (void)state;
    strcpy(base, "/tmp/test_week.XXXXXX");
    week = malloc(sizeof *week);
    return week && mkdtemp(base) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(week);
    return remove_tree(base);
}

/* A week; its folder's path stays, as does `week` until the next one. */
static enum verdict run_week(const struct week_server *server, char path[PATH_MAX])
{
    week_begin(week, server, WEEK_S * WEEK_PER_S, base);
    week_run(week);
    enum verdict verdict = week_publish(week);
    snprintf(path, PATH_MAX, "%s", week->run.dir.path);
    assert_in_range(week->ticks, WEEK_S - PAGE_EPOCHS, WEEK_S);
    return verdict;
}

static char *file_in(const char *folder, const char *name, char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%.4000s/%s", folder, name) >= PATH_MAX)
        fail_msg("%s", folder);
    return path;
}

static size_t size_of(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    assert_int_equal(stat(file_in(folder, name, path), &status), 0);
    return (size_t)status.st_size;
}

/* ---- samples ---- */

struct lines {
    size_t ticks;
    json_t *others; /* owned: what the verdict stands on, but for soak's own figures */
    bool spike;
};

static void add_line(struct lines *l, json_t *line)
{
    const json_t *process = json_object_get(json_object_get(line, "server"), "process");
    json_int_t rss = json_integer_value(json_object_get(process, "rss"));
    bool tick = strcmp(json_string_value(json_object_get(line, "kind")), "tick") == 0;
    l->spike |= tick && (uint64_t)rss > SPIKE_BYTES;
    l->ticks += tick;
    json_object_del(line, "soak");
    if (!tick)
        json_array_append(l->others, line);
}

static struct lines read_lines(const char *folder)
{
    struct lines l = {.others = json_array()};
    char path[PATH_MAX], *text = NULL;
    size_t room = 0;
    FILE *in = fopen(file_in(folder, "samples.jsonl", path), "r");
    assert_non_null(in);
    for (ssize_t n; (n = getline(&text, &room, in)) > 0;) {
        json_t *line = json_loadb(text, (size_t)n, 0, NULL);
        assert_non_null(line);
        assert_true(n <= LINE_BYTES);
        add_line(&l, line);
        json_decref(line);
    }
    free(text);
    fclose(in);
    return l;
}

/* The result, but for where and when it was. */
static json_t *read_result(const char *folder)
{
    char path[PATH_MAX];
    json_t *result = json_load_file(file_in(folder, "result.json", path), 0, NULL);
    assert_non_null(result);
    json_object_del(result, "run_dir");
    json_object_del(result, "time");
    return result;
}

static void expect_the_same(const char *one, const char *other)
{
    json_t *a = read_result(one), *b = read_result(other);
    struct lines of_a = read_lines(one), of_b = read_lines(other);
    assert_true(json_equal(a, b));
    assert_true(json_equal(of_a.others, of_b.others));
    assert_int_equal(of_b.ticks, 0);
    json_decref(a);
    json_decref(b);
    json_decref(of_a.others);
    json_decref(of_b.others);
}

/* ---- what a folder is good for ---- */

/* A command over folders; what it said is in `said`. Returns its exit code. */
__attribute__((format(printf, 2, 3))) static int soak(char said[LINE_BYTES], const char *format,
                                                      ...)
{
    char words[2 * PATH_MAX], command[4 * PATH_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    int n = snprintf(command, sizeof command, "SOAK_HISTORY=%s/history.db %s %s 2>&1", base,
                     SOAK_PROGRAM, words);
    assert_in_range(n, 1, sizeof command - 1);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    said[fread(said, 1, LINE_BYTES - 1, out)] = '\0';
    while (fgetc(out) != EOF)
        ;
    int status = pclose(out);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_that_all_commands_open(const char *one, const char *other)
{
    char said[LINE_BYTES];
    assert_int_equal(soak(said, "report %s", one), 0);
    assert_non_null(strstr(said, "PASS  nothing grows over 604,7"));
    assert_null(strstr(said, "look closer")); /* ten times as rare would take 207 days */
    assert_int_equal(soak(said, "history add %s %s", one, other), 0);
    assert_non_null(strstr(said, "2 runs added to "));
    assert_int_equal(soak(said, "compare %s %s", one, other), 0);
    assert_non_null(strstr(said, "SAME"));
    assert_int_equal(soak(said, "shorten %s", one), 2);
    assert_non_null(strstr(said, "PASS, and only a LEAK can be shortened"));
}

/* ---- the weeks ---- */

static void expect_little(const char *folder, size_t epochs)
{
    struct lines l = read_lines(folder);
    assert_in_range(l.ticks, SAMPLE_LOG_MOST / 4, SAMPLE_LOG_MOST);
    assert_int_equal(json_array_size(l.others), epochs + 2); /* drained, flushed */
    assert_true(l.spike);
    json_decref(l.others);
    assert_true(size_of(folder, "report.html") <= PAGE_BYTES);
    assert_true(size_of(folder, "result.json") <= PAGE_BYTES);
}

/* By which a history tells runs of one seed apart. */
static void await_next_second(void)
{
    const struct timespec again = {.tv_nsec = 10000000};
    for (time_t now = time(NULL); time(NULL) == now;)
        nanosleep(&again, NULL);
}

static void a_clean_week_leaves_little_and_what_it_leaves_out_decides_nothing(void **state)
{
    (void)state;
    char path[PATH_MAX], unsampled[PATH_MAX];
    const struct week_server clean = {.unsampled = false}, quiet = {.unsampled = true};
    assert_int_equal(run_week(&clean, path), VERDICT_PASS);
    size_t epochs = history_epochs(week->run.watched[0].history);
    assert_in_range(epochs, 20, PAGE_EPOCHS);
    assert_true(week->run.watched[0].judgement.sensitivity.one_in > 30e6);
    assert_true(week->own_most <= week->own_first_day + GROWTH_BYTES);
    week_end(week);
    expect_little(path, epochs);
    await_next_second();
    assert_int_equal(run_week(&quiet, unsampled), VERDICT_PASS);
    week_end(week);
    expect_the_same(path, unsampled);
    expect_that_all_commands_open(path, unsampled);
}

static void one_block_in_a_million_connections_is_found_where_it_is_lost(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const struct week_server leaks = {.leaks_one_in = 1000000, .unsampled = true};
    assert_int_equal(run_week(&leaks, path), VERDICT_LEAK);
    const struct judge_finding *f = &week->run.watched[0].judgement.finding[0];
    uint32_t line;
    assert_string_equal(history_site(week->run.watched[0].history, f->site, &line), "ssl/lost.c");
    assert_true(f->per_conn_blocks > 0.99e-6 && f->per_conn_blocks < 1.01e-6);
    assert_int_equal(week->run.watched[1].judgement.verdict, VERDICT_PASS);
    week_end(week);
}

/* It grows for half a day, as a leak does. */
static void a_cache_that_fills_slowly_is_no_leak(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const struct week_server caches = {.cache = 50000, .caches_one_in = 1000, .unsampled = true};
    assert_int_equal(run_week(&caches, path), VERDICT_PASS);
    assert_int_equal(week->cached, 50000);
    week_end(week);
}

int main(void)
{
#define WEEK_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        WEEK_TEST(a_clean_week_leaves_little_and_what_it_leaves_out_decides_nothing),
        WEEK_TEST(one_block_in_a_million_connections_is_found_where_it_is_lost),
        WEEK_TEST(a_cache_that_fills_slowly_is_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include "evidence/loop.h"
#include "stats/judge/plan_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 12, LARGEST = 1200, CLIENT_SITE = 1, CACHE_SITE = 2, SITES = 3 };

/* Runs as they are made, each with so many blocks at the one site and at the other. */
static struct loop_record *made;
static struct history *history;
static uint64_t asked[PAGE_EPOCHS];

static void put(struct snapshot_site *site, const char *file, int64_t blocks)
{
    snprintf(site->file, sizeof site->file, "%s", file);
    site->line = 7;
    site->blocks = blocks;
    site->bytes = 40 * blocks;
}

static void add_run(uint64_t connections, int64_t lost, int64_t cached)
{
    struct snapshot_site site[SITES];
    memset(site, 0, sizeof site);
    put(&site[CLIENT_SITE], "lost.c", lost);
    put(&site[CACHE_SITE], "cache.c", cached);
    struct loop_run run = {.asked = connections, .made = connections, .seconds = 1};
    run.snapshot = (struct snapshot){
        .mode = PAGE_MODE_HOOKS, .blocks = lost + cached, .sites = SITES, .site = site};
    run.snapshot.app.opened = made->before.app.opened + connections;
    assert_int_equal(loop_record_add(made, &run), 0);
}

static struct judgement judged(void)
{
    static struct judgement j;
    const struct history_question question = {.handshakes = 1000, .load = {.closed = 1000}};
    assert_int_equal(loop_record_fold(made, history), 0);
    history_judge(history, &question, &j);
    return j;
}

static int begin(void **state)
{
    (void)state;
    made = calloc(1, sizeof *made);
    history = history_new();
    plan_loop(LARGEST, RUNS, asked);
    return made && history ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    loop_record_free(made);
    free(made);
    history_free(history);
    return 0;
}

static void forget(void)
{
    loop_record_free(made);
    memset(&made->before, 0, sizeof made->before);
}

static int64_t smaller(uint64_t a, int64_t b)
{
    return (int64_t)a < b ? (int64_t)a : b;
}

static void what_each_connection_loses_is_a_leak(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++)
        add_run(asked[i], (int64_t)asked[i] + 5, 12);
    struct judgement j = judged();
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_int_equal(j.finding[0].site, CLIENT_SITE);
    assert_true(j.finding[0].per_conn_blocks == 1);
    assert_int_equal(j.finding[0].blocks, LARGEST - LARGEST / RUNS);
    assert_non_null(strstr(j.finding[0].why, "runs of 900, 1000, 1100, 1200 connections ended with "
                                             "905, 1005, 1105, 1205 blocks"));
    int64_t start, last;
    history_born(history, CLIENT_SITE, RUNS - 1, &last, &start);
    assert_int_equal(last, LARGEST / RUNS);
}

static void a_table_that_fills_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++)
        add_run(asked[i], 3, smaller(asked[i], 256));
    assert_int_equal(judged().verdict, VERDICT_PASS);
}

/* A machine that gets slower, a file that gets longer: more from run to run, whatever they make. */
static void what_comes_with_the_order_is_no_leak(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++)
        add_run(asked[i], (int64_t)(20 * (i + 1)), 0);
    assert_int_not_equal(judged().verdict, VERDICT_LEAK);
}

static void what_differs_from_run_to_run_is_no_leak(void **state)
{
    (void)state;
    struct rng r = {.state = 7};
    size_t leaks = 0;
    for (int trial = 0; trial < 500; trial++) {
        for (size_t i = 0; i < RUNS; i++)
            add_run(asked[i], 100 + (int64_t)rng_below(&r, 10), 0);
        leaks += judged().verdict == VERDICT_LEAK;
        forget();
    }
    assert_int_equal(leaks, 0);
}

/* How many of so many connections lose a block, where one of `one_in` does by chance. */
static int64_t losses(struct rng *r, uint64_t connections, double one_in)
{
    int64_t count = 0;
    for (uint64_t i = 0; i < connections; i++)
        count += (double)rng_below(r, UINT32_MAX) * one_in < (double)UINT32_MAX;
    return count;
}

/* At the limit that is printed. */
static void what_would_have_shown_shows(void **state)
{
    (void)state;
    enum { TRIALS = 1000 };
    static const size_t runs[] = {12, 16, 24, 48};
    struct rng r = {.state = 1};
    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        size_t found = 0, passed = 0;
        plan_loop(100 * runs[k], runs[k], asked);
        for (size_t i = 0; i < runs[k]; i++)
            add_run(asked[i], 0, 0);
        double one_in = judged().sensitivity.one_in;
        assert_true(one_in > 5);
        forget();
        for (int trial = 0; trial < TRIALS; trial++) {
            for (size_t i = 0; i < runs[k]; i++)
                add_run(asked[i], losses(&r, asked[i], one_in), 0);
            struct judgement j = judged();
            found += j.verdict == VERDICT_LEAK;
            passed += j.verdict == VERDICT_PASS;
            forget();
        }
        print_message("%zu runs, one of %.1f: %zu of %d found, %zu passed\n", runs[k], one_in,
                      found, TRIALS, passed);
        assert_int_equal(passed, 0);
        assert_true(found >= TRIALS * 995 / 1000);
    }
}

/* Runs of a program that holds at its end some blocks at random, of `scatter`, and loses one for
 * each `one_in` connections (0: none). */
static struct judgement scattered(struct rng *r, size_t runs, uint64_t scatter, double one_in)
{
    for (size_t i = 0; i < runs; i++) {
        int64_t lost = one_in > 0 ? losses(r, asked[i], one_in) : 0;
        add_run(asked[i], 1000 + (int64_t)rng_below(r, scatter + 1) + lost, 0);
    }
    struct judgement j = judged();
    forget();
    return j;
}

/* However much runs differ: where that would hide what the run says would have shown, it says so,
 * and where it wouldn't, most pass. */
static void what_scatter_hides_never_passes(void **state)
{
    (void)state;
    enum { TRIALS = 300 };
    static const uint64_t scatter[] = {0, 2, 10, 50, 200, 1000};
    struct rng r = {.state = 5};
    plan_loop(LARGEST, RUNS, asked);
    double one_in = scattered(&r, RUNS, 0, 0).sensitivity.one_in;
    for (size_t k = 0; k < sizeof scatter / sizeof *scatter; k++) {
        size_t missed = 0, found = 0, passed = 0, accused = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            struct judgement clean = scattered(&r, RUNS, scatter[k], 0);
            struct judgement leak = scattered(&r, RUNS, scatter[k], one_in);
            missed += leak.verdict == VERDICT_PASS;
            found += leak.verdict == VERDICT_LEAK;
            passed += clean.verdict == VERDICT_PASS;
            accused += clean.verdict == VERDICT_LEAK;
        }
        print_message("scatter %llu, one of %.1f: of %d leaks %zu found, %zu passed; of as many "
                      "clean runs %zu passed\n",
                      (unsigned long long)scatter[k], one_in, TRIALS, found, missed, passed);
        assert_int_equal(missed, 0);
        assert_int_equal(accused, 0);
        assert_true(scatter[k] > 2 || passed == TRIALS);
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(what_each_connection_loses_is_a_leak), CASE(a_table_that_fills_is_none),
        CASE(what_comes_with_the_order_is_no_leak), CASE(what_differs_from_run_to_run_is_no_leak),
        CASE(what_would_have_shown_shows),          CASE(what_scatter_hides_never_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/watchdog.h"

#include "tests/unit/remove_tree.h"
#include "week_sim.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POLL_MS = 5, SLOW_POLL_MS = 900, WATCHDOG_MS = 60000, HOUR_MS = 3600000 };

static char base[PATH_MAX];
static struct week *week;

/* A run that waits for its programs to settle, which never do. */
static int begin(void **state)
{
    (void)state;
    strcpy(base, "/tmp/test_watchdog.XXXXXX");
    week = malloc(sizeof *week);
    if (!week || !mkdtemp(base))
        return -1;
    week_begin(week, &(struct week_server){.unsampled = true}, 1000, base);
    week->scenario.watchdog_ns = WATCHDOG_MS * UINT64_C(1000000);
    run_state_set(&week->run, RUN_SETTLE);
    return 0;
}

static int end(void **state)
{
    (void)state;
    week_end(week);
    free(week);
    return remove_tree(base);
}

static bool breaks_within(uint64_t ms, uint64_t every_ms)
{
    for (uint64_t waited = 0; waited < ms && !week->run.broken[0]; waited += every_ms) {
        week_sleep(every_ms);
        watchdog_look(&week->run);
    }
    return week->run.broken[0] != '\0';
}

static void a_standstill_breaks_the_run(void **state)
{
    (void)state;
    assert_false(breaks_within(WATCHDOG_MS, POLL_MS));
    assert_true(breaks_within(1000, POLL_MS));
    assert_non_null(
        strstr(week->run.broken, "nothing moved for 60 s while waiting for the server"));
}

static void a_machine_that_looks_seldom_counts_its_time_too(void **state)
{
    (void)state;
    assert_true(breaks_within(WATCHDOG_MS + 2 * SLOW_POLL_MS, SLOW_POLL_MS));
}

/* On a machine that was suspended, or whose whole group of processes was. */
static void a_pause_in_which_nobody_looked_breaks_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_false(breaks_within(1000, POLL_MS));
        week_sleep(HOUR_MS);
        assert_false(breaks_within(POLL_MS, POLL_MS));
    }
    assert_true(breaks_within(WATCHDOG_MS, POLL_MS));
}

static void a_pause_while_the_programs_exit_breaks_nothing(void **state)
{
    (void)state;
    run_state_set(&week->run, RUN_QUIT);
    assert_false(breaks_within(1000, POLL_MS));
    week_sleep(HOUR_MS);
    assert_false(breaks_within(20000, POLL_MS));
    assert_true(breaks_within(20000, POLL_MS));
    assert_non_null(strstr(week->run.broken, "a side didn't exit when told to"));
}

/* ---- nothing but failures ---- */

static struct page_app *load(void)
{
    return &run_load(&week->run)->subject->child.page->app;
}

static void add(page_u64 *counter, uint64_t n)
{
    atomic_store(counter, atomic_load(counter) + n);
}

/* One connection a second, which succeeds every so often, if ever. It has failed some looks before
 * it is closed. */
static bool breaks_while_they_fail(uint64_t seconds, uint64_t good_one_in)
{
    for (uint64_t i = 1; i <= seconds && !week->run.broken[0]; i++) {
        bool good = good_one_in && i % good_one_in == 0;
        add(good ? &load()->handshakes : &load()->failed, 1);
        if (breaks_within(500, POLL_MS))
            return true;
        add(&load()->closed, 1);
        if (breaks_within(500, POLL_MS))
            return true;
    }
    return week->run.broken[0] != '\0';
}

static int begin_churn(void **state)
{
    if (begin(state) != 0)
        return -1;
    add(&load()->handshakes, 100);
    add(&load()->closed, 70);
    add(&load()->failed, 7);
    run_state_set(&week->run, RUN_CHURN);
    watchdog_look(&week->run);
    return 0;
}

static void nothing_but_failures_are_no_sign_of_life(void **state)
{
    (void)state;
    assert_false(breaks_while_they_fail(WATCHDOG_MS / 1000, 0));
    assert_true(breaks_while_they_fail(2, 0));
    assert_non_null(strstr(week->run.broken,
                           "no connection succeeded for 60 s, and 61 failed; see client.log"));
}

static void one_that_succeeds_now_and_then_is(void **state)
{
    (void)state;
    assert_false(breaks_while_they_fail(10 * WATCHDOG_MS / 1000, WATCHDOG_MS / 1000));
}

/* As of a server that stands still: the first of them have waited for too long. */
static void a_few_failures_are_silence(void **state)
{
    (void)state;
    add(&load()->failed, 9);
    assert_true(breaks_within(WATCHDOG_MS + 1000, POLL_MS));
    assert_non_null(strstr(week->run.broken, "nothing moved for 60 s while waiting for handshakes "
                                             "(16 failed connections)"));
}

int main(void)
{
#define DOG_TEST(f)   cmocka_unit_test_setup_teardown(f, begin, end)
#define CHURN_TEST(f) cmocka_unit_test_setup_teardown(f, begin_churn, end)
    const struct CMUnitTest tests[] = {
        DOG_TEST(a_standstill_breaks_the_run),
        DOG_TEST(a_machine_that_looks_seldom_counts_its_time_too),
        DOG_TEST(a_pause_in_which_nobody_looked_breaks_nothing),
        DOG_TEST(a_pause_while_the_programs_exit_breaks_nothing),
        CHURN_TEST(nothing_but_failures_are_no_sign_of_life),
        CHURN_TEST(one_that_succeeds_now_and_then_is),
        CHURN_TEST(a_few_failures_are_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

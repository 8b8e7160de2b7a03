/* SPDX-License-Identifier: Apache-2.0 */
#include "run/churn.h"

#include "tests/unit/remove_tree.h"
#include "week_sim.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND_MS = 1000 };

static char base[PATH_MAX];
static struct week *week;

static int begin(void **state)
{
    (void)state;
    strcpy(base, "/tmp/test_churn.XXXXXX");
    week = malloc(sizeof *week);
    if (!week || !mkdtemp(base))
        return -1;
    week_begin(week, &(struct week_server){.unsampled = true}, 1000, base);
    return 0;
}

static int end(void **state)
{
    (void)state;
    week_end(week);
    free(week);
    return remove_tree(base);
}

static void close_some(uint64_t connections)
{
    atomic_fetch_add(&run_load(&week->run)->subject->child.page->app.closed, connections);
}

/* So many are replaced in so long a time. */
static void epoch(uint64_t connections, uint64_t ms)
{
    run_state_set(&week->run, RUN_CHURN);
    churn_begin(&week->run);
    close_some(connections);
    week_sleep(ms);
    run_state_set(&week->run, RUN_SETTLE);
    week->run.epoch++;
}

static double rate(void)
{
    struct run_churn so_far = churn_so_far(&week->run, false);
    return churn_rate_per_s(&week->run, &so_far);
}

static void the_rate_is_that_of_the_epochs_after_the_first(void **state)
{
    (void)state;
    assert_true(rate() == 0);
    epoch(10, 4 * SECOND_MS);
    assert_true(rate() == 2.5);
    epoch(50, 10 * SECOND_MS);
    epoch(25, 5 * SECOND_MS);
    assert_true(rate() == 5);
}

static void what_closes_between_two_epochs_is_of_neither(void **state)
{
    (void)state;
    epoch(10, 4 * SECOND_MS);
    close_some(30);
    epoch(50, 10 * SECOND_MS);
    close_some(30);
    epoch(50, 10 * SECOND_MS);
    assert_true(rate() == 5);
}

static void the_epoch_under_way_counts_from_its_begin(void **state)
{
    (void)state;
    epoch(10, 4 * SECOND_MS);
    close_some(30);
    run_state_set(&week->run, RUN_CHURN);
    churn_begin(&week->run);
    close_some(20);
    week_sleep(4 * SECOND_MS);
    struct run_churn so_far = churn_so_far(&week->run, true);
    assert_int_equal(so_far.closed, 30);
    assert_int_equal(so_far.ns, UINT64_C(8000000000));
    assert_true(churn_rate_per_s(&week->run, &so_far) == 5);
}

/* As a run breaks as soon as its second epoch has begun. */
static void what_closes_in_a_moment_makes_no_rate(void **state)
{
    (void)state;
    epoch(20, 5 * SECOND_MS);
    close_some(30);
    epoch(0, 1);
    assert_true(rate() < 4);
    epoch(10, 99);
    assert_true(rate() > 5 && rate() < 6);
}

static void short_epochs_have_their_rate(void **state)
{
    (void)state;
    epoch(10, 100);
    epoch(100, 50);
    assert_true(rate() == 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_rate_is_that_of_the_epochs_after_the_first, begin, end),
        cmocka_unit_test_setup_teardown(what_closes_between_two_epochs_is_of_neither, begin, end),
        cmocka_unit_test_setup_teardown(the_epoch_under_way_counts_from_its_begin, begin, end),
        cmocka_unit_test_setup_teardown(what_closes_in_a_moment_makes_no_rate, begin, end),
        cmocka_unit_test_setup_teardown(short_epochs_have_their_rate, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

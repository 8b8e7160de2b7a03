/* SPDX-License-Identifier: Apache-2.0 */
/* What a PASS is to be followed by. */
#include "run/advice.h"

#include "stats/judge/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { DAY_S = 86400 };
static const struct scenario plain = {.loop = 0};

/* Connections per second at which so rare a leak takes a day to the connection. */
static double a_day_for(uint64_t one_in)
{
    return (double)plan_measured_for(one_in) / DAY_S;
}

static void ten_times_what_was_seen_at_least(void **state)
{
    (void)state;
    assert_int_equal(advice_closer(&plain, 1, 1e9), 10);
    assert_int_equal(advice_closer(&plain, 560, 1e9), 10000);
    assert_int_equal(advice_closer(&plain, 1000, 1e9), 10000);
    assert_int_equal(advice_closer(&plain, 1001, 1e9), 100000);
}

static void it_takes_a_day_at_most(void **state)
{
    (void)state;
    const double day = a_day_for(100000);
    assert_int_equal(advice_closer(&plain, 4000, day), 100000);
    assert_int_equal(advice_closer(&plain, 4000, day * 0.999), 10000);
    assert_int_equal(advice_closer(&plain, 4000, a_day_for(10000) * 0.999), 0);
}

static void what_is_hardly_more_is_not_worth_it(void **state)
{
    (void)state;
    const double day = a_day_for(10000);
    assert_int_equal(advice_closer(&plain, 5000, day), 10000);
    assert_int_equal(advice_closer(&plain, 5001, day), 0);
}

static void nothing_follows_a_week(void **state)
{
    (void)state;
    assert_int_equal(advice_closer(&plain, 37e6, 1000), 0);
    assert_int_equal(advice_closer(&plain, 2e9, 1e12), 0);
    assert_int_equal(advice_closer(&plain, INFINITY, 1000), 0);
}

static void without_a_rate_no_bound_is_known(void **state)
{
    (void)state;
    assert_int_equal(advice_closer(&plain, 37e6, 0), 1000000000);
}

static void processes_of_a_loop_have_the_same_bound(void **state)
{
    (void)state;
    const struct scenario loop = {.loop = 100};
    assert_true(advice_closer(&loop, 560, 1e9) > 0);
    assert_int_equal(advice_closer(&loop, 560, 1e-3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_times_what_was_seen_at_least),
        cmocka_unit_test(it_takes_a_day_at_most),
        cmocka_unit_test(what_is_hardly_more_is_not_worth_it),
        cmocka_unit_test(nothing_follows_a_week),
        cmocka_unit_test(without_a_rate_no_bound_is_known),
        cmocka_unit_test(processes_of_a_loop_have_the_same_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

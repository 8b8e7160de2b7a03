/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/judge/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void more_than_one_in_a_hundred_are_many(void **state)
{
    (void)state;
    assert_false(judge_many(0, 0));
    assert_false(judge_many(1, 100));
    assert_true(judge_many(1, 99));
    assert_false(judge_many(180, 18000));
    assert_true(judge_many(181, 18000));
}

static void nearly_all_decide_when_the_rest_cannot_make_up_for_them(void **state)
{
    (void)state;
    assert_true(judge_hopeless(460, 509, 18000)); /* as met in a trial */
    assert_false(judge_hopeless(180, 190, 18000));
    assert_true(judge_hopeless(181, 190, 18000));
    assert_false(judge_hopeless(460, 509, 60000));
}

static void half_of_them_may_still_show_a_leak(void **state)
{
    (void)state;
    assert_false(judge_hopeless(5000, 10000, 18000));
    assert_true(judge_hopeless(5001, 10000, 18000));
}

static void a_few_at_the_begin_decide_nothing(void **state)
{
    (void)state;
    assert_false(judge_hopeless(49, 49, 120));
    assert_true(judge_hopeless(50, 50, 120));
}

static void what_was_tried_counts_where_no_more_is_expected(void **state)
{
    (void)state;
    assert_true(judge_hopeless(60, 100, 0));
}

static void a_connection_that_fails_after_its_handshake_is_counted_once(void **state)
{
    (void)state;
    /* 100 handshakes, 30 connections open, 70 gone: 10 of them lost while they were held. */
    struct judge_load load = {.failed = 10, .closed = 70, .established = 30};
    assert_int_equal(judge_tried(&load), 100);
    /* 11 of 1,095 are more than one in a hundred; counted twice they would not be: 11 of 1,106. */
    load = (struct judge_load){.failed = 11, .closed = 1065, .established = 30};
    assert_true(judge_many(load.failed, judge_tried(&load)));
}

static void where_operations_are_counted_those_that_failed_are_among_them(void **state)
{
    (void)state;
    struct judge_load load = {
        .failed = 3, .closed = 30, .established = 27, .operations = 500, .by_operation = true};
    assert_int_equal(judge_tried(&load), 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_one_in_a_hundred_are_many),
        cmocka_unit_test(nearly_all_decide_when_the_rest_cannot_make_up_for_them),
        cmocka_unit_test(half_of_them_may_still_show_a_leak),
        cmocka_unit_test(a_few_at_the_begin_decide_nothing),
        cmocka_unit_test(what_was_tried_counts_where_no_more_is_expected),
        cmocka_unit_test(a_connection_that_fails_after_its_handshake_is_counted_once),
        cmocka_unit_test(where_operations_are_counted_those_that_failed_are_among_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

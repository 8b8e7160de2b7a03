/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/judge/failures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void more_than_one_in_a_hundred_are_many(void **state)
{
    (void)state;
    assert_false(failures_many(0, 0));
    assert_false(failures_many(1, 100));
    assert_true(failures_many(1, 99));
    assert_false(failures_many(180, 18000));
    assert_true(failures_many(181, 18000));
}

static void nearly_all_decide_when_the_rest_cannot_make_up_for_them(void **state)
{
    (void)state;
    assert_true(failures_decide(460, 509, 18000)); /* as met in a trial */
    assert_false(failures_decide(180, 190, 18000));
    assert_true(failures_decide(181, 190, 18000));
    assert_false(failures_decide(460, 509, 60000));
}

static void half_of_them_may_still_show_a_leak(void **state)
{
    (void)state;
    assert_false(failures_decide(5000, 10000, 18000));
    assert_true(failures_decide(5001, 10000, 18000));
}

static void a_few_at_the_begin_decide_nothing(void **state)
{
    (void)state;
    assert_false(failures_decide(49, 49, 120));
    assert_true(failures_decide(50, 50, 120));
}

static void what_was_tried_counts_where_no_more_is_expected(void **state)
{
    (void)state;
    assert_true(failures_decide(60, 100, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_one_in_a_hundred_are_many),
        cmocka_unit_test(nearly_all_decide_when_the_rest_cannot_make_up_for_them),
        cmocka_unit_test(half_of_them_may_still_show_a_leak),
        cmocka_unit_test(a_few_at_the_begin_decide_nothing),
        cmocka_unit_test(what_was_tried_counts_where_no_more_is_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

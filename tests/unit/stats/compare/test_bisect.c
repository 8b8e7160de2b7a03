/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the version that turned. */
#include "stats/compare/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_turn_of_every_list_is_found(void **state)
{
    (void)state;
    for (size_t versions = 2; versions <= 40; versions++) {
        for (size_t turn = 1; turn < versions; turn++) {
            struct bisect b = bisect_of(versions);
            size_t looked = 2, version;
            while (bisect_next(&b, &version)) {
                bisect_take(&b, version, version >= turn);
                looked++;
            }
            assert_int_equal(b.high, turn);
            assert_int_equal(b.low, turn - 1);
            assert_true(looked <= bisect_most(versions));
        }
    }
}

static void as_few_versions_as_can_be_are_looked_at(void **state)
{
    (void)state;
    assert_int_equal(bisect_most(2), 2);
    assert_int_equal(bisect_most(3), 3);
    assert_int_equal(bisect_most(5), 4);
    assert_int_equal(bisect_most(8), 5);
    assert_int_equal(bisect_most(9), 5);
    assert_int_equal(bisect_most(33), 7);
}

static void ends_differ_beyond_the_tolerance(void **state)
{
    (void)state;
    assert_true(bisect_differs(2302, 3005, 0.01));
    assert_false(bisect_differs(3005, 3001, 0.01));
    assert_true(bisect_differs(3005, 3001, 0));
    assert_false(bisect_differs(5, 5, 0));
    assert_true(bisect_differs(0, 1, 0.01));
}

static void a_figure_belongs_to_the_nearer_end(void **state)
{
    (void)state;
    assert_true(bisect_like_last(3001, 2302, 3005));
    assert_false(bisect_like_last(2310, 2302, 3005));
    assert_true(bisect_like_last(1676, 3001, 1676));
    assert_false(bisect_like_last(15, 10, 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_turn_of_every_list_is_found),
        cmocka_unit_test(as_few_versions_as_can_be_are_looked_at),
        cmocka_unit_test(ends_differ_beyond_the_tolerance),
        cmocka_unit_test(a_figure_belongs_to_the_nearer_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

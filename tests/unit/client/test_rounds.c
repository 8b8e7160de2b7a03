/* SPDX-License-Identifier: Apache-2.0 */
/* An epoch of operations on held connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "client/pacer.h"

static void an_epoch_does_exactly_what_it_was_given(void **state)
{
    struct rounds r = {0};
    int begun = 0;
    (void)state;
    rounds_start(&r, 5);
    for (; rounds_spare(&r); begun++)
        rounds_begin(&r);
    assert_int_equal(begun, 5);
    for (int i = 0; i < 5; i++) {
        assert_false(rounds_over(&r));
        rounds_done(&r);
    }
    assert_true(rounds_over(&r));
}

static void none_to_do_is_over_at_once(void **state)
{
    struct rounds r = {0};
    (void)state;
    assert_true(rounds_over(&r));
    rounds_start(&r, 0);
    assert_true(rounds_over(&r));
    assert_false(rounds_spare(&r));
}

static void a_failed_one_is_made_up_for(void **state)
{
    struct rounds r = {0};
    (void)state;
    rounds_start(&r, 1);
    rounds_begin(&r);
    rounds_failed(&r);
    assert_false(rounds_over(&r));
    assert_true(rounds_spare(&r));
    rounds_begin(&r);
    rounds_done(&r);
    assert_true(rounds_over(&r));
}

static void a_finished_epoch_waits_for_those_under_way_only(void **state)
{
    struct rounds r = {0};
    (void)state;
    rounds_start(&r, 10);
    rounds_begin(&r);
    rounds_begin(&r);
    rounds_finish(&r);
    assert_false(rounds_spare(&r));
    assert_false(rounds_over(&r));
    rounds_done(&r);
    rounds_failed(&r);
    assert_true(rounds_over(&r));
    rounds_start(&r, 1);
    assert_true(rounds_spare(&r));
}

static void whatever_fails_the_number_done_is_the_number_asked(void **state)
{
    struct rng rng = {.state = 5};
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct rounds r = {0};
        uint64_t asked = rng_below(&rng, 50), done = 0;
        rounds_start(&r, asked);
        while (!rounds_over(&r)) {
            uint64_t what = rng_below(&rng, 3);
            if (what == 0 && rounds_spare(&r))
                rounds_begin(&r);
            else if (what == 1 && r.under_way > 0)
                rounds_failed(&r);
            else if (what == 2 && r.under_way > 0) {
                rounds_done(&r);
                done++;
            }
        }
        assert_int_equal(done, asked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_does_exactly_what_it_was_given),
        cmocka_unit_test(none_to_do_is_over_at_once),
        cmocka_unit_test(a_failed_one_is_made_up_for),
        cmocka_unit_test(a_finished_epoch_waits_for_those_under_way_only),
        cmocka_unit_test(whatever_fails_the_number_done_is_the_number_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pacer.h"

#include "client/behaviour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t SECOND = 1000000000, MS = 1000000;

static void due_is_time_times_rate_rounded_down(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 1000, false);
    pacer_run(&p, 5 * SECOND);
    assert_int_equal(pacer_due(&p, 5 * SECOND), 0);
    assert_int_equal(pacer_due(&p, 5 * SECOND + MS - 1), 0);
    assert_int_equal(pacer_due(&p, 5 * SECOND + MS), 1);
    assert_int_equal(pacer_due(&p, 6 * SECOND), 1000);
    assert_int_equal(pacer_due(&p, 5 * SECOND + 3600 * SECOND), 3600000);
}

static void a_late_tick_is_not_lost(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 100, false);
    pacer_run(&p, 0);
    int taken = 0;
    while (pacer_ready(&p, SECOND)) {
        pacer_take(&p);
        taken++;
    }
    assert_int_equal(taken, 100);
}

static void time_stands_still_while_paused(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 10, false);
    pacer_run(&p, 0);
    pacer_pause(&p, SECOND);
    assert_false(pacer_ready(&p, 50 * SECOND));
    assert_int_equal(pacer_due(&p, 50 * SECOND), 10);
    pacer_run(&p, 50 * SECOND);
    assert_int_equal(pacer_due(&p, 51 * SECOND), 20);
}

static void running_or_pausing_twice_changes_nothing(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 10, false);
    pacer_run(&p, 0);
    pacer_run(&p, SECOND);
    assert_int_equal(pacer_due(&p, 2 * SECOND), 20);
    pacer_pause(&p, 2 * SECOND);
    pacer_pause(&p, 9 * SECOND);
    assert_int_equal(pacer_due(&p, 9 * SECOND), 20);
}

static void one_taken_early_makes_the_next_wait_longer(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 10, false);
    pacer_run(&p, 0);
    pacer_take(&p);
    assert_false(pacer_ready(&p, 100 * MS));
    assert_true(pacer_ready(&p, 200 * MS));
}

static void the_wait_ends_when_the_next_is_due(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 3, false);
    assert_true(pacer_wait_ns(&p, 0) == UINT64_MAX);
    pacer_run(&p, 0);
    uint64_t wait = pacer_wait_ns(&p, 0);
    assert_in_range(wait, SECOND / 3 - 1, SECOND / 3 + 1);
    assert_true(pacer_ready(&p, wait + 1));
    assert_int_equal(pacer_wait_ns(&p, SECOND), 0);
}

static void a_clock_that_steps_back_owes_nothing(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 1000, false);
    pacer_run(&p, 9 * SECOND);
    assert_int_equal(pacer_due(&p, 8 * SECOND), 0);
}

static void max_is_always_ready_and_never_behind(void **state)
{
    struct pacer p;
    (void)state;
    pacer_init(&p, 0, true);
    assert_false(pacer_ready(&p, 0));
    pacer_run(&p, 0);
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_true(pacer_ready(&p, 0));
        pacer_take(&p);
        assert_int_equal(pacer_due(&p, 0), i);
    }
}

/* Plays an epoch on `slots` slots where every third connection would abort its handshake and every
 * `fails`th fails (0: none). Returns how many were begun; every slot is taken at the end. */
static uint64_t play(uint64_t opens, uint64_t slots, uint64_t established, uint64_t fails)
{
    struct quota q;
    uint64_t begun = 0;
    quota_start(&q, opens, slots - established);
    while (q.left > 0) {
        if (established == slots) {
            assert_true(quota_spare(&q));
            quota_vacate(&q);
            established--;
        }
        bool aborts = quota_spare(&q) && begun % 3 == 0;
        quota_begin(&q, aborts);
        begun++;
        assert_true(begun < 100000);
        if (fails && !aborts && begun % fails == 0)
            quota_failed(&q);
        else if (!aborts)
            established++;
    }
    assert_int_equal(established, slots);
    assert_int_equal(q.owed, 0);
    return begun;
}

static void an_epoch_begins_exactly_what_it_was_given(void **state)
{
    (void)state;
    for (uint64_t opens = 1; opens <= 60; opens++) {
        assert_int_equal(play(opens, 5, 5, 0), opens);
        assert_int_equal(play(opens, 1, 1, 0), opens);
    }
}

static void filling_counts_within_the_epoch(void **state)
{
    (void)state;
    assert_int_equal(play(100, 30, 0, 0), 100);
    assert_int_equal(play(30, 30, 0, 0), 30);
}

static void an_epoch_smaller_than_the_empty_slots_still_fills_them(void **state)
{
    (void)state;
    assert_int_equal(play(3, 30, 10, 0), 20);
}

static void a_failure_is_made_up_for_beyond_the_epoch(void **state)
{
    (void)state;
    assert_true(play(100, 10, 0, 7) > 100);
}

static void a_finished_epoch_begins_only_what_is_owed(void **state)
{
    struct quota q;
    (void)state;
    quota_start(&q, 1000, 4);
    quota_begin(&q, true);
    quota_begin(&q, false);
    quota_finish(&q);
    assert_int_equal(q.left, 3);
    assert_false(quota_spare(&q));
}

static void behaviours_come_as_often_as_their_weights_say(void **state)
{
    struct behaviour_mix mix = {{50, 30, 15, 5}};
    struct rng rng = {.state = 7};
    uint64_t seen[BEHAVIOUR_COUNT] = {0};
    (void)state;
    for (int i = 0; i < 100000; i++)
        seen[behaviour_draw(&mix, &rng)]++;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++)
        assert_in_range(seen[i], mix.weight[i] * 950, mix.weight[i] * 1050);
}

static void rows_are_those_with_a_weight_and_the_holder(void **state)
{
    struct behaviour_mix mix = {.weight = {[BEHAVIOUR_RESET] = 3, [BEHAVIOUR_RST_DATA] = 1}};
    struct behaviour_rows rows;
    (void)state;
    assert_int_equal(behaviour_rows_make(&mix, BEHAVIOUR_RESET, &rows), 0);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.of[1], BEHAVIOUR_RST_DATA);
    assert_int_equal(rows.row[BEHAVIOUR_RST_DATA], 1);
    assert_int_equal(rows.row[BEHAVIOUR_CLEAN], 2);
    assert_int_equal(rows.row[BEHAVIOUR_FAILED], 2);
    assert_int_equal(behaviour_rows_make(&mix, BEHAVIOUR_CLEAN, &rows), 0);
    assert_int_equal(rows.count, 3);
    assert_int_equal(rows.row[BEHAVIOUR_CLEAN], 0);
}

static void weights_of_an_epoch_belong_to_the_rows(void **state)
{
    struct behaviour_mix mix = {.weight = {[BEHAVIOUR_RESET] = 3, [BEHAVIOUR_RST_DATA] = 1}}, got;
    struct behaviour_rows rows;
    (void)state;
    behaviour_rows_make(&mix, BEHAVIOUR_RESET, &rows);
    assert_int_equal(behaviour_mix_parse("7,5", &rows, &got), 0);
    assert_int_equal(got.weight[BEHAVIOUR_RESET], 7);
    assert_int_equal(got.weight[BEHAVIOUR_RST_DATA], 5);
    assert_int_equal(got.weight[BEHAVIOUR_CLEAN], 0);
    static const char *const wrong[] = {"7", "7,5,1", "0,0", "7,", "7,-5", "7,5x", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(behaviour_mix_parse(wrong[i], &rows, &got), -1);
}

static void a_seed_repeats_the_choices(void **state)
{
    struct behaviour_mix mix = {{50, 30, 15, 5}};
    struct rng a = {.state = 42}, b = {.state = 42};
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(behaviour_draw(&mix, &a), behaviour_draw(&mix, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_is_time_times_rate_rounded_down),
        cmocka_unit_test(a_late_tick_is_not_lost),
        cmocka_unit_test(time_stands_still_while_paused),
        cmocka_unit_test(running_or_pausing_twice_changes_nothing),
        cmocka_unit_test(one_taken_early_makes_the_next_wait_longer),
        cmocka_unit_test(the_wait_ends_when_the_next_is_due),
        cmocka_unit_test(a_clock_that_steps_back_owes_nothing),
        cmocka_unit_test(max_is_always_ready_and_never_behind),
        cmocka_unit_test(an_epoch_begins_exactly_what_it_was_given),
        cmocka_unit_test(filling_counts_within_the_epoch),
        cmocka_unit_test(an_epoch_smaller_than_the_empty_slots_still_fills_them),
        cmocka_unit_test(a_failure_is_made_up_for_beyond_the_epoch),
        cmocka_unit_test(a_finished_epoch_begins_only_what_is_owed),
        cmocka_unit_test(behaviours_come_as_often_as_their_weights_say),
        cmocka_unit_test(rows_are_those_with_a_weight_and_the_holder),
        cmocka_unit_test(weights_of_an_epoch_belong_to_the_rows),
        cmocka_unit_test(a_seed_repeats_the_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

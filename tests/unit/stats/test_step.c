/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stats/step.h"

enum { NIGHTS = 30, TWENTIETH = 19, HISTORIES = 200 };

static double normal(struct rng *r)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += rng_unit(r);
    return sum - 6;
}

static size_t steps(const double *value, size_t count, bool counted, double relative,
                    struct step *ret)
{
    struct step_question q = {value, count, counted, relative, 0};
    return steps_find(&q, ret);
}

static void a_count_that_is_one_more_has_stepped_the_same_night(void **state)
{
    (void)state;
    double value[NIGHTS];
    struct step s[STEPS_MAX];
    for (size_t i = 0; i < NIGHTS; i++)
        value[i] = i < TWENTIETH ? 690 : 691;
    for (size_t tonight = TWENTIETH; tonight < NIGHTS; tonight++) {
        assert_int_equal(steps(value, tonight + 1, true, 0, s), 1);
        assert_int_equal(s[0].at, TWENTIETH);
        assert_true(s[0].certain && s[0].before == 690 && s[0].after == 691);
    }
    assert_int_equal(steps(value, TWENTIETH, true, 0, s), 0);
}

static void a_count_needs_five_nights_before_it_can_step(void **state)
{
    (void)state;
    static const double four[] = {690, 690, 690, 690, 691}, five[] = {690, 690, 690, 690, 690, 691};
    struct step s[STEPS_MAX];
    assert_int_equal(steps(four, 5, true, 0, s), 0);
    assert_int_equal(steps(five, 6, true, 0, s), 1);
}

/* Tonight it is one; tomorrow, back at the old count, it was an odd night. */
static void an_odd_night_is_no_step_once_it_is_over(void **state)
{
    (void)state;
    static const double value[] = {690, 690, 690, 690, 690, 690, 702, 690, 690};
    struct step s[STEPS_MAX];
    assert_int_equal(steps(value, 7, true, 0, s), 1);
    assert_int_equal(steps(value, 8, true, 0, s), 0);
    assert_int_equal(steps(value, 9, true, 0, s), 0);
}

/* After three nights; two are odd ones. */
static void a_count_that_comes_back_has_stepped_twice(void **state)
{
    (void)state;
    double value[NIGHTS];
    struct step s[STEPS_MAX];
    for (size_t back = 12; back <= 13; back++) {
        for (size_t i = 0; i < NIGHTS; i++)
            value[i] = i < 10 || i >= back ? 690 : 700;
        assert_int_equal(steps(value, NIGHTS, true, 0, s), back == 13 ? 2 : 0);
    }
    assert_int_equal(s[0].at, 10);
    assert_int_equal(s[1].at, 13);
}

/* Of a figure that may vary two nights are a level. */
static void the_last_two_of_many_nights_are_a_step(void **state)
{
    (void)state;
    enum { MANY = 150 };
    double value[MANY];
    struct step s[STEPS_MAX];
    for (size_t i = 0; i < MANY; i++)
        value[i] = i < MANY - 2 ? 100 : 200;
    assert_int_equal(steps(value, MANY, false, 0.1, s), 1);
    assert_int_equal(s[0].at, MANY - 2);
    assert_true(s[0].before == 100 && s[0].after == 200 && !s[0].certain);
}

/* A figure that varies by 3 %, as a processor time does, and is a fifth more from the twentieth
 * night on. */
static void a_figure_that_varies_has_stepped_on_its_night(void **state)
{
    (void)state;
    double value[NIGHTS];
    struct step s[STEPS_MAX];
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct rng r = {seed};
        for (size_t i = 0; i < NIGHTS; i++)
            value[i] = (i < TWENTIETH ? 270 : 324) * (1 + 0.03 * normal(&r));
        assert_int_equal(steps(value, NIGHTS, false, 0.1, s), 1);
        assert_in_range(s[0].at, TWENTIETH - 1, TWENTIETH + 1);
        assert_false(s[0].certain);
        assert_true(fabs(s[0].after / s[0].before - 1.2) < 0.06);
    }
}

static void a_step_within_the_guard_is_left_out(void **state)
{
    (void)state;
    double value[NIGHTS];
    struct step s[STEPS_MAX];
    struct rng r = {7};
    for (size_t i = 0; i < NIGHTS; i++)
        value[i] = (i < TWENTIETH ? 100 : 103) + 0.2 * normal(&r);
    assert_int_equal(steps(value, NIGHTS, false, 0.01, s), 1);
    assert_int_equal(steps(value, NIGHTS, false, 0.05, s), 0);
    struct step_question q = {value, NIGHTS, false, 0, 5};
    assert_int_equal(steps_find(&q, s), 0);
}

/* Of two changes the one that is worth it stays, wherever it lies; what isn't belongs to the level
 * before it. */
static void a_small_change_takes_no_larger_one_with_it(void **state)
{
    (void)state;
    static const double level[2][3] = {{100, 103, 130}, {100, 130, 133}};
    for (size_t k = 0; k < 2; k++) {
        double value[NIGHTS];
        struct step s[STEPS_MAX];
        for (size_t i = 0; i < NIGHTS; i++)
            value[i] = level[k][i / 10] + 0.01 * (double)(i % 3);
        assert_int_equal(steps(value, NIGHTS, false, 0.01, s), 2);
        assert_int_equal(steps(value, NIGHTS, false, 0.05, s), 1);
        assert_int_equal(s[0].at, k ? 10 : 20);
        assert_true(fabs(s[0].before - (k ? 100 : 101.5)) < 0.1);
        assert_true(fabs(s[0].after - (k ? 131.5 : 130)) < 0.1);
    }
}

/* Larger than the share of the level before it, and than the guard. */
static void a_step_is_larger_than_both_of_its_guards(void **state)
{
    (void)state;
    double value[NIGHTS];
    struct step s[STEPS_MAX];
    for (size_t i = 0; i < NIGHTS; i++)
        value[i] = i < 12 ? 64 : 80;
    assert_int_equal(steps(value, NIGHTS, false, 0.25, s), 0);
    assert_int_equal(steps(value, NIGHTS, false, 0.2499, s), 1);
    struct step_question q = {value, NIGHTS, false, 0, 16};
    assert_int_equal(steps_find(&q, s), 0);
    q.absolute = 15.99;
    assert_int_equal(steps_find(&q, s), 1);
    for (size_t i = 0; i < NIGHTS; i++)
        value[i] = -value[i];
    q.relative = 0.2499;
    assert_int_equal(steps_find(&q, s), 1);
    q.relative = 0.25;
    assert_int_equal(steps_find(&q, s), 0);
}

/* Of thirty nights three may differ from the one before them, of 31 four: the first is free. */
static void a_count_that_changes_every_ninth_night_still_counts(void **state)
{
    (void)state;
    static const struct {
        size_t nights, changes, later; /* the first of them after a night, or after six */
        bool counts;
    } of[] = {{30, 3, 5, true}, {30, 4, 5, false}, {31, 4, 5, true}, {30, 4, 0, false}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        double value[NIGHTS + 1];
        struct step s[STEPS_MAX];
        for (size_t i = 0; i < of[k].nights; i++) {
            size_t changed = (i + 5 - of[k].later) / 6;
            value[i] = 690 + (double)(changed < of[k].changes ? changed : of[k].changes);
        }
        size_t found = steps(value, of[k].nights, true, 0, s);
        assert_true(!of[k].counts || found == of[k].changes);
        assert_int_equal(found > 0 && s[0].certain, of[k].counts);
    }
}

static void no_more_steps_are_told_than_have_room(void **state)
{
    (void)state;
    enum { MANY = 200 };
    double value[MANY];
    struct step s[STEPS_MAX + 1];
    s[STEPS_MAX].at = MANY;
    for (size_t i = 0; i < MANY; i++)
        value[i] = (double)(i / 10);
    assert_int_equal(steps(value, MANY, true, 0, s), STEPS_MAX);
    for (size_t i = 0; i < STEPS_MAX; i++)
        assert_int_equal(s[i].at, 10 * (i + 1));
    assert_int_equal(s[STEPS_MAX].at, MANY);
}

/* 30 blocks of 1,500 connections are a growth, one late block is none. */
static void a_count_within_its_guard_is_the_same(void **state)
{
    (void)state;
    double value[NIGHTS] = {0};
    struct step s[STEPS_MAX];
    struct step_question q = {value, NIGHTS, true, 0, 0.001};
    value[TWENTIETH] = value[NIGHTS - 1] = 1 / 1500.;
    assert_int_equal(steps_find(&q, s), 0);
    value[NIGHTS - 1] = 30 / 1500.;
    assert_int_equal(steps_find(&q, s), 1);
    assert_int_equal(s[0].at, NIGHTS - 1);
    assert_true(s[0].certain);
}

/* A count that varies is told by its levels, as any other figure. */
static void a_count_that_varies_is_no_alarm_each_night(void **state)
{
    (void)state;
    double value[NIGHTS];
    struct step s[STEPS_MAX];
    struct rng r = {3};
    for (size_t i = 0; i < NIGHTS; i++)
        value[i] = (double)(690 + rng_below(&r, 3));
    for (size_t tonight = 1; tonight <= NIGHTS; tonight++)
        assert_int_equal(steps(value, tonight, true, 0, s), 0);
}

/* What a run has: counts that stand still, averages that hardly move, times with a night of load
 * now and then, growth around nothing. */
static double quiet_value(size_t figure, struct rng *r)
{
    switch (figure) {
    case 0:
    case 1:
        return 690;
    case 2:
        return 737.06 + 0.02 * normal(r);
    case 3:
        return 13.7e6 * (1 + 0.01 * normal(r));
    case 4:
        return 150 * normal(r);
    default:
        return 270 * (1 + 0.05 * normal(r)) * (rng_below(r, 20) ? 1 : 1.6);
    }
}

static void two_hundred_quiet_histories_raise_at_most_one_alarm(void **state)
{
    (void)state;
    enum { FIGURES = 8 };
    static const double relative[FIGURES] = {0, 0, 0.0005, 0.03, 0, 0.1, 0.1, 0.1};
    int alarms = 0;
    struct rng r = {20261129};
    for (int h = 0; h < HISTORIES; h++) {
        bool alarm = false;
        for (size_t f = 0; f < FIGURES; f++) {
            double value[NIGHTS];
            struct step s[STEPS_MAX];
            for (size_t i = 0; i < NIGHTS; i++)
                value[i] = quiet_value(f, &r);
            alarm = steps(value, NIGHTS, f < 2, relative[f], s) > 0 || alarm;
        }
        alarms += alarm;
    }
    print_message("%d of %d quiet histories raise an alarm\n", alarms, HISTORIES);
    assert_in_range(alarms, 0, 1);
}

static void medians_are_those_of_the_middle(void **state)
{
    (void)state;
    static const double value[] = {3, 1, 2, 10};
    assert_true(isnan(step_median(value, 0)));
    assert_true(fabs(step_median(value, 3) - 2) < 1e-12);
    assert_true(fabs(step_median(value, 4) - 2.5) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_that_is_one_more_has_stepped_the_same_night),
        cmocka_unit_test(a_count_needs_five_nights_before_it_can_step),
        cmocka_unit_test(an_odd_night_is_no_step_once_it_is_over),
        cmocka_unit_test(a_count_that_comes_back_has_stepped_twice),
        cmocka_unit_test(the_last_two_of_many_nights_are_a_step),
        cmocka_unit_test(a_figure_that_varies_has_stepped_on_its_night),
        cmocka_unit_test(a_step_within_the_guard_is_left_out),
        cmocka_unit_test(a_small_change_takes_no_larger_one_with_it),
        cmocka_unit_test(a_step_is_larger_than_both_of_its_guards),
        cmocka_unit_test(a_count_that_changes_every_ninth_night_still_counts),
        cmocka_unit_test(no_more_steps_are_told_than_have_room),
        cmocka_unit_test(a_count_within_its_guard_is_the_same),
        cmocka_unit_test(a_count_that_varies_is_no_alarm_each_night),
        cmocka_unit_test(two_hundred_quiet_histories_raise_at_most_one_alarm),
        cmocka_unit_test(medians_are_those_of_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

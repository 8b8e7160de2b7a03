/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stats/sensitivity.h"

static int64_t poisson(struct rng *r, double mean)
{
    int64_t k = 0;
    for (double p = rng_unit(r), limit = exp(-mean); p > limit; p *= rng_unit(r))
        k++;
    return k;
}

static double simulated_miss(const uint64_t *opened, size_t epochs, int blocks, int nonempty,
                             double one_in)
{
    enum { RUNS = 20000 };
    struct rng r = {.state = 11};
    int missed = 0;
    for (int i = 0; i < RUNS; i++) {
        int64_t sum = 0, with = 0;
        for (size_t e = 0; e < epochs; e++) {
            int64_t k = poisson(&r, (double)opened[e] / one_in);
            sum += k;
            with += k > 0;
        }
        missed += sum < blocks || with < nonempty;
    }
    return (double)missed / RUNS;
}

static void miss_agrees_with_a_simulation(void **state)
{
    (void)state;
    static const uint64_t opened[] = {250, 500, 1000, 1000, 70};
    static const double one_in[] = {2000, 800, 400, 250};
    for (int blocks = 1; blocks <= 5; blocks += 2) {
        for (size_t i = 0; i < 4; i++) {
            double exact = sensitivity_miss(opened, 5, blocks, 2, one_in[i]);
            double seen = simulated_miss(opened, 5, blocks, 2, one_in[i]);
            assert_true(fabs(exact - seen) < 0.012);
        }
    }
}

static void one_epoch_one_block_is_the_empty_poisson(void **state)
{
    (void)state;
    uint64_t opened = 3000;
    assert_true(fabs(sensitivity_miss(&opened, 1, 1, 1, 1000) - exp(-3)) < 1e-12);
}

/* Sixteen of each are the most: fewer than 16 of a Poisson's, and 16 epochs of which each keeps
 * one. */
static void sixteen_blocks_in_sixteen_epochs_have_room(void **state)
{
    (void)state;
    uint64_t opened[16] = {20000};
    double fewer = 0, term = exp(-20);
    for (int k = 0; k < 16; k++) {
        fewer += term;
        term *= 20.0 / (k + 1);
    }
    assert_true(fabs(sensitivity_miss(opened, 1, 16, 1, 1000) - fewer) < 1e-12);
    for (size_t e = 0; e < 16; e++)
        opened[e] = 5000;
    assert_true(fabs(sensitivity_miss(opened, 16, 1, 16, 1000) - (1 - pow(1 - exp(-5), 16))) <
                1e-12);
    assert_true(fabs(sensitivity_miss(opened, 16, 16, 16, 1000) - (1 - pow(1 - exp(-5), 16))) <
                1e-12);
}

/* Three blocks in two epochs of two and of five on average, summed by hand. */
static void an_epoch_that_keeps_none_is_told_from_one_that_does(void **state)
{
    (void)state;
    static const uint64_t opened[] = {2000, 5000};
    double a = exp(-2), b = exp(-5);
    double seen = 1 - a - b + a * b    /* both keep some */
                  - (2 * a) * (5 * b); /* ... but not one each */
    assert_true(fabs(sensitivity_miss(opened, 2, 3, 2, 1000) - (1 - seen)) < 1e-12);
}

static void the_answer_misses_by_what_was_allowed_and_no_more(void **state)
{
    (void)state;
    static const uint64_t opened[] = {250, 500, 1000, 2000};
    double x = sensitivity_one_in(opened, 4, 3, 2, 0.999);
    assert_true(sensitivity_miss(opened, 4, 3, 2, x) <= 0.001);
    assert_true(sensitivity_miss(opened, 4, 3, 2, x * 1.0001) > 0.001);
    static const uint64_t one[] = {3000}, few[] = {12, 12};
    assert_true(fabs(sensitivity_one_in(one, 1, 1, 1, 0.999) / (3000 / log(1000)) - 1) < 2e-6);
    x = sensitivity_one_in(few, 2, 5, 2, 0.999);
    assert_true(x > 1 && x < 2 && sensitivity_miss(few, 2, 5, 2, x * 1.0001) > 0.001);
}

static void longer_runs_see_rarer_leaks(void **state)
{
    (void)state;
    double before = 0;
    for (uint64_t n = 100; n < 1000000; n *= 3) {
        uint64_t opened[] = {n, n};
        double x = sensitivity_one_in(opened, 2, 3, 2, 0.999);
        assert_true(x > before);
        before = x;
    }
}

static void a_single_epoch_sees_nothing_when_two_are_needed(void **state)
{
    (void)state;
    uint64_t opened[] = {1000000, 0};
    assert_true(sensitivity_one_in(opened, 2, 3, 2, 0.999) == 0);
    assert_true(sensitivity_one_in(opened, 0, 3, 2, 0.999) == 0);
}

static void too_few_connections_give_no_figure(void **state)
{
    (void)state;
    uint64_t opened[] = {4, 4};
    assert_true(sensitivity_one_in(opened, 2, 3, 2, 0.999) == 0);
}

static void seventeen_thousand_connections_show_one_in_a_thousand(void **state)
{
    (void)state;
    uint64_t opened[] = {7500, 9500};
    assert_true(sensitivity_one_in(opened, 2, 5, 2, 0.999) >= 1000);
}

static void what_is_needed_is_what_shows(void **state)
{
    (void)state;
    static const struct {
        uint64_t one_in, exact; /* with 30 digits */
    } of[] = {{1, 17},         {2, 33},           {10, 161},          {1000, 16008},
              {10000, 160077}, {100000, 1600768}, {1000000, 16007673}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        assert_in_range(sensitivity_needed(of[i].one_in, 5, 2, 0.999), of[i].exact,
                        of[i].exact + of[i].exact / 100000);
    assert_int_equal(sensitivity_needed(1, 1, 1, 0.1), 2); /* one in each half */
    for (uint64_t one_in = 1; one_in < 10000000; one_in = one_in * 3 + 1) {
        uint64_t n = sensitivity_needed(one_in, 5, 2, 0.999), less = n - n / 1000 - 2;
        uint64_t enough[2] = {n / 2, n - n / 2}, few[2] = {less / 2, less - less / 2};
        assert_true(sensitivity_miss(enough, 2, 5, 2, (double)one_in) <= 0.001);
        assert_true(sensitivity_miss(few, 2, 5, 2, (double)one_in) > 0.001);
    }
}

/* What is left of 1 for "so many or more" rounds to nothing there, not to certainty. */
static void what_is_hardly_ever_lost_is_missed(void **state)
{
    (void)state;
    static const uint64_t opened[] = {1000, 1000};
    for (double one_in = 1e12; one_in < 1e30; one_in *= 10)
        assert_true(sensitivity_miss(opened, 2, 5, 2, one_in) > 1 - 1e-9);
    static const uint64_t none[] = {0, 0};
    assert_true(sensitivity_miss(none, 2, 5, 2, 1000) == 1);
}

/* By Wilson and Hilferty's cube root; the tables' 5 % and 1 %. */
static void chi_square_is_that_of_the_tables(void **state)
{
    (void)state;
    assert_true(chi_square_beyond(3, 0) == 1);
    assert_true(fabs(chi_square_beyond(3.841, 1) - 0.05) < 0.005);
    assert_true(fabs(chi_square_beyond(11.070, 5) - 0.05) < 0.001);
    assert_true(fabs(chi_square_beyond(23.209, 10) - 0.01) < 0.0005);
    assert_true(fabs(chi_square_beyond(9.342, 10) - 0.5) < 0.001);
    assert_true(fabs(chi_square_beyond(9.342, 10) - 0.5005635476) < 1e-9); /* the formula's own */
    assert_true(fabs(chi_square_beyond(0.5, 3) - 0.9162158918) < 1e-9);
    assert_true(fabs(chi_square_beyond(3.841, 1) - 0.0472377285) < 1e-9);
}

/* The halves are as equal as epochs allow, the newest left to the second. */
static void halves_are_as_equal_as_can_be(void **state)
{
    (void)state;
    static const struct {
        uint64_t opened[5], half[2];
        size_t middle;
    } cases[] = {{{250, 500, 1000, 1000, 1000}, {1750, 2000}, 2},
                 {{250, 500, 1000, 2000, 0}, {1750, 2000}, 2},
                 {{0, 3000, 0, 100, 0}, {3000, 100}, 1},
                 {{0, 500, 0, 0, 0}, {500, 0}, 1},
                 {{100, 100, 100, 100, 0}, {200, 200}, 1},
                 {{0, 0, 0, 0, 0}, {0, 0}, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t half[2];
        assert_int_equal(sensitivity_halves(cases[i].opened, 5, half), cases[i].middle);
        assert_int_equal(half[0], cases[i].half[0]);
        assert_int_equal(half[1], cases[i].half[1]);
    }
}

static void a_common_divisor_is_the_greatest(void **state)
{
    (void)state;
    assert_int_equal(common_divisor(84, 36), 12);
    assert_int_equal(common_divisor(36, 84), 12);
    assert_int_equal(common_divisor(0, 7), 7);
    assert_int_equal(common_divisor(7, 0), 7);
    assert_int_equal(common_divisor(9, 4), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(miss_agrees_with_a_simulation),
        cmocka_unit_test(one_epoch_one_block_is_the_empty_poisson),
        cmocka_unit_test(sixteen_blocks_in_sixteen_epochs_have_room),
        cmocka_unit_test(an_epoch_that_keeps_none_is_told_from_one_that_does),
        cmocka_unit_test(the_answer_misses_by_what_was_allowed_and_no_more),
        cmocka_unit_test(longer_runs_see_rarer_leaks),
        cmocka_unit_test(a_single_epoch_sees_nothing_when_two_are_needed),
        cmocka_unit_test(too_few_connections_give_no_figure),
        cmocka_unit_test(seventeen_thousand_connections_show_one_in_a_thousand),
        cmocka_unit_test(what_is_needed_is_what_shows),
        cmocka_unit_test(what_is_hardly_ever_lost_is_missed),
        cmocka_unit_test(chi_square_is_that_of_the_tables),
        cmocka_unit_test(halves_are_as_equal_as_can_be),
        cmocka_unit_test(a_common_divisor_is_the_greatest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

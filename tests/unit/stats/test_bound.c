/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sensitivity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

/* Found by bisection in exact rational arithmetic. 0 of 20 and 0 of 200 are the textbook's 13.9 %
 * and 1.49 %. */
static const struct {
    uint64_t k, n;
    double confidence, bound;
} known[] = {{0, 20, 0.95, 0.1391083407},  {0, 200, 0.95, 0.0148670392},
             {1, 20, 0.95, 0.2161061642},  {2, 100, 0.95, 0.0616192004},
             {5, 10, 0.95, 0.7775588990},  {1, 200, 0.99, 0.0327277511},
             {19, 20, 0.975, 0.9987349105}};

static void assert_near(double value, double expected, double apart)
{
    if (!(fabs(value - expected) <= apart))
        fail_msg("%.12g, not %.12g", value, expected);
}

static void the_bound_is_the_published_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_near(sensitivity_upper_share(known[i].k, known[i].n, known[i].confidence),
                    known[i].bound, 1e-9);
}

static void none_of_n_has_its_closed_form(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 100000; n *= 7)
        assert_near(sensitivity_upper_share(0, n, 0.95), 1 - pow(0.05, 1.0 / (double)n), 1e-12);
}

static void all_of_n_proves_nothing(void **state)
{
    (void)state;
    assert_near(sensitivity_upper_share(1, 1, 0.95), 1, 0);
    assert_near(sensitivity_upper_share(40, 40, 0.95), 1, 0);
}

static void more_events_raise_the_bound_and_more_runs_lower_it(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 20; k++) {
        assert_true(sensitivity_upper_share(k, 20, 0.95) <
                        sensitivity_upper_share(k + 1, 20, 0.95) ||
                    k == 19);
        assert_true(sensitivity_upper_share(k, 41, 0.95) < sensitivity_upper_share(k, 40, 0.95));
        assert_true(sensitivity_upper_share(k, 40, 0.95) < sensitivity_upper_share(k, 40, 0.99));
        assert_true(sensitivity_upper_share(k, 40, 0.95) > (double)k / 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_is_the_published_one),
        cmocka_unit_test(none_of_n_has_its_closed_form),
        cmocka_unit_test(all_of_n_proves_nothing),
        cmocka_unit_test(more_events_raise_the_bound_and_more_runs_lower_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hist.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 5000 };

static struct hist h, other;

static int fresh(void **state)
{
    (void)state;
    hist_reset(&h);
    hist_reset(&other);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void an_empty_histogram_has_quantile_zero(void **state)
{
    (void)state;
    assert_true(hist_quantile(&h, 0.5) == 0);
    assert_true(hist_quantile(&h, 1) == 0);
}

static void one_value_is_every_quantile(void **state)
{
    (void)state;
    hist_add(&h, 123456789);
    assert_true(hist_quantile(&h, 0) == 123456789);
    assert_true(hist_quantile(&h, 0.5) == 123456789);
    assert_true(hist_quantile(&h, 1) == 123456789);
}

static void the_largest_number_has_a_bucket(void **state)
{
    (void)state;
    hist_add(&h, UINT64_MAX);
    hist_add(&h, 0);
    assert_true(h.bucket[HIST_BUCKETS - 1] == 1);
    assert_true(hist_quantile(&h, 1) == UINT64_MAX);
    assert_true(hist_quantile(&h, 0.5) == 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (uint64_t v = 1; v <= 100; v++)
        hist_add(&h, v);
    assert_true(hist_quantile(&h, 0.5) == 50);
    assert_true(hist_quantile(&h, 0.9) == 90);
    assert_true(hist_quantile(&h, 0.99) == 99);
}

/* The true quantile lies in the bucket, whose top is returned: never below, at most 1/64 above. */
static void quantiles_are_right_to_one_in_64(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    struct rng r = {3};
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = rng_next(&r) >> rng_below(&r, 64);
        hist_add(&h, values[i]);
    }
    qsort(values, VALUES, sizeof values[0], by_value);
    for (size_t rank = 1; rank <= VALUES; rank++) {
        uint64_t truth = values[rank - 1];
        uint64_t said = hist_quantile(&h, ((double)rank - 0.5) / VALUES);
        assert_true(said >= truth);
        assert_true(said - truth <= truth / 64);
    }
    assert_true(hist_quantile(&h, 1) == values[VALUES - 1]);
}

static void reset_forgets_everything(void **state)
{
    (void)state;
    hist_add(&h, 7);
    hist_reset(&h);
    assert_memory_equal(&h, &other, sizeof h);
}

static void buckets_follow_each_other_without_a_gap(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        assert_true(hist_bucket(hist_top(i)) == i);
        if (i + 1 < HIST_BUCKETS)
            assert_true(hist_bucket(hist_top(i) + 1) == i + 1);
    }
    assert_true(hist_top(HIST_BUCKETS - 1) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_histogram_has_quantile_zero, fresh),
        cmocka_unit_test_setup(one_value_is_every_quantile, fresh),
        cmocka_unit_test_setup(the_largest_number_has_a_bucket, fresh),
        cmocka_unit_test_setup(small_values_are_exact, fresh),
        cmocka_unit_test_setup(quantiles_are_right_to_one_in_64, fresh),
        cmocka_unit_test_setup(reset_forgets_everything, fresh),
        cmocka_unit_test_setup(buckets_follow_each_other_without_a_gap, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

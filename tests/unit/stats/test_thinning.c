/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/thinning.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1000, LONG = 100000 };

static double x[LONG], a[LONG], b[LONG];
static bool keep[LONG], again[LONG];

static void fill(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        x[i] = (double)i + 0.25;
        a[i] = 1000 + (double)(i * 7919 % 101);
        b[i] = 500 + (double)(i * 104729 % 13);
    }
}

static struct thinning series(size_t count, double recent)
{
    return (struct thinning){
        .count = count, .x = x, .recent = recent, .figures = 2, .value = {a, b}};
}

static void few_points_all_stay(void **state)
{
    (void)state;
    double span = 1;
    fill(MOST);
    const struct thinning t = series(MOST, 0);
    assert_int_equal(thinning_choose(&t, MOST, &span, keep), MOST);
    for (size_t i = 0; i < MOST; i++)
        assert_true(keep[i]);
    assert_true(span == 1);
}

static void many_points_become_few_all_over_their_length(void **state)
{
    (void)state;
    double span = 1, before = 0;
    fill(LONG);
    const struct thinning t = series(LONG, 0);
    size_t kept = thinning_choose(&t, MOST, &span, keep);
    assert_in_range(kept, MOST / 4, MOST);
    for (size_t i = 0; i < LONG; i++) {
        if (!keep[i])
            continue;
        assert_true(x[i] - before <= 2 * span);
        before = x[i];
    }
    assert_true(keep[LONG - 1]);
}

static void a_single_spike_stays_whichever_way_and_figure(void **state)
{
    (void)state;
    double span = 1;
    fill(LONG);
    a[31234] = 9000;
    a[41234] = 1;
    b[51234] = 9000;
    b[61234] = 1;
    const struct thinning t = series(LONG, 0);
    thinning_choose(&t, MOST, &span, keep);
    assert_true(keep[31234] && keep[41234] && keep[51234] && keep[61234]);
}

static void the_latest_stay_all(void **state)
{
    (void)state;
    double span = 1;
    fill(LONG);
    const struct thinning t = series(LONG, 600);
    assert_in_range(thinning_choose(&t, MOST, &span, keep), 600, MOST);
    for (size_t i = LONG - 600; i < LONG; i++)
        assert_true(keep[i]);
}

/* Keeps of the columns what is marked. */
static size_t drop(size_t count, const bool *which)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!which[i])
            continue;
        x[kept] = x[i];
        a[kept] = a[i];
        b[kept++] = b[i];
    }
    return kept;
}

/* Each time that MOST have come together, down to half of them; what they are in the end, `keep`
 * says by the point's number. */
static double thin_as_they_come(void)
{
    static double came_x[LONG], came_a[LONG], came_b[LONG];
    double span = 1;
    size_t count = 0;
    memcpy(came_x, x, sizeof x);
    memcpy(came_a, a, sizeof a);
    memcpy(came_b, b, sizeof b);
    for (size_t i = 0; i < LONG; i++) {
        x[count] = came_x[i];
        a[count] = came_a[i];
        b[count++] = came_b[i];
        if (count < MOST && i + 1 < LONG)
            continue;
        const struct thinning t = series(count, 0);
        assert_in_range(thinning_choose(&t, i + 1 < LONG ? MOST / 2 : MOST / 4, &span, again), 2,
                        count - 1);
        count = drop(count, again);
    }
    memset(keep, 0, sizeof keep);
    for (size_t i = 0; i < count; i++)
        keep[(size_t)x[i]] = true;
    return span;
}

static void thinning_again_and_again_comes_to_the_same_as_once(void **state)
{
    (void)state;
    static bool once[LONG];
    fill(LONG);
    double span = thin_as_they_come();
    fill(LONG);
    const struct thinning t = series(LONG, 0);
    assert_in_range(thinning_choose(&t, MOST / 4, &span, once), MOST / 16, MOST / 4);
    assert_memory_equal(keep, once, sizeof once);
}

static void what_has_no_figure_hides_no_other(void **state)
{
    (void)state;
    double span = 1;
    fill(LONG);
    for (size_t i = 0; i < LONG; i++)
        a[i] = b[i] = NAN;
    a[777] = 5;
    const struct thinning t = series(LONG, 0);
    assert_in_range(thinning_choose(&t, MOST, &span, keep), 2, MOST);
    assert_true(keep[777]);
}

static void a_last_stretch_that_is_too_long_ends_it_too(void **state)
{
    (void)state;
    double span = 1;
    fill(LONG);
    const struct thinning t = series(LONG, 2.0 * MOST);
    assert_in_range(thinning_choose(&t, MOST, &span, keep), 2 * MOST, 2 * MOST + 8);
}

/* Two of three points are never fewer: the span grows until it is longer than all of them. */
static void what_cannot_be_thinned_further_ends_at_the_whole_length(void **state)
{
    (void)state;
    static const double far[] = {0.25, 9.25, 1000.25}, flat[] = {1, 1, 1};
    const struct thinning t = {.count = 3, .x = far, .figures = 1, .value = {flat}};
    double span = 1;
    assert_int_equal(thinning_choose(&t, 1, &span, keep), 2);
    assert_true(keep[0] && !keep[1] && keep[2]);
    assert_true(span == 1024);
    /* Points of the same span, and the first of equals stays. */
    span = 5;
    assert_int_equal(thinning_choose(&t, 2, &span, keep), 2);
    assert_true(span == 10 && keep[0] && !keep[1]);
}

/* A point as far back as the latest reach isn't one of them. */
static void the_latest_reach_back_and_no_further(void **state)
{
    (void)state;
    static const double at[] = {1, 2, 3, 4}, flat[] = {1, 1, 1, 1};
    const struct thinning t = {.count = 4, .x = at, .recent = 2, .figures = 1, .value = {flat}};
    double span = 8;
    assert_int_equal(thinning_choose(&t, 3, &span, keep), 3);
    assert_true(keep[0] && !keep[1] && keep[2] && keep[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_points_all_stay),
        cmocka_unit_test(many_points_become_few_all_over_their_length),
        cmocka_unit_test(a_single_spike_stays_whichever_way_and_figure),
        cmocka_unit_test(the_latest_stay_all),
        cmocka_unit_test(thinning_again_and_again_comes_to_the_same_as_once),
        cmocka_unit_test(what_has_no_figure_hides_no_other),
        cmocka_unit_test(a_last_stretch_that_is_too_long_ends_it_too),
        cmocka_unit_test(what_cannot_be_thinned_further_ends_at_the_whole_length),
        cmocka_unit_test(the_latest_reach_back_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

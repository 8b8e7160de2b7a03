/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stats/trend.h"

enum { MOST = 500 };

struct points {
    double x[MOST], y[MOST];
    size_t n;
};

static double noise(struct rng *r, double size)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += rng_unit(r);
    return (sum - 6) * size;
}

static struct points line(size_t n, double slope, double size, uint64_t seed)
{
    struct points p = {.n = n};
    struct rng r = {.state = seed};
    for (size_t i = 0; i < n; i++) {
        p.x[i] = 1000.0 * (double)i;
        p.y[i] = 5e6 + slope * p.x[i] + noise(&r, size);
    }
    return p;
}

static struct trend trend(const struct points *p)
{
    return trend_of(p->x, p->y, p->n, 0.99, 5);
}

static void an_exact_line_has_its_slope_and_no_width(void **state)
{
    (void)state;
    struct points p = line(20, 32, 0, 1);
    struct trend t = trend(&p);
    assert_true(fabs(t.slope - 32) < 1e-6);
    assert_true(fabs(t.low - 32) < 1e-6 && fabs(t.high - 32) < 1e-6);
}

static void slope_ignores_a_single_spike(void **state)
{
    (void)state;
    struct points p = line(20, 0, 0, 1);
    p.y[13] += 80e6;
    assert_true(trend(&p).slope == 0);
}

/* Noise of which half is carried on from point to point, as a heap's is. */
static struct points drifting(size_t n, double slope, double size, uint64_t seed)
{
    struct points p = line(n, slope, 0, seed);
    struct rng r = {.state = seed};
    double carried = 0;
    for (size_t i = 0; i < n; i++) {
        carried = carried / 2 + noise(&r, size);
        p.y[i] += carried;
    }
    return p;
}

static int covered(size_t n, bool drift, int runs)
{
    int sum = 0;
    for (int seed = 1; seed <= runs; seed++) {
        struct points p =
            drift ? drifting(n, 2, 4000, (uint64_t)seed) : line(n, 2, 4000, (uint64_t)seed);
        struct trend t = trend(&p);
        sum += t.low <= 2 && 2 <= t.high;
    }
    return sum;
}

static void the_interval_covers_the_truth(void **state)
{
    (void)state;
    enum { RUNS = 200 };
    static const size_t points[] = {6, 10, 24};
    for (size_t i = 0; i < 3; i++) {
        int alone = covered(points[i], false, RUNS), drift = covered(points[i], true, RUNS);
        print_message("%zu points: the 99 %% interval covered %d and, drifting, %d of %d\n",
                      points[i], alone, drift, RUNS);
        assert_true(alone >= RUNS * 97 / 100);
        assert_true(drift >= RUNS * 94 / 100);
    }
}

static void the_interval_lies_around_the_slope_and_repeats_with_the_seed(void **state)
{
    (void)state;
    struct points p = line(15, 1, 3000, 9);
    struct trend a = trend(&p), b = trend(&p);
    assert_true(a.low <= a.slope && a.slope <= a.high);
    assert_true(a.low == b.low && a.high == b.high);
}

static void many_points_are_thinned_without_loss_of_the_slope(void **state)
{
    (void)state;
    struct points p = line(MOST, 3, 2000, 2);
    struct trend t = trend(&p);
    assert_true(fabs(t.slope - 3) < 0.05);
    assert_true(t.high - t.low < 0.2);
}

static void few_points_have_no_interval(void **state)
{
    (void)state;
    struct points p = line(4, 3, 0, 2);
    struct trend t = trend(&p);
    assert_true(fabs(t.slope - 3) < 1e-9);
    assert_true(isinf(t.low) && t.low < 0 && isinf(t.high));
    p.n = 0;
    t = trend(&p);
    assert_true(t.slope == 0 && isinf(t.low));
}

static void points_at_one_place_have_no_slope(void **state)
{
    (void)state;
    struct points p = line(10, 3, 10, 2);
    for (size_t i = 0; i < p.n; i++)
        p.x[i] = 7;
    struct trend t = trend(&p);
    assert_true(t.slope == 0 && isinf(t.low) && isinf(t.high));
}

/* Figures of another program, with a median and a generator of its own, of points that stray from
 * the line as squares do modulo a prime: up to 40 they count themselves, of more their medians. */
static void slope_and_interval_are_those_of_sen_and_kuensch(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double confidence, slope, low, high;
    } of[] = {{6, 0.99, 0.354838709677, -1.20843672457, 2.04838709677},
              {7, 0.99, 0.275862068966, -0.697569248163, 1.25925925926},
              {9, 0.95, 0.161904761905, -0.138911564626, 0.461044560554},
              {20, 0.99, 0.295462213225, 0.20737708606, 0.375265170053},
              {26, 0.9, 0.3125, 0.279474986972, 0.347010618652},
              {40, 0.99, 0.29903437141, 0.278048801728, 0.320198207261},
              {41, 0.99, 0.3, 0.279083754181, 0.32096856102},
              {100, 0.99, 0.302150102753, 0.298182711087, 0.306449439131},
              {95, 0.99, 0.301048934562, 0.296178527566, 0.306059368159}};
    struct points p;
    for (size_t i = 0; i < 100; i++) {
        p.x[i] = (double)(10 * i + i * i % 7);
        p.y[i] = (double)(3 * i + i * i * 17 % 23);
    }
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct trend t = trend_of(p.x, p.y, of[i].n, of[i].confidence, 5);
        assert_true(fabs(t.slope - of[i].slope) < 1e-9);
        assert_true(fabs(t.low - of[i].low) < 1e-9 && fabs(t.high - of[i].high) < 1e-9);
    }
    struct trend t = trend_of(p.x, p.y, 5, 0.99, 5); /* one fewer than have an interval */
    assert_true(fabs(t.slope - 0.657692307692) < 1e-9 && isinf(t.low) && isinf(t.high));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_line_has_its_slope_and_no_width),
        cmocka_unit_test(slope_ignores_a_single_spike),
        cmocka_unit_test(the_interval_covers_the_truth),
        cmocka_unit_test(the_interval_lies_around_the_slope_and_repeats_with_the_seed),
        cmocka_unit_test(many_points_are_thinned_without_loss_of_the_slope),
        cmocka_unit_test(few_points_have_no_interval),
        cmocka_unit_test(points_at_one_place_have_no_slope),
        cmocka_unit_test(slope_and_interval_are_those_of_sen_and_kuensch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

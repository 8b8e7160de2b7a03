/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mixes of the measured epochs: well conditioned, true to the user's weights, nearly the same
 * in both halves of a run. And the judge beside them: leaks on one behaviour of a small share are
 * convicted, clean sites that follow one are not.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/attribution/mix.h"
#include "stats/judge/plan.h"
#include "tests/unit/stats/judge/judge_sim.h"

enum { EPOCHS = 64 };

/* The measured epochs of a run by the plan, and the share of each behaviour in them. */
struct layout {
    size_t epochs, count;
    double opens[EPOCHS], share[EPOCHS][MIX_MAX], base[MIX_MAX];
};

static void lay_out(struct layout *l, const uint64_t *weight, size_t count, bool early)
{
    static struct mix mix;
    struct plan plan;
    struct plan_seen seen = {.checkpoints = 3};
    double total = 0;
    *l = (struct layout){.count = count};
    mix_init(&mix, weight, count);
    plan_init(&plan, &(struct plan_input){.conns = 30, .rate_per_s = 1000, .behaviours = count});
    for (size_t b = 0; b < count; b++)
        total += (double)weight[b];
    for (size_t b = 0; b < count; b++)
        l->base[b] = (double)weight[b] / total;
    for (;;) {
        struct plan_action a = plan_next(&plan, &seen);
        seen.opened += a.opens;
        seen.elapsed_ms = seen.opened;
        if (a.step == PLAN_DRAIN || (early && l->epochs == count + 1))
            return;
        if (a.step != PLAN_MEASURE)
            continue;
        uint64_t drawn[MIX_MAX], sum = 0;
        mix_next(&mix, a.opens, drawn);
        for (size_t b = 0; b < count; b++)
            sum += drawn[b];
        for (size_t b = 0; b < count; b++)
            l->share[l->epochs][b] = (double)drawn[b] / (double)sum;
        l->opens[l->epochs++] = (double)a.opens;
    }
}

static void random_weights(struct rng *r, uint64_t *weight, size_t count)
{
    for (size_t b = 0; b < count; b++)
        weight[b] = 1 + rng_below(r, 100);
}

/* Largest over smallest eigenvalue of a symmetric matrix, by Jacobi's rotations. */
static double spread(double a[MIX_MAX][MIX_MAX], size_t n)
{
    for (int sweep = 0; sweep < 30; sweep++) {
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                double angle = 0.5 * atan2(2 * a[p][q], a[q][q] - a[p][p]);
                double c = cos(angle), s = sin(angle);
                for (size_t k = 0; k < n; k++) {
                    double x = a[k][p], y = a[k][q];
                    a[k][p] = c * x - s * y;
                    a[k][q] = s * x + c * y;
                }
                for (size_t k = 0; k < n; k++) {
                    double x = a[p][k], y = a[q][k];
                    a[p][k] = c * x - s * y;
                    a[q][k] = s * x + c * y;
                }
            }
        }
    }
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, a[i][i]);
        high = fmax(high, a[i][i]);
    }
    return low > 0 ? high / low : INFINITY;
}

/* Of the shares over the user's: what remains when the behaviours' own sizes are taken out. */
static double condition(const struct layout *l)
{
    static double gram[MIX_MAX][MIX_MAX];
    memset(gram, 0, sizeof gram);
    for (size_t e = 0; e < l->epochs; e++) {
        for (size_t i = 0; i < l->count; i++) {
            for (size_t k = 0; k < l->count; k++)
                gram[i][k] += l->share[e][i] / l->base[i] * l->share[e][k] / l->base[k];
        }
    }
    return sqrt(spread(gram, l->count));
}

/* The larger share of a behaviour in one half of the connections over that in the other, at worst.
 */
static double worst_halves(const struct layout *l)
{
    double total = 0, sum = 0, best = INFINITY, worst = 1;
    size_t middle = 0;
    for (size_t e = 0; e < l->epochs; e++)
        total += l->opens[e];
    for (size_t e = 0; e + 1 < l->epochs; e++) {
        sum += l->opens[e];
        if (fabs(total - 2 * sum) < best) {
            best = fabs(total - 2 * sum);
            middle = e;
        }
    }
    for (size_t b = 0; b < l->count; b++) {
        double half[2] = {0}, opens[2] = {0};
        for (size_t e = 0; e < l->epochs; e++) {
            half[e > middle] += l->share[e][b] * l->opens[e];
            opens[e > middle] += l->opens[e];
        }
        double ratio = half[0] / opens[0] / (half[1] / opens[1]);
        worst = fmax(worst, fmax(ratio, 1 / ratio));
    }
    return worst;
}

/* The largest variance of a behaviour's share from epoch to epoch, over the square of its mean and
 * weighted by connections: in the first `epochs`. The more it is, the more blocks does the judge's
 * rule MARKS take for clumps. */
static double worst_variance(const struct layout *l, size_t epochs)
{
    double worst = 0, opens = 0;
    for (size_t e = 0; e < epochs; e++)
        opens += l->opens[e];
    for (size_t b = 0; b < l->count; b++) {
        double mean = 0, variance = 0;
        for (size_t e = 0; e < epochs; e++)
            mean += l->share[e][b] * l->opens[e] / opens;
        for (size_t e = 0; e < epochs; e++) {
            double apart = l->share[e][b] / mean - 1;
            variance += apart * apart * l->opens[e] / opens;
        }
        worst = fmax(worst, variance);
    }
    return worst;
}

static double worst_overall(const struct layout *l)
{
    double worst = 1;
    for (size_t b = 0; b < l->count; b++) {
        double sum = 0, opens = 0;
        for (size_t e = 0; e < l->epochs; e++) {
            sum += l->share[e][b] * l->opens[e];
            opens += l->opens[e];
        }
        double ratio = sum / opens / l->base[b];
        worst = fmax(worst, fmax(ratio, 1 / ratio));
    }
    return worst;
}

static void whole_runs_are_conditioned_and_balanced(void **state)
{
    (void)state;
    struct rng r = {.state = 1};
    for (size_t count = 2; count <= 16; count++) {
        double cond = 0, halves = 1, overall = 1;
        for (int run = 0; run < 40; run++) {
            struct layout l;
            uint64_t weight[MIX_MAX];
            random_weights(&r, weight, count);
            lay_out(&l, weight, count, false);
            assert_true(l.epochs > count);
            cond = fmax(cond, condition(&l));
            halves = fmax(halves, worst_halves(&l));
            overall = fmax(overall, worst_overall(&l));
        }
        print_message("%zu behaviours: condition %.1f, halves %.3f, overall %.3f\n", count, cond,
                      halves, overall);
        assert_true(cond <= 40);
        assert_true(halves <= 1.4);
        assert_true(overall <= 1.1);
    }
}

/* So that a leak of one behaviour differs less than what a warm-up makes, however short the run. */
static void no_behaviour_comes_and_goes_as_a_warm_up_does(void **state)
{
    (void)state;
    struct rng r = {.state = 1};
    double worst = 0;
    for (size_t count = 2; count <= 16; count++) {
        for (int run = 0; run < 40; run++) {
            struct layout l;
            uint64_t weight[MIX_MAX];
            random_weights(&r, weight, count);
            lay_out(&l, weight, count, false);
            for (size_t epochs = 2; epochs <= l.epochs; epochs++)
                worst = fmax(worst, worst_variance(&l, epochs));
        }
    }
    print_message("variance of a share %.3f\n", worst);
    assert_true(worst <= 0.35 * 0.35);
}

static void a_run_that_stops_early_tells_all_apart(void **state)
{
    (void)state;
    struct rng r = {.state = 2};
    for (size_t count = 2; count <= 16; count++) {
        double cond = 0;
        for (int run = 0; run < 40; run++) {
            struct layout l;
            uint64_t weight[MIX_MAX];
            random_weights(&r, weight, count);
            lay_out(&l, weight, count, true);
            cond = fmax(cond, condition(&l));
        }
        assert_true(cond <= 300);
    }
}

static void a_weight_of_zero_stays(void **state)
{
    (void)state;
    static struct mix m;
    const uint64_t base[] = {50, 0, 15, 5};
    uint64_t weight[MIX_MAX];
    bool moved = false;
    mix_init(&m, base, 4);
    double untold = m.inverse[1][1];
    assert_int_equal(mix_drawn(&m), 3);
    for (int e = 0; e < 20; e++) {
        mix_next(&m, 1000, weight);
        assert_int_equal(weight[1], 0);
        assert_true(weight[0] && weight[2] && weight[3]);
        moved |= weight[0] * 15 != weight[2] * 50;
        assert_true(m.surplus[1] == 0 && m.inverse[1][1] == untold);
    }
    assert_true(moved);
}

/* 301 of 2,010,000 are 1.4975 of ten thousand, one more is 1.5025. */
static void large_weights_are_scaled_to_the_nearest(void **state)
{
    (void)state;
    static struct mix m;
    static const uint64_t large[] = {2010000, 301, 302, 1, 0}, base[] = {10000, 1, 2, 1, 0};
    mix_init(&m, large, 5);
    assert_memory_equal(m.base, base, sizeof base);
    mix_init(&m, base, 5);
    assert_memory_equal(m.base, base, sizeof base);
}

/* As another program has them, which inverts the matrix anew for every epoch. */
static void epochs_are_those_of_the_sequential_design(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        uint64_t base[6], opens[6], weight[6][6];
    } of[] = {{4,
               {50, 30, 15, 5},
               {250, 500, 1000, 0, 2000, 2000},
               {{100, 60, 30, 10},
                {150, 60, 30, 15},
                {100, 90, 30, 15},
                {50, 30, 15, 5},
                {150, 90, 30, 10},
                {100, 60, 45, 15}}},
              {5,
               {20000, 9999, 1, 0, 12345},
               {1000, 1000, 1000, 1000, 1000, 1000},
               {{20000, 10000, 2, 0, 12346},
                {20000, 15000, 2, 0, 18519},
                {20000, 10000, 3, 0, 12346},
                {30000, 10000, 2, 0, 18519},
                {30000, 15000, 3, 0, 12346},
                {30000, 15000, 2, 0, 12346}}},
              {6,
               {1, 1, 1, 1, 1, 1},
               {1000, 1000, 3000, 500, 2000, 2000},
               {{2, 2, 2, 2, 2, 2},
                {2, 3, 2, 3, 2, 3},
                {3, 2, 2, 3, 3, 2},
                {3, 2, 3, 2, 2, 3},
                {2, 2, 2, 2, 3, 3},
                {2, 2, 3, 3, 2, 2}}}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        static struct mix m;
        mix_init(&m, of[i].base, of[i].count);
        for (size_t e = 0; e < 6; e++) {
            uint64_t weight[MIX_MAX];
            mix_next(&m, of[i].opens[e], weight);
            assert_memory_equal(weight, of[i].weight[e], of[i].count * sizeof *weight);
        }
    }
}

/* Brought up to date epoch by epoch, times the matrix summed up here it is the identity. */
static void the_inverse_stays_that_of_all_epochs(void **state)
{
    (void)state;
    enum { COUNT = 4 };
    static struct mix m;
    static const uint64_t base[COUNT] = {50, 30, 15, 5};
    double information[COUNT][COUNT] = {0};
    mix_init(&m, base, COUNT);
    for (size_t b = 0; b < COUNT; b++)
        information[b][b] = 1 / m.inverse[b][b];
    for (int e = 0; e < 12; e++) {
        uint64_t weight[MIX_MAX], sum = 0;
        mix_next(&m, 1000, weight);
        for (size_t b = 0; b < COUNT; b++)
            sum += weight[b];
        for (size_t i = 0; i < COUNT * COUNT; i++)
            information[i / COUNT][i % COUNT] +=
                (double)(weight[i / COUNT] * weight[i % COUNT]) * 100 * 100 /
                (double)(base[i / COUNT] * base[i % COUNT] * sum * sum);
        for (size_t i = 0; i < COUNT * COUNT; i++) {
            double product = 0;
            for (size_t k = 0; k < COUNT; k++)
                product += information[i / COUNT][k] * m.inverse[k][i % COUNT];
            assert_true(fabs(product - (i / COUNT == i % COUNT)) < 1e-3);
        }
    }
}

static void one_behaviour_has_nothing_to_vary(void **state)
{
    (void)state;
    static struct mix m;
    const uint64_t base[] = {0, 7};
    uint64_t weight[MIX_MAX];
    mix_init(&m, base, 2);
    for (int e = 0; e < 5; e++) {
        mix_next(&m, 1000, weight);
        assert_int_equal(weight[0], 0);
        assert_int_equal(weight[1], 7);
    }
}

static void the_largest_mix_fits_into_a_line(void **state)
{
    (void)state;
    static struct mix m;
    uint64_t base[MIX_MAX], weight[MIX_MAX];
    size_t used = sizeof "epoch opens=18446744073709551615 mix=";
    for (size_t b = 0; b < MIX_MAX; b++)
        base[b] = b ? 1000000 : 1;
    mix_init(&m, base, MIX_MAX);
    mix_next(&m, 1000, weight);
    for (size_t b = 0; b < MIX_MAX; b++) {
        assert_true(weight[b] > 0);
        used += (size_t)snprintf(NULL, 0, "%llu,", (unsigned long long)weight[b]);
    }
    assert_true(used <= 511);
}

/* ---- the judge beside them ---- */

enum { CLEAN, RESET, HALF_CLOSE, MID_HANDSHAKE, BEHAVIOURS };
static const uint64_t defaults[BEHAVIOURS] = {50, 30, 15, 5};

/* Sites from `first` on follow the behaviour: their chance is per connection of it, and given at
 * the user's mix. */
static void run_mixed(struct sim *s, const struct plan_input *in, size_t first, size_t behaviour,
                      struct judgement *ret)
{
    static struct mix mix;
    double chance[SIM_SITES];
    struct plan plan;
    struct judgement j = {0};
    plan_init(&plan, in);
    mix_init(&mix, defaults, BEHAVIOURS);
    for (size_t i = first; i < s->sites; i++)
        chance[i] = s->site[i].chance * 100 / (double)defaults[behaviour];
    for (uint64_t elapsed = 0;;) {
        struct plan_seen seen = {.opened = s->opened,
                                 .elapsed_ms = elapsed,
                                 .checkpoints = s->epochs < 3 ? (int)s->epochs : 3,
                                 .wants_hold = j.wants_hold,
                                 .wants_more = j.wants_more,
                                 .certain = j.certain};
        struct plan_action a = plan_next(&plan, &seen);
        if (a.step == PLAN_DRAIN)
            break;
        uint64_t weight[MIX_MAX] = {50, 30, 15, 5}, sum = 0;
        if (a.step == PLAN_MEASURE)
            mix_next(&mix, a.opens, weight);
        for (size_t b = 0; b < BEHAVIOURS; b++)
            sum += weight[b];
        for (size_t i = first; i < s->sites; i++)
            s->site[i].chance = chance[i] * (double)weight[behaviour] / (double)sum;
        elapsed += a.hold_ms + a.opens * 1000 / (uint64_t)in->rate_per_s;
        sim_epoch(s,
                  a.step == PLAN_WARM   ? SIM_WARM
                  : a.step == PLAN_HOLD ? SIM_HOLD
                                        : SIM_MEASURE,
                  a.opens, (double)a.hold_ms / 1000 + (double)a.opens / in->rate_per_s);
        judge(sim_evidence(s), &j);
    }
    sim_drain(s);
    judge(sim_evidence(s), ret);
}

static int not_convicted(size_t behaviour, double rate, uint64_t closed, bool early)
{
    enum { RUNS = 300 };
    int missed = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct plan_input in = {.conns = 30,
                                .rate_per_s = 500,
                                .closed = closed,
                                .early_stop = early,
                                .behaviours = BEHAVIOURS};
        struct sim *s = sim_new(in.conns, seed * 101);
        struct judgement j;
        sim_site(s, SIM_CONN, 7, 0);
        sim_site(s, SIM_LEAK, 1, rate * (double)defaults[behaviour] / 100);
        run_mixed(s, &in, 1, behaviour, &j);
        missed += j.verdict != VERDICT_LEAK;
        if (j.verdict != VERDICT_LEAK)
            print_message("seed %llu: %s\n", (unsigned long long)seed, j.reason[0]);
        free(s);
    }
    return missed;
}

static void leaks_on_one_behaviour_are_convicted(void **state)
{
    (void)state;
    for (size_t b = 0; b < BEHAVIOURS; b++) {
        assert_int_equal(not_convicted(b, 1, 0, true), 0);
        assert_int_equal(not_convicted(b, 1, 0, false), 0);
        assert_int_equal(not_convicted(b, 0.1, 0, false), 0);
        assert_int_equal(not_convicted(b, 1, 4000, false), 0);
    }
}

static void clean_sites_on_one_behaviour_are_not(void **state)
{
    (void)state;
    enum { RUNS = 1500 };
    int count[4] = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct rng r = {.state = seed};
        struct plan_input in = {.conns = 30,
                                .rate_per_s = 500,
                                .closed = seed % 3 ? 0 : 3000 + rng_below(&r, 20000),
                                .early_stop = seed % 2,
                                .behaviours = BEHAVIOURS};
        struct sim *s = sim_new(in.conns, seed * 7);
        struct judgement j;
        sim_site(s, SIM_CONN, 7, 0);
        sim_site(s, SIM_SLOTS, 1 + (int64_t)rng_below(&r, 16), pow(10, -4 * rng_unit(&r)));
        sim_site(s, SIM_LAZY, 1 + (int64_t)rng_below(&r, 4), pow(10, -4 * rng_unit(&r)));
        sim_site(s, SIM_TABLE1, 1 + (int64_t)rng_below(&r, 60), pow(10, -rng_unit(&r)));
        sim_cache(s, sim_site(s, SIM_CACHE, 1 + (int64_t)rng_below(&r, 30000), 1), 30000);
        run_mixed(s, &in, 1, seed % BEHAVIOURS, &j);
        count[j.verdict]++;
        if (j.verdict == VERDICT_LEAK)
            print_message("seed %llu: %s\n", (unsigned long long)seed, j.reason[0]);
        free(s);
    }
    print_message("clean beside mixes: %d PASS, %d LEAK, %d INCONCLUSIVE of %d\n",
                  count[VERDICT_PASS], count[VERDICT_LEAK], count[VERDICT_INCONCLUSIVE], RUNS);
    assert_int_equal(count[VERDICT_LEAK], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_runs_are_conditioned_and_balanced),
        cmocka_unit_test(no_behaviour_comes_and_goes_as_a_warm_up_does),
        cmocka_unit_test(a_run_that_stops_early_tells_all_apart),
        cmocka_unit_test(a_weight_of_zero_stays),
        cmocka_unit_test(large_weights_are_scaled_to_the_nearest),
        cmocka_unit_test(epochs_are_those_of_the_sequential_design),
        cmocka_unit_test(the_inverse_stays_that_of_all_epochs),
        cmocka_unit_test(one_behaviour_has_nothing_to_vary),
        cmocka_unit_test(the_largest_mix_fits_into_a_line),
        cmocka_unit_test(leaks_on_one_behaviour_are_convicted),
        cmocka_unit_test(clean_sites_on_one_behaviour_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

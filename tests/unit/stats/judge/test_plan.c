/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/rng.h"
#include "stats/judge/judge.h"
#include "stats/judge/plan.h"
#include "tests/unit/stats/golden.h"

/* A run that keeps its plan's rate; the words of the judge are set by the tests. */
struct drive {
    struct plan plan;
    struct plan_seen seen;
    double rate;   /* reached */
    double growth; /* ledger blocks per connection */
    double wobble; /* blocks that move without a rule */
    int steps, holds, turnovers;
    uint64_t turnover_opens, warm_opens; /* the last of its kind */
    int warm;
    uint64_t opens[64]; /* of measured epochs */
    int measured;
};

static struct drive begin(const struct plan_input *in, double rate)
{
    struct drive d = {.rate = rate};
    plan_init(&d.plan, in);
    return d;
}

static void remember(struct drive *d)
{
    for (int i = 2; i > 0; i--) {
        d->seen.ledger_blocks[i] = d->seen.ledger_blocks[i - 1];
        d->seen.ledger_opened[i] = d->seen.ledger_opened[i - 1];
    }
    d->seen.ledger_blocks[0] = 4000 + (int64_t)(d->growth * (double)d->seen.opened) +
                               (d->steps % 2 ? (int64_t)d->wobble : 0);
    d->seen.ledger_opened[0] = d->seen.opened;
    d->seen.checkpoints += d->seen.checkpoints < 3;
}

static struct plan_action advance(struct drive *d)
{
    struct plan_action a = plan_next(&d->plan, &d->seen);
    assert_in_range(d->steps++, 0, 63);
    d->warm += a.step == PLAN_WARM;
    d->holds += a.step == PLAN_HOLD;
    d->turnovers += a.step == PLAN_TURNOVER;
    if (a.step == PLAN_TURNOVER)
        d->turnover_opens = a.opens;
    if (a.step == PLAN_WARM)
        d->warm_opens = a.opens;
    if (a.step == PLAN_MEASURE)
        d->opens[d->measured++] = a.opens;
    d->seen.opened += a.opens;
    d->seen.elapsed_ms += a.hold_ms + (uint64_t)((double)a.opens * 1000 / d->rate);
    remember(d);
    return a;
}

static void to_the_end(struct drive *d)
{
    while (advance(d).step != PLAN_DRAIN)
        ;
}

static uint64_t measured_in(const struct drive *d)
{
    uint64_t sum = 0;
    for (int i = 0; i < d->measured; i++)
        sum += d->opens[i];
    return sum;
}

static const struct plan_input standard = {.conns = 30, .rate_per_s = 1000};

static void the_unit_is_a_quarter_second_of_churn(void **state)
{
    (void)state;
    struct plan p;
    plan_init(&p, &standard);
    assert_int_equal(p.unit, 250);
    assert_int_equal(p.total, 60000);
    plan_init(&p, &(struct plan_input){.conns = 10000, .rate_per_s = 1000});
    assert_int_equal(p.unit, 250);
    plan_init(&p, &(struct plan_input){.conns = 30, .rate_per_s = 10});
    assert_int_equal(p.unit, 30);
    plan_init(&p, &(struct plan_input){.conns = 1, .rate_per_s = 1});
    assert_int_equal(p.unit, 1);
    plan_init(&p, &(struct plan_input){.conns = 30});
    assert_int_equal(p.unit, 250);
    plan_init(&p, &(struct plan_input){.conns = 30, .rate_per_s = 1000, .closed = 2000});
    assert_int_equal(p.unit, 62);
    plan_init(&p, &(struct plan_input){.conns = 200, .rate_per_s = 1000, .closed = 2000});
    assert_int_equal(p.unit, 62);
}

static void operations_warm_up_by_whole_rounds(void **state)
{
    (void)state;
    const uint64_t closed[] = {0, 80000};
    for (int i = 0; i < 2; i++) {
        struct drive d = begin(
            &(struct plan_input){
                .conns = 10000, .rate_per_s = 1000, .closed = closed[i], .unit = UNIT_OPERATION},
            1000);
        for (struct plan_action a = advance(&d); a.step == PLAN_WARM; a = advance(&d))
            assert_true(a.opens >= 10000);
        assert_true(d.warm >= 2);
        to_the_end(&d);
        assert_int_equal(d.turnovers, 1);
        assert_true(d.turnover_opens >= 10000);
    }
}

static void a_quiet_run_warms_up_twice_and_then_doubles(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    struct plan_action a = advance(&d);
    assert_int_equal(a.step, PLAN_WARM);
    assert_int_equal(a.opens, 280);
    assert_int_equal(advance(&d).opens, 250);
    for (uint64_t n = 250; n <= 4000; n *= 2) {
        a = advance(&d);
        assert_int_equal(a.step, PLAN_MEASURE);
        assert_int_equal(a.opens, n);
    }
    assert_int_equal(advance(&d).opens, (60000 - 530 - 45) / 8);
    to_the_end(&d);
    assert_in_range(d.seen.opened, 55000, 60000);
    assert_int_equal(d.turnovers, 1);
    assert_int_equal(d.holds, 0);
}

static void every_older_connection_closes_before_the_drain(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    to_the_end(&d);
    assert_true(d.turnover_opens > 30);
}

static void an_unsettled_ledger_warms_up_longer_but_not_for_ever(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    d.wobble = 1000;
    to_the_end(&d);
    assert_int_equal(d.warm, 5);
    struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = 2000};
    d = begin(&in, 1000);
    d.wobble = 1000;
    to_the_end(&d);
    assert_in_range(d.warm, 2, 4);
    assert_true(measured_in(&d) > 1200);
}

static void steady_growth_ends_the_warm_up(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    d.growth = 1;
    to_the_end(&d);
    assert_int_equal(d.warm, 3);
}

static void a_hold_comes_once_when_asked_for(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    for (int i = 0; i < 4; i++)
        advance(&d);
    d.seen.wants_hold = true;
    struct plan_action a = advance(&d);
    assert_int_equal(a.step, PLAN_HOLD);
    assert_int_equal(a.opens, 0);
    assert_int_equal(a.hold_ms, 1500);
    to_the_end(&d);
    assert_int_equal(d.holds, 1);
}

static void a_certain_leak_ends_the_run_only_when_wished(void **state)
{
    (void)state;
    for (int early = 0; early < 2; early++) {
        struct plan_input in = standard;
        in.early_stop = early;
        struct drive d = begin(&in, 1000);
        for (int i = 0; i < 6; i++)
            advance(&d);
        d.seen.certain = true;
        assert_int_equal(advance(&d).step, early ? PLAN_TURNOVER : PLAN_MEASURE);
        to_the_end(&d);
        assert_int_equal(d.turnovers, 1);
    }
}

static void a_told_leak_is_confirmed_before_the_turnover(void **state)
{
    (void)state;
    struct plan_input in = standard;
    in.early_stop = true;
    in.behaviours = 4;
    struct drive d = begin(&in, 1000);
    for (int i = 0; i < 6; i++)
        advance(&d);
    d.seen.certain = d.seen.wants_confirm = true;
    d.seen.confirm_opens = 250;
    struct plan_action a = advance(&d);
    assert_int_equal(a.step, PLAN_CONFIRM_ALONE);
    assert_int_equal(a.opens, 250);
    /* Connections of the confirmation are in no halves: what certainty remains doesn't matter. */
    d.seen.certain = false;
    assert_int_equal(advance(&d).step, PLAN_CONFIRM_WITHOUT);
    d.seen.wants_confirm = false;
    assert_int_equal(advance(&d).step, PLAN_TURNOVER);
    assert_int_equal(advance(&d).step, PLAN_DRAIN);
}

static void a_leak_told_by_the_turnover_is_confirmed_after_it(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = 4000, .behaviours = 4};
    struct drive d = begin(&in, 1000);
    while (advance(&d).step != PLAN_TURNOVER)
        ;
    d.seen.wants_confirm = true;
    d.seen.confirm_opens = 100;
    assert_int_equal(advance(&d).step, PLAN_CONFIRM_ALONE);
    assert_int_equal(advance(&d).step, PLAN_CONFIRM_WITHOUT);
    d.seen.wants_confirm = false;
    assert_int_equal(advance(&d).step, PLAN_TURNOVER);
    assert_int_equal(advance(&d).step, PLAN_DRAIN);
}

static void a_confirmation_stays_within_the_bound(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = 8000, .behaviours = 4};
    struct drive d = begin(&in, 1000);
    for (int i = 0; i < 5; i++)
        advance(&d);
    d.seen.wants_confirm = true;
    d.seen.confirm_opens = 250;
    enum plan_step step;
    while ((step = advance(&d).step) != PLAN_DRAIN) {
        if (step == PLAN_CONFIRM_WITHOUT)
            d.seen.wants_confirm = false;
    }
    assert_in_range(d.seen.opened, 7700, 8000);
}

static void an_untold_leak_goes_on_until_it_could_be_told(void **state)
{
    (void)state;
    struct plan_input in = standard;
    in.early_stop = true;
    in.behaviours = 4;
    struct drive d = begin(&in, 1000);
    advance(&d);
    advance(&d);
    d.seen.certain = d.seen.untold = true;
    int measured = 0;
    while (advance(&d).step == PLAN_MEASURE)
        measured++;
    assert_int_equal(measured, 6);
}

static void more_behaviours_get_more_epochs(void **state)
{
    (void)state;
    for (size_t behaviours = 2; behaviours <= 64; behaviours += 6) {
        struct plan_input in = standard;
        in.behaviours = behaviours;
        struct drive d = begin(&in, 1000);
        to_the_end(&d);
        assert_true(behaviours > 36 || d.measured > (int)behaviours);
        assert_true(d.measured >= 8);
    }
}

static void an_interrupted_run_drains_at_once(void **state)
{
    (void)state;
    for (int before = 0; before < 6; before++) {
        struct drive d = begin(&standard, 1000);
        for (int i = 0; i < before; i++)
            advance(&d);
        d.seen.interrupted = true;
        assert_int_equal(advance(&d).step, PLAN_DRAIN);
    }
}

static void an_undecided_default_run_goes_on_for_two_epochs(void **state)
{
    (void)state;
    struct drive plain = begin(&standard, 1000), longer = begin(&standard, 1000);
    longer.seen.wants_more = true;
    to_the_end(&plain);
    to_the_end(&longer);
    assert_int_equal(longer.measured, plain.measured + 2);
    struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = 20000};
    struct drive bounded = begin(&in, 1000);
    bounded.seen.wants_more = true;
    to_the_end(&bounded);
    assert_in_range(bounded.seen.opened, 18000, 20000);
}

static void a_bound_in_connections_is_kept(void **state)
{
    (void)state;
    for (uint64_t closed = 1000; closed < 3000000; closed = closed * 3 / 2) {
        struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = closed};
        struct drive d = begin(&in, 1000);
        to_the_end(&d);
        assert_in_range(d.seen.opened, closed * 9 / 10, closed);
        assert_true(d.measured >= 2);
    }
}

static void a_wanted_profile_takes_two_steps_before_the_drain(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    d.seen.suspects_heap = d.seen.wants_profile = true;
    while (advance(&d).step != PLAN_TURNOVER)
        ;
    struct plan_action first = advance(&d), second = advance(&d);
    assert_int_equal(first.step, PLAN_PROFILE);
    assert_int_equal(second.step, PLAN_PROFILE);
    assert_true(first.opens > 30 && second.opens > first.opens);
    assert_int_equal(advance(&d).step, PLAN_DRAIN);
}

static void an_interrupted_profile_drains(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    d.seen.wants_profile = true;
    while (advance(&d).step != PLAN_PROFILE)
        ;
    d.seen.interrupted = true;
    assert_int_equal(advance(&d).step, PLAN_DRAIN);
}

static void a_profile_makes_no_bounded_run_longer(void **state)
{
    (void)state;
    for (uint64_t closed = 1000; closed < 300000; closed = closed * 3 / 2) {
        struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = closed};
        struct drive d = begin(&in, 1000);
        d.seen.suspects_heap = d.seen.wants_profile = true;
        to_the_end(&d);
        assert_int_equal(d.plan.profiled, 2);
        assert_in_range(d.seen.opened, closed * 9 / 10, closed);
        /* Found too late for any room to be kept. */
        d = begin(&in, 1000);
        while (advance(&d).step != PLAN_TURNOVER)
            ;
        d.seen.wants_profile = true;
        to_the_end(&d);
        assert_true(d.seen.opened <= closed);
    }
}

static void a_bound_in_time_is_kept_at_whatever_rate(void **state)
{
    (void)state;
    static const double reached[] = {100, 700, 1000};
    for (int i = 0; i < 3; i++) {
        for (int limited = 0; limited < 2; limited++) {
            struct plan_input in = {
                .conns = 30, .rate_per_s = limited ? 1000 : 0, .for_ms = 120000};
            struct drive d = begin(&in, reached[i]);
            to_the_end(&d);
            assert_in_range(d.seen.elapsed_ms, 110000, 132000);
        }
    }
}

/* Nobody knows before what the machine can do, and what was asked may be anything. */
static void a_rate_that_is_not_reached_makes_no_run_much_longer(void **state)
{
    (void)state;
    static const double asked[] = {5000, 20000, 1e9};
    for (int i = 0; i < 3; i++) {
        struct plan_input in = {.conns = 100, .rate_per_s = asked[i], .for_ms = 10000};
        struct drive timed = begin(&in, 500);
        to_the_end(&timed);
        assert_in_range(timed.seen.elapsed_ms, 8000, 11000);
        in.until_sure = true;
        in.one_in = 50;
        struct drive sure = begin(&in, 500);
        to_the_end(&sure);
        assert_in_range(sure.seen.elapsed_ms, 2000, 10000);
        in = (struct plan_input){.conns = 100, .rate_per_s = asked[i]};
        struct drive unbounded = begin(&in, 500);
        unbounded.seen.wants_more = true;
        to_the_end(&unbounded);
        assert_in_range(unbounded.seen.elapsed_ms, 60000, 200000);
    }
}

static void of_two_bounds_the_first_that_is_reached_ends_the_run(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = 40000, .for_ms = 60000};
    struct drive slow = begin(&in, 100), fast = begin(&in, 1000);
    to_the_end(&slow);
    assert_in_range(slow.seen.elapsed_ms, 50000, 70000);
    assert_true(slow.seen.opened < 7000);
    to_the_end(&fast);
    assert_int_equal(fast.seen.opened, 40000);
}

static void a_bound_too_tight_still_measures_two_epochs(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = 50};
    struct drive d = begin(&in, 1000);
    to_the_end(&d);
    assert_int_equal(d.measured, 2);
    in = (struct plan_input){.conns = 30, .rate_per_s = 1000, .for_ms = 10};
    d = begin(&in, 1000);
    to_the_end(&d);
    assert_int_equal(d.measured, 2);
}

static void a_default_run_at_max_ends_after_a_minute(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30};
    struct drive d = begin(&in, 1500);
    to_the_end(&d);
    assert_in_range(d.seen.elapsed_ms, 55000, 70000);
}

static void a_slow_machine_ends_when_it_has_seen_enough(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 150);
    to_the_end(&d);
    assert_in_range(d.seen.opened, 17000, 22000);
}

static struct reach reach_of(const struct drive *d)
{
    struct reach r = {.opened = d->opens, .epochs = (size_t)d->measured, .warm = d->warm_opens};
    plan_warm_up(&d->plan, d->seen.opened, d->seen.elapsed_ms, &r.warm_up);
    return r;
}

/* As the judge prints it. */
static double sensitivity_of(const struct drive *d)
{
    struct reach r = reach_of(d);
    return reach_one_in(&r);
}

static void a_run_without_a_bound_goes_beyond_an_expected_cache(void **state)
{
    (void)state;
    struct plan_input input = standard;
    input.expected = 100000;
    struct drive d = begin(&input, 1000);
    to_the_end(&d);
    assert_true(measured_in(&d) >= 150000);
    input.closed = 5000;
    d = begin(&input, 1000);
    to_the_end(&d);
    assert_in_range(d.seen.opened, 4900, 5100);
}

static void reloads_come_one_by_one_and_few(void **state)
{
    (void)state;
    const struct plan_input input = {.conns = 1, .unit = UNIT_RELOAD, .behaviours = 1};
    struct drive d = begin(&input, 2);
    assert_int_equal(d.plan.unit, 4);
    to_the_end(&d);
    assert_int_equal(d.turnover_opens, 2);
    assert_true(sensitivity_of(&d) >= PLAN_ONE_IN_RELOADS);
    assert_in_range(d.seen.opened, 100, 140); /* a minute, at two a second */
    struct plan_input bounded = input;
    bounded.closed = 24;
    d = begin(&bounded, 2);
    to_the_end(&d);
    assert_int_equal(d.seen.opened, 24);
    assert_true(sensitivity_of(&d) >= 1);
}

static void every_default_run_would_see_one_in_a_thousand(void **state)
{
    (void)state;
    struct rng r = {.state = 4};
    for (int i = 0; i < 3000; i++) {
        struct plan_input in = {.conns = 1 + rng_below(&r, i % 10 ? 300 : 10000),
                                .rate_per_s = i % 7 ? 1 + (double)rng_below(&r, 3000) : 0};
        double asked = in.rate_per_s > 0 ? in.rate_per_s : 1000;
        struct drive d = begin(&in, asked * (0.05 + 0.95 * rng_unit(&r)));
        d.wobble = i % 3 ? 0 : 5000;
        d.seen.wants_more = i % 5 == 0;
        d.seen.wants_hold = i % 2 == 0;
        to_the_end(&d);
        if (sensitivity_of(&d) < 1000)
            fail_msg("conns %llu rate %.0f: %llu measured, one in %.0f",
                     (unsigned long long)in.conns, in.rate_per_s,
                     (unsigned long long)measured_in(&d), sensitivity_of(&d));
    }
}

/* Where few epochs are judged, losses that seem to come in clumps may take one more. */
static void a_run_without_a_bound_is_as_long_as_its_sensitivity_takes(void **state)
{
    (void)state;
    enum { FEW = 5 };
    struct rng r = {.state = 6};
    for (int i = 0; i < 2000; i++) {
        struct plan_input in = {.conns = 1 + rng_below(&r, i % 10 ? 300 : 10000),
                                .rate_per_s = i % 7 ? 1 + (double)rng_below(&r, 3000) : 0,
                                .one_in = 1 + rng_below(&r, UINT64_C(1) << rng_below(&r, 24)),
                                .until_sure = i % 2};
        double asked = in.rate_per_s > 0 ? in.rate_per_s : 1000;
        struct drive d = begin(&in, asked * (0.05 + 0.95 * rng_unit(&r)));
        d.wobble = i % 3 ? 0 : 5000;
        d.seen.wants_hold = i % 4 == 0;
        while (advance(&d).step != PLAN_DRAIN)
            d.seen.falls_short = d.turnovers && sensitivity_of(&d) < (double)in.one_in;
        assert_true(d.plan.makes_up == 0 || d.measured <= FEW);
        if (sensitivity_of(&d) < (double)in.one_in)
            fail_msg("1/%llu conns %llu rate %.0f: %llu measured, one in %.0f",
                     (unsigned long long)in.one_in, (unsigned long long)in.conns, in.rate_per_s,
                     (unsigned long long)measured_in(&d), sensitivity_of(&d));
        if (in.until_sure)
            assert_true(d.seen.opened <=
                        plan_measured_for(in.one_in, 1) + 40 * d.plan.unit + 3 * in.conns + 99);
    }
}

static void one_in_a_hundred_thousand_takes_less_than_two_million(void **state)
{
    (void)state;
    assert_in_range(plan_measured_for(100000, 1), 1750000, 1850000);
    assert_in_range(plan_measured_for(PLAN_ONE_IN, 1), 17500, 18500);
    struct plan_input in = {
        .conns = 30, .rate_per_s = 1000, .one_in = 100000, .until_sure = true, .for_ms = 3600000};
    struct drive d = begin(&in, 1000);
    to_the_end(&d);
    assert_in_range(d.seen.opened, 1750000, 1900000);
    assert_true(sensitivity_of(&d) >= 100000);
    assert_in_range(d.warm + d.measured, 10, 30);
}

static void a_run_until_sure_keeps_its_time_limit(void **state)
{
    (void)state;
    static const double reached[] = {5, 40, 300, 900};
    for (int i = 0; i < 4; i++) {
        for (int limited = 0; limited < 2; limited++) {
            struct plan_input in = {.conns = 30,
                                    .rate_per_s = limited ? 1000 : 0,
                                    .one_in = 100000,
                                    .until_sure = true,
                                    .for_ms = 600000};
            struct drive d = begin(&in, reached[i]);
            d.seen.wants_more = true;
            to_the_end(&d);
            assert_in_range(d.seen.elapsed_ms, 540000, 660000);
        }
    }
}

static void a_run_until_sure_goes_on_while_in_doubt_but_not_for_ever(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 1000, .one_in = 1000, .until_sure = true};
    struct drive plain = begin(&in, 1000), longer = begin(&in, 1000);
    longer.seen.wants_more = true;
    to_the_end(&plain);
    to_the_end(&longer);
    assert_in_range(plain.seen.opened, 17500, 20000);
    assert_int_equal(longer.measured, plain.measured + 16);
    assert_in_range(longer.seen.opened, 2 * plain.seen.opened, 3 * plain.seen.opened + 1000);
}

static void a_run_that_falls_short_makes_up_for_it_but_not_for_ever(void **state)
{
    (void)state;
    for (int limited = 0; limited < 2; limited++) {
        struct plan_input in = {.conns = 30,
                                .rate_per_s = 1000,
                                .one_in = 1000,
                                .until_sure = true,
                                .for_ms = limited ? 21000 : 0};
        struct drive plain = begin(&in, 1000), once = begin(&in, 1000), always = begin(&in, 1000);
        to_the_end(&plain);
        always.seen.falls_short = once.seen.falls_short = true;
        to_the_end(&always);
        while (advance(&once).step != PLAN_DRAIN)
            once.seen.falls_short = once.turnovers < 2;
        assert_int_equal(plain.turnovers, 1);
        assert_int_equal(once.measured, plain.measured + 1);
        assert_int_equal(once.turnovers, 2);
        assert_in_range(once.seen.opened, plain.seen.opened + 250, plain.seen.opened + 2400);
        assert_int_equal(always.measured, limited ? once.measured : plain.measured + 4);
    }
    struct plan_input bounded = {.conns = 30, .rate_per_s = 1000, .closed = 18000};
    struct drive d = begin(&bounded, 1000);
    d.seen.falls_short = true;
    to_the_end(&d);
    assert_int_equal(d.turnovers, 1);
}

/* Whatever the open connections, the rate, the behaviours, the ledger's and the heap's moods. */
static void the_bound_that_is_advised_reaches_the_sensitivity(void **state)
{
    (void)state;
    struct rng r = {.state = 8};
    for (int i = 0; i < 300; i++) {
        struct plan_input in = {.conns = 1 + rng_below(&r, i % 10 ? 60 : 5000),
                                .rate_per_s = i % 7 ? 1 + (double)rng_below(&r, 3000) : 0,
                                .behaviours = rng_below(&r, 12),
                                .unit = i % 11 == 0 ? UNIT_OPERATION : UNIT_CONNECTION};
        uint64_t one_in = i % 2 ? 1 : 1 + rng_below(&r, UINT64_C(1) << rng_below(&r, 24));
        uint64_t skipped = rng_below(&r, in.behaviours + 1);
        in.closed = plan_closed_for(&in, one_in);
        in.behaviours -= skipped;
        struct drive d = begin(&in, 1 + (double)rng_below(&r, 3000));
        d.wobble = i % 3 ? 0 : 5000;
        d.growth = i % 5 ? 0 : 1;
        d.seen.wants_hold = i % 4 == 0;
        d.seen.wants_more = i % 9 == 0;
        uint64_t suspects = rng_below(&r, 20);
        while (advance(&d).step != PLAN_DRAIN)
            d.seen.suspects_heap = i % 6 < 3 && (uint64_t)d.steps >= suspects;
        if (sensitivity_of(&d) < (double)one_in)
            fail_msg("%d: --conns %llu --closed %llu: one in %.0f, not %llu", i,
                     (unsigned long long)in.conns, (unsigned long long)in.closed,
                     sensitivity_of(&d), (unsigned long long)one_in);
    }
}

static void the_bound_that_is_advised_is_no_longer_than_it_must_be(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 1, .rate_per_s = 300, .behaviours = 1};
    uint64_t least = plan_closed_for(&in, 1);
    assert_in_range(least, 21, 300);
    in.closed = 20;
    struct drive d = begin(&in, 300);
    to_the_end(&d);
    assert_true(sensitivity_of(&d) == 0);
    for (uint64_t one_in = 1; one_in < 10000000; one_in *= 7) {
        in.conns = 30;
        uint64_t closed = plan_closed_for(&in, one_in);
        assert_in_range(closed, plan_least_for(one_in), 2 * plan_measured_for(one_in, 1) + 8 * 30);
    }
}

/* Of those with two digits, from 1,000 on; below, of all. */
static void the_bound_that_is_advised_is_the_smallest_that_reaches(void **state)
{
    (void)state;
    static const struct {
        uint64_t conns;
        double rate_per_s;
        size_t behaviours;
        enum unit unit;
        uint64_t one_in, closed;
    } of[] = {{1, 0, 1, UNIT_CONNECTION, 1, 35},
              {30, 0, 1, UNIT_CONNECTION, 1, 120}, /* the stable set four times over */
              {200, 0, 1, UNIT_CONNECTION, 1, 800},
              {249, 0, 1, UNIT_CONNECTION, 1, 996},
              {251, 0, 1, UNIT_CONNECTION, 1, 1100},
              {2475, 0, 1, UNIT_CONNECTION, 1, 9900},
              {200, 50, 1, UNIT_OPERATION, 1, 1600}, /* ... of operations, eight times */
              {10, 20, 1, UNIT_OPERATION, 20, 457},
              {1, 0, 1, UNIT_RELOAD, 5, 113},
              {1, 0, 1, UNIT_RELOAD, 23, 453},
              {1, 0, 3, UNIT_RELOAD, 50, 1100},
              {5, 0, 5, UNIT_CONNECTION, 10, 245},
              {30, 0, 1, UNIT_CONNECTION, 6, 263},
              {30, 0, 1, UNIT_CONNECTION, 10, 313},
              {90, 0, 5, UNIT_CONNECTION, 100, 3100},
              {30, 100, 12, UNIT_CONNECTION, 100, 2500},
              {30, 0, 1, UNIT_CONNECTION, 493, 11000},
              {30, 0, 40, UNIT_CONNECTION, 500, 12000},
              {300, 0, 40, UNIT_CONNECTION, 300, 9000},
              {46, 2845, 8, UNIT_CONNECTION, 3202096, 55000000},
              /* what decides is that the shortest warm-up may go on, not the longest */
              {6, 25, 2, UNIT_CONNECTION, 7, 188},
              {15, 54, 11, UNIT_CONNECTION, 18, 470},
              {16, 324, 10, UNIT_OPERATION, 26, 652}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct plan_input in = {.conns = of[i].conns,
                                .rate_per_s = of[i].rate_per_s,
                                .behaviours = of[i].behaviours,
                                .unit = of[i].unit};
        assert_int_equal(plan_closed_for(&in, of[i].one_in), of[i].closed);
    }
}

/* The growth of a short run shows only when its connections have closed. */
static void a_hold_that_is_asked_for_after_the_turnover_is_made(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 5, .rate_per_s = 300, .closed = 120};
    struct drive d = begin(&in, 300);
    while (advance(&d).step != PLAN_TURNOVER)
        ;
    d.seen.wants_hold = true;
    assert_int_equal(advance(&d).step, PLAN_HOLD);
    assert_int_equal(advance(&d).step, PLAN_DRAIN);
}

/* After all that churns, and once: as long as is missing, but no longer than half of the run, a
 * tenth of its bound in time or all that is left of it, or what a server may bear; and never
 * shorter than any hold. */
static void a_longer_hold_comes_at_the_end(void **state)
{
    (void)state;
    enum { SURE_MS = 80000 };
    static const struct {
        uint64_t missing, for_ms, most, hold;
    } of[] = {{4000, 0, 0, 4000},      {10, 0, 0, 1500},         {900000, 0, 0, 0},
              {900000, 0, 2000, 2000}, {900000, 60000, 0, 6000}, {900000, 60000, 3000, 3000},
              {900000, SURE_MS, 0, 0}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        bool sure = of[i].for_ms == SURE_MS;
        struct plan_input in = {.conns = 5,
                                .rate_per_s = 300,
                                .closed = of[i].for_ms ? 0 : 6000,
                                .for_ms = of[i].for_ms,
                                .until_sure = sure,
                                .hold_most_ms = of[i].most};
        struct drive d = begin(&in, 300);
        d.seen.wants_hold = true;
        d.seen.hold_ms = of[i].missing;
        while (advance(&d).step != PLAN_TURNOVER)
            ;
        assert_int_equal(d.holds, 1);
        uint64_t until = d.seen.elapsed_ms;
        struct plan_action a = advance(&d);
        assert_int_equal(a.step, PLAN_HOLD);
        uint64_t most = sure ? SURE_MS - until : until / 2;
        assert_int_equal(a.hold_ms, of[i].hold ? of[i].hold : most);
        assert_int_equal(advance(&d).step, PLAN_DRAIN);
    }
}

static void no_plan_exceeds_the_probes_table_of_epochs(void **state)
{
    (void)state;
    struct rng r = {.state = 5};
    for (int i = 0; i < 3000; i++) {
        struct plan_input in = {.conns = 1 + rng_below(&r, 2000),
                                .rate_per_s = (double)rng_below(&r, 3000)};
        in.until_sure = i % 5 == 0;
        in.one_in = 1 + rng_below(&r, UINT64_C(1) << rng_below(&r, 30));
        if (i % 2 && !in.until_sure)
            in.closed = 1 + rng_below(&r, UINT64_C(1) << rng_below(&r, 40));
        else
            in.for_ms = 1 + rng_below(&r, UINT64_C(1) << rng_below(&r, 34));
        struct drive d = begin(&in, 1 + (double)rng_below(&r, 5000));
        d.wobble = i % 3 ? 0 : 5000;
        d.seen.wants_hold = true;
        d.seen.wants_more = in.until_sure;
        d.seen.hold_ms = i % 2 ? 5000 : 0;
        to_the_end(&d);
        assert_in_range(d.warm + d.holds + d.measured + d.turnovers, 1, 57);
    }
}

static void a_plan_that_filled_the_table_ends(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    for (int i = 0; i < 5; i++)
        advance(&d);
    d.plan.measured_epochs = 50;
    assert_int_equal(advance(&d).step, PLAN_TURNOVER);
}

static void the_estimate_is_about_right(void **state)
{
    (void)state;
    struct drive d = begin(&standard, 1000);
    int early = plan_epochs_estimate(&d.plan);
    to_the_end(&d);
    assert_in_range(early, d.warm + d.measured - 2, d.warm + d.measured + 2);
    assert_true(plan_epochs_estimate(&d.plan) >= d.warm + d.measured);
}

/* While 50,000 are opened nothing closes: by the closed ones hours would be left. */
static void the_time_left_goes_by_what_was_opened(void **state)
{
    (void)state;
    const struct plan_input in = {.conns = 50000, .closed = 250000};
    struct plan p;
    plan_init(&p, &in);
    assert_true(fabs(plan_left_ms(&p, 25000, 10000) - 90000) < 1);
    assert_true(plan_left_ms(&p, 260000, 10000) == 0);
}

/* What a subject may do to a run's course. */
enum told { QUIET, GROWS, WANTS_HOLD, CERTAIN, PROFILE, SHORT, CONFIRM, WANDERS, STOPPED, TOLD };
static const char *const told_names[TOLD] = {"quiet",          "grows",           "wants a hold",
                                             "a certain leak", "wants a profile", "falls short",
                                             "to confirm",     "wanders",         "interrupted"};

static void tell(struct drive *d, enum told what)
{
    struct plan_seen *seen = &d->seen;
    int measured = d->plan.measured_epochs;
    d->growth = what == GROWS || what == CERTAIN ? 1 : 0;
    d->wobble = what == WANDERS ? 500 : 0;
    seen->wants_hold = what == WANTS_HOLD && measured >= 3;
    seen->wants_more = what == WANDERS;
    seen->certain = what == CERTAIN && measured >= 4;
    seen->suspects_heap = what == PROFILE && measured >= 3;
    seen->wants_profile = what == PROFILE && measured >= 5;
    seen->falls_short = what == SHORT;
    seen->untold = what == CONFIRM && measured < 6;
    seen->wants_confirm = what == CONFIRM && measured >= 5;
    seen->confirm_opens = 500;
    seen->interrupted = what == STOPPED && measured >= 3;
}

static void write_course(FILE *out, const struct plan_input *in, enum told what)
{
    static const char *const steps[] = {
        [PLAN_WARM] = "warm",           [PLAN_MEASURE] = "measure",
        [PLAN_CONFIRM_ALONE] = "alone", [PLAN_CONFIRM_WITHOUT] = "without",
        [PLAN_HOLD] = "hold",           [PLAN_TURNOVER] = "turnover",
        [PLAN_PROFILE] = "profile",     [PLAN_DRAIN] = "drain"};
    struct drive d = begin(in, in->rate_per_s > 0 ? 0.8 * in->rate_per_s : 3000);
    struct plan_action a;
    fprintf(out, "  %s (%d epochs of %llu, need %llu of %llu):", told_names[what],
            plan_epochs_estimate(&d.plan), (unsigned long long)d.plan.unit,
            (unsigned long long)d.plan.need, (unsigned long long)d.plan.total);
    do {
        tell(&d, what);
        a = advance(&d);
        fprintf(out, " %s", steps[a.step]);
        if (a.opens + a.hold_ms)
            fprintf(out, " %llu", (unsigned long long)(a.opens + a.hold_ms));
        if (d.steps == 5)
            fprintf(out, " (%d epochs, %llu in all, " FIGURE " ms left)",
                    plan_epochs_estimate(&d.plan),
                    (unsigned long long)plan_expected(&d.plan, d.seen.opened, d.seen.elapsed_ms),
                    plan_left_ms(&d.plan, d.seen.opened, d.seen.elapsed_ms));
    } while (a.step != PLAN_DRAIN && d.steps < 60);
    fprintf(out, "\n");
}

/* Each course of each kind of run, connection by connection. */
static void every_course_is_as_approved(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct plan_input in;
    } runs[] = {
        {"standard", {.conns = 30, .rate_per_s = 1000}},
        {"at any pace", {.conns = 10}},
        {"many open", {.conns = 5000, .rate_per_s = 1000}},
        {"bounded", {.conns = 30, .rate_per_s = 1000, .closed = 2000}},
        {"bounded, long", {.conns = 30, .rate_per_s = 1000, .closed = 40000, .behaviours = 4}},
        {"timed", {.conns = 30, .rate_per_s = 1000, .for_ms = 20000}},
        {"timed and slow", {.conns = 30, .rate_per_s = 20, .for_ms = 60000}},
        {"until sure", {.conns = 30, .rate_per_s = 1000, .until_sure = true, .for_ms = 60000}},
        {"until surer", {.conns = 30, .rate_per_s = 1000, .until_sure = true, .one_in = 300}},
        {"early", {.conns = 30, .rate_per_s = 1000, .early_stop = true}},
        {"by epochs", {.conns = 30, .rate_per_s = 1000, .epoch_opens = 3000, .behaviours = 12}},
        {"a cache", {.conns = 30, .rate_per_s = 1000, .expected = 20480}},
        {"rare", {.conns = 30, .rate_per_s = 1000, .one_in = 10000}},
        {"operations", {.conns = 100, .rate_per_s = 1000, .unit = UNIT_OPERATION}},
        {"operations, bounded", {.conns = 100, .closed = 5000, .unit = UNIT_OPERATION}},
        {"reloads", {.conns = 1, .rate_per_s = 2, .unit = UNIT_RELOAD}},
        {"reloads, bounded", {.conns = 1, .rate_per_s = 2, .closed = 60, .unit = UNIT_RELOAD}},
    };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        fprintf(out, "%s\n", runs[i].name);
        for (enum told what = 0; what < TOLD; what++)
            write_course(out, &runs[i].in, what);
    }
    fclose(out);
    golden_expect("courses", text);
    free(text);
}

/* ---- bounds, from both sides ---- */

/* A run of 10,000 connections that has measured three epochs, 7,000 connections, and has `left` to
 * measure before the turnover's 45. */
struct midway {
    struct plan p;
    struct plan_seen seen;
};

static struct midway midway(struct plan_input in, uint64_t left)
{
    struct midway m;
    in.conns = 30;
    in.rate_per_s = 1000;
    in.closed = in.closed ? in.closed : 10000;
    plan_init(&m.p, &in);
    m.p.warm_epochs = 2;
    m.p.measured_epochs = 3;
    m.p.measured_opens = 7000;
    m.p.next_opens = 1000;
    m.seen = (struct plan_seen){.opened = in.closed - 45 - left, .elapsed_ms = 10};
    return m;
}

static void expect_next(struct midway m, enum plan_step step, uint64_t opens)
{
    struct plan_action a = plan_next(&m.p, &m.seen);
    if (a.step != step || a.opens != opens)
        fail_msg("step %d of %llu, and %d of %llu was expected", (int)a.step,
                 (unsigned long long)a.opens, (int)step, (unsigned long long)opens);
}

static void what_is_left_over_goes_to_the_last_epoch(void **state)
{
    (void)state;
    const struct plan_input none = {0};
    expect_next(midway(none, 1500), PLAN_MEASURE, 1000);
    expect_next(midway(none, 1499), PLAN_MEASURE, 1499);
    expect_next(midway(none, 125), PLAN_MEASURE, 125); /* half of the unit */
    expect_next(midway(none, 124), PLAN_TURNOVER, 45);
    struct midway few = midway(none, 0);
    few.p.measured_epochs = 1; /* two are the least */
    expect_next(few, PLAN_MEASURE, 250);
}

/* An eighth of what is measured, or as many parts as there are behaviours and four more, to 40. */
static void an_epoch_is_a_part_of_what_is_measured(void **state)
{
    (void)state;
    static const struct {
        size_t behaviours;
        uint64_t parts;
    } of[] = {{0, 8}, {4, 8}, {5, 9}, {6, 10}, {36, 40}, {37, 40}, {64, 40}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct midway m =
            midway((struct plan_input){.closed = 100000, .behaviours = of[i].behaviours}, 33000);
        m.p.next_opens = 1000000;
        expect_next(m, PLAN_MEASURE, 40000 / of[i].parts);
    }
    struct midway small = midway((struct plan_input){.closed = 10000}, 1000);
    small.p.measured_opens = 0;
    small.p.next_opens = 1000000;
    expect_next(small, PLAN_MEASURE, 250);
}

/* Two turnovers and 128 connections, where that is a quarter of the run. */
static void room_is_kept_for_a_profile_that_may_come(void **state)
{
    (void)state;
    for (uint64_t closed = 871; closed <= 872; closed++) {
        struct midway m = midway((struct plan_input){.closed = closed}, 300);
        m.seen.suspects_heap = true;
        expect_next(m, PLAN_MEASURE, closed == 872 ? 82 : 300);
    }
    struct midway m = midway((struct plan_input){0}, 300);
    expect_next(m, PLAN_MEASURE, 300);
}

static void room_is_kept_for_a_confirmation(void **state)
{
    (void)state;
    struct midway m = midway((struct plan_input){0}, 700);
    m.seen.wants_confirm = true;
    m.seen.confirm_opens = 200;
    expect_next(m, PLAN_MEASURE, 300);
    m.p.measured_out = true;
    expect_next(m, PLAN_CONFIRM_ALONE, 200);
    m.p.confirms = 1;
    expect_next(m, PLAN_CONFIRM_WITHOUT, 200);
    m.p.confirms = 2;
    expect_next(m, PLAN_TURNOVER, 45);
}

/* Unchanged, or twice in a row the same growth for each connection, to a tenth. */
static void a_ledger_that_rests_or_grows_steadily_is_warm(void **state)
{
    (void)state;
    static const struct {
        int64_t blocks[3];
        uint64_t opened[3];
        int checkpoints;
        bool warm;
    } of[] = {{{900, 900, 1}, {300, 200, 100}, 2, true},
              {{900, 900, 1}, {300, 200, 100}, 1, false},
              {{5800, 3800, 2000}, {300, 200, 100}, 3, true},
              {{5800, 3800, 2001}, {300, 200, 100}, 3, false},
              {{6200, 4200, 2000}, {300, 200, 100}, 3, true},
              {{6201, 4201, 2000}, {300, 200, 100}, 3, false},
              {{5800, 3800, 2000}, {300, 200, 100}, 2, false},
              {{5800, 3800, 2000}, {200, 200, 100}, 3, false},
              {{5800, 3800, 2000}, {300, 100, 100}, 3, false},
              {{5800, 3800, 2800}, {400, 200, 100}, 3, true},
              {{1000, 3000, 5000}, {300, 200, 100}, 3, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct midway m = midway((struct plan_input){.closed = 100000}, 90000);
        m.p.measured_epochs = 0;
        m.seen.checkpoints = of[i].checkpoints;
        memcpy(m.seen.ledger_blocks, of[i].blocks, sizeof of[i].blocks);
        memcpy(m.seen.ledger_opened, of[i].opened, sizeof of[i].opened);
        if ((plan_next(&m.p, &m.seen).step != PLAN_WARM) != of[i].warm)
            fail_msg("case %zu", i);
    }
}

/* 280, 250, 500, 1,000 and 2,000 connections; no more than five, nor than a third of the run. */
static void a_ledger_that_moves_warms_up_to_a_third(void **state)
{
    (void)state;
    static const struct {
        int epochs;
        uint64_t opened, opens;
    } of[] = {{0, 0, 280},      {1, 280, 250}, {2, 530, 500}, {3, 1030, 1000}, {4, 2030, 2000},
              {4, 31333, 2000}, {4, 31334, 0}, {5, 2030, 0},  {1, 40000, 250}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct midway m = midway((struct plan_input){.closed = 100000}, 0);
        m.p.measured_epochs = 0;
        m.p.warm_epochs = of[i].epochs;
        m.seen = (struct plan_seen){.opened = of[i].opened, .elapsed_ms = 10};
        struct plan_action a = plan_next(&m.p, &m.seen);
        assert_int_equal(a.step == PLAN_WARM ? a.opens : 0, of[i].opens);
        m.p.measured_epochs = 1; /* once it is measured, it stays so */
        assert_int_equal(plan_next(&m.p, &m.seen).step, PLAN_MEASURE);
    }
}

/* 90 connections in two epochs, and 60 in a third, are a third of 450. */
static void a_warm_up_may_take_a_third_of_the_run(void **state)
{
    (void)state;
    for (uint64_t closed = 449; closed <= 450; closed++) {
        struct plan p;
        struct reach_warm_up warm_up;
        plan_init(&p, &(struct plan_input){.conns = 30, .closed = closed});
        p.warm_epochs = 2;
        plan_warm_up(&p, 90, 0, &warm_up);
        assert_int_equal(warm_up.longer[0], closed == 450 ? 60 : 0);
        assert_int_equal(warm_up.longer[1], 0);
        if (closed == 450) /* turned over by 45 */
            assert_true(fabs(warm_up.left[0] - (450. - 150 - 45) / (450 - 90 - 45)) < 1e-12);
    }
}

static void the_table_of_epochs_ends_the_measuring(void **state)
{
    (void)state;
    struct midway m = midway((struct plan_input){0}, 1500);
    m.p.measured_epochs = 49;
    expect_next(m, PLAN_MEASURE, 1000);
    m.p.measured_epochs = 50;
    expect_next(m, PLAN_TURNOVER, 45);
}

/* Behaviours can be told apart from two epochs more than there are of them. */
static void a_certain_leak_goes_on_until_it_could_be_told(void **state)
{
    (void)state;
    for (int epochs = 5; epochs <= 6; epochs++) {
        struct midway m = midway((struct plan_input){.behaviours = 4, .early_stop = true}, 1500);
        m.p.measured_epochs = epochs;
        m.seen.certain = m.seen.untold = true;
        expect_next(m, epochs == 5 ? PLAN_MEASURE : PLAN_TURNOVER, epochs == 5 ? 1000 : 45);
        m.seen.untold = false;
        expect_next(m, PLAN_TURNOVER, 45);
    }
}

static void a_bound_is_divided_into_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t closed, unit;
    } reloads[] = {{0, 4}, {320, 4}, {128, 4}, {127, 3}, {96, 3}, {31, 1}},
      of[] = {{320, 30}, {1600, 50}, {9000, 250}};
    struct plan p;
    for (size_t i = 0; i < sizeof reloads / sizeof *reloads; i++) {
        plan_init(
            &p, &(struct plan_input){.conns = 1, .closed = reloads[i].closed, .unit = UNIT_RELOAD});
        assert_int_equal(p.unit, reloads[i].unit);
    }
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        plan_init(&p, &(struct plan_input){.conns = 30, .closed = of[i].closed});
        assert_int_equal(p.unit, of[i].unit);
        plan_init(&p,
                  &(struct plan_input){.conns = 30, .closed = of[i].closed, .epoch_opens = 400});
        assert_int_equal(p.unit, 400);
    }
    plan_init(&p, &(struct plan_input){.conns = 1, .rate_per_s = 9});
    assert_int_equal(p.unit, 3); /* a quarter of nine, rounded up */
}

/* How many serve is known when they have; a bound stays what it is. */
static void a_run_without_a_bound_goes_on_for_longer_with_many_threads(void **state)
{
    (void)state;
    enum { THREADS = 80, LOSSES = 5 };
    struct plan p;
    struct plan_seen seen = {.checkpoints = 2};
    plan_init(&p, &(struct plan_input){.conns = 40, .rate_per_s = 100});
    uint64_t need = p.need;
    plan_next(&p, &seen);
    assert_int_equal(p.need, need);
    seen.threads = THREADS;
    plan_next(&p, &seen);
    assert_true(p.need > 3 * need && p.need < LOSSES * need);
    assert_int_equal(p.total, 40 + 4 * 30 + p.need + 40 + 10 + 8);
    uint64_t most = p.need;
    seen.threads = 2;
    plan_next(&p, &seen);
    assert_int_equal(p.need, most);
    plan_init(&p, &(struct plan_input){.conns = 40, .closed = 5000});
    seen.threads = THREADS;
    plan_next(&p, &seen);
    assert_int_equal(p.need, 0);
    assert_int_equal(p.total, 5000);
    assert_int_equal(plan_measured_for(100, 0), plan_measured_for(100, 1));
}

static void a_bound_for_many_threads_is_a_larger_one(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 1000};
    uint64_t of_one = plan_closed_for(&in, 100);
    in.threads = 16;
    assert_true(plan_closed_for(&in, 100) > of_one * 5 / 4);
}

/* 60 seconds; or what the sensitivity needs: the connections, four epochs, 8,050 and an eighth, and
 * the turnover. */
static void a_run_without_a_bound_aims_at_what_it_needs(void **state)
{
    (void)state;
    struct plan p;
    uint64_t need = plan_unbounded(&(struct plan_input){.one_in = 1000});
    plan_init(&p, &(struct plan_input){.conns = 40, .rate_per_s = 100});
    assert_int_equal(p.total, 40 + 4 * 30 + need + 40 + 10 + 8);
    plan_init(&p, &(struct plan_input){.conns = 40, .rate_per_s = 1000});
    assert_int_equal(p.total, 60000);
    plan_init(&p, &(struct plan_input){.conns = 40, .rate_per_s = 1000, .for_ms = 2500});
    assert_int_equal(p.total, 2500);
    assert_int_equal(plan_unbounded(&(struct plan_input){.one_in = 1000, .expected = 10 * need}),
                     15 * need);
    plan_init(&p, &(struct plan_input){.conns = 40, .rate_per_s = 100, .expected = 10 * need});
    assert_int_equal(p.total, 40 + 4 * 30 + 15 * need + 58);
}

static void a_plan_keeps_within_its_limits_however_long(void **state)
{
    (void)state;
    struct plan p;
    plan_init(&p, &(struct plan_input){.conns = 1, .rate_per_s = 1, .for_ms = 60000});
    assert_int_equal(p.total, 60);
    plan_init(&p, &(struct plan_input){.conns = 1, .closed = 1000000000, .behaviours = 64});
    assert_int_equal(plan_epochs_estimate(&p), 52); /* the table's */
    for (uint64_t next = UINT64_MAX / 2 - 1; next <= UINT64_MAX / 2; next++) {
        struct midway m = midway((struct plan_input){0}, 1500);
        m.p.next_opens = next;
        plan_next(&m.p, &m.seen);
        assert_true(m.p.next_opens == (next < UINT64_MAX / 2 ? 2 * next : next));
    }
}

static void the_time_limit_of_a_bounded_run_leaves_what_its_pace_allows(void **state)
{
    (void)state;
    struct midway m = midway((struct plan_input){.for_ms = 2000}, 0);
    m.seen.opened = 8000;
    m.seen.elapsed_ms = 1800; /* 8,888 in its time: 843 without the turnover */
    expect_next(m, PLAN_MEASURE, 843);
    m.seen.elapsed_ms = 2000;
    expect_next(m, PLAN_TURNOVER, 45);
    assert_true(plan_left_ms(&m.p, 8000, 1800) == 888.0 * 1800 / 8000);
    assert_true(plan_left_ms(&m.p, 8000, 3000) == 0);
}

/* An epoch while in doubt, or one that makes up for a sensitivity, where the time left has room for
 * half of a unit of 250. */
static void what_is_added_is_half_a_unit_at_least(void **state)
{
    (void)state;
    for (uint64_t left = 124; left <= 125; left++) {
        struct plan_input in = {.conns = 30,
                                .rate_per_s = 1000,
                                .one_in = 1000,
                                .until_sure = true,
                                .for_ms = 20000 + left};
        struct midway m = {.seen = {.opened = 20000, .elapsed_ms = 20000}};
        plan_init(&m.p, &in);
        m.p.warm_epochs = 2;
        m.p.measured_epochs = 8;
        m.p.measured_opens = 18000;
        m.seen.wants_more = true;
        expect_next(m, left == 125 ? PLAN_MEASURE : PLAN_TURNOVER, left == 125 ? 125 : 45);
        m.seen.wants_more = false;
        expect_next(m, PLAN_TURNOVER, 45);
        m.p.measured_out = m.p.turned_over = m.seen.falls_short = true;
        expect_next(m, left == 125 ? PLAN_MEASURE : PLAN_DRAIN, left == 125 ? 125 : 0);
    }
}

/* What one connection in a second comes to in three; before any has come, what was asked for. */
static void the_pace_is_that_of_what_came(void **state)
{
    (void)state;
    struct plan p;
    plan_init(&p, &(struct plan_input){.conns = 30, .rate_per_s = 1000, .for_ms = 3000});
    assert_int_equal(plan_expected(&p, 0, 1000), 3000);
    assert_int_equal(plan_expected(&p, 1, 3000), 1);
    assert_int_equal(plan_expected(&p, 2, 1000), 6);
    assert_int_equal(plan_expected(&p, 2, 0), 3000);
    plan_init(&p, &(struct plan_input){.conns = 30, .for_ms = 3000});
    assert_int_equal(plan_expected(&p, 0, 1000), 0);
    plan_init(&p,
              &(struct plan_input){.conns = 30, .rate_per_s = 1000, .closed = 500, .for_ms = 3000});
    assert_int_equal(plan_expected(&p, 100, 1000), 300);
    assert_int_equal(plan_expected(&p, 200, 1000), 500);
    assert_int_equal(plan_expected(&p, 100, 0), 500);
    assert_int_equal(plan_expected(&p, 100, 6000), 100);
}

/* At one connection in a second a minute has room for 60: what is needed is more, and is all that
 * the rate allows, whatever the pace. */
static void one_in_a_second_is_a_rate(void **state)
{
    (void)state;
    struct plan p;
    plan_init(&p, &(struct plan_input){.conns = 30, .rate_per_s = 1});
    uint64_t needed = plan_expected(&p, 0, 0);
    assert_true(needed > 17000);
    assert_int_equal(plan_expected(&p, 5000, 1000), needed);
    plan_init(&p, &(struct plan_input){.conns = 30, .rate_per_s = 1, .for_ms = 3000});
    assert_int_equal(plan_expected(&p, 0, 0), 3);
    plan_init(&p, &(struct plan_input){.conns = 30});
    assert_int_equal(plan_expected(&p, 5000, 1000), 300000);
}

/* Two of warm-up, and 250, 500, 1,000, ... to an eighth of what is aimed at. */
static void the_estimate_counts_the_epochs_of_its_total(void **state)
{
    (void)state;
    static const struct {
        uint64_t closed;
        int epochs;
    } of[] = {{10030, 12}, {8030, 11}, {405, 10}, {155, 6}, {30, 2}, {20, 2}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct plan p;
        plan_init(&p, &(struct plan_input){.conns = 30, .closed = of[i].closed});
        assert_int_equal(plan_epochs_estimate(&p), of[i].epochs);
        p.warm_epochs = 3;
        p.measured_epochs = 30;
        assert_int_equal(plan_epochs_estimate(&p), 33);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_time_left_goes_by_what_was_opened),
    cmocka_unit_test(the_unit_is_a_quarter_second_of_churn),
    cmocka_unit_test(operations_warm_up_by_whole_rounds),
    cmocka_unit_test(a_run_without_a_bound_goes_beyond_an_expected_cache),
    cmocka_unit_test(reloads_come_one_by_one_and_few),
    cmocka_unit_test(a_quiet_run_warms_up_twice_and_then_doubles),
    cmocka_unit_test(every_older_connection_closes_before_the_drain),
    cmocka_unit_test(an_unsettled_ledger_warms_up_longer_but_not_for_ever),
    cmocka_unit_test(steady_growth_ends_the_warm_up),
    cmocka_unit_test(a_hold_comes_once_when_asked_for),
    cmocka_unit_test(a_certain_leak_ends_the_run_only_when_wished),
    cmocka_unit_test(a_told_leak_is_confirmed_before_the_turnover),
    cmocka_unit_test(a_leak_told_by_the_turnover_is_confirmed_after_it),
    cmocka_unit_test(a_confirmation_stays_within_the_bound),
    cmocka_unit_test(an_untold_leak_goes_on_until_it_could_be_told),
    cmocka_unit_test(more_behaviours_get_more_epochs),
    cmocka_unit_test(an_interrupted_run_drains_at_once),
    cmocka_unit_test(an_undecided_default_run_goes_on_for_two_epochs),
    cmocka_unit_test(a_bound_in_connections_is_kept),
    cmocka_unit_test(a_wanted_profile_takes_two_steps_before_the_drain),
    cmocka_unit_test(an_interrupted_profile_drains),
    cmocka_unit_test(a_profile_makes_no_bounded_run_longer),
    cmocka_unit_test(a_bound_in_time_is_kept_at_whatever_rate),
    cmocka_unit_test(a_rate_that_is_not_reached_makes_no_run_much_longer),
    cmocka_unit_test(of_two_bounds_the_first_that_is_reached_ends_the_run),
    cmocka_unit_test(a_bound_too_tight_still_measures_two_epochs),
    cmocka_unit_test(a_default_run_at_max_ends_after_a_minute),
    cmocka_unit_test(a_slow_machine_ends_when_it_has_seen_enough),
    cmocka_unit_test(every_default_run_would_see_one_in_a_thousand),
    cmocka_unit_test(a_run_without_a_bound_is_as_long_as_its_sensitivity_takes),
    cmocka_unit_test(one_in_a_hundred_thousand_takes_less_than_two_million),
    cmocka_unit_test(a_run_until_sure_keeps_its_time_limit),
    cmocka_unit_test(a_run_until_sure_goes_on_while_in_doubt_but_not_for_ever),
    cmocka_unit_test(a_run_that_falls_short_makes_up_for_it_but_not_for_ever),
    cmocka_unit_test(the_bound_that_is_advised_reaches_the_sensitivity),
    cmocka_unit_test(the_bound_that_is_advised_is_no_longer_than_it_must_be),
    cmocka_unit_test(the_bound_that_is_advised_is_the_smallest_that_reaches),
    cmocka_unit_test(a_hold_that_is_asked_for_after_the_turnover_is_made),
    cmocka_unit_test(a_longer_hold_comes_at_the_end),
    cmocka_unit_test(no_plan_exceeds_the_probes_table_of_epochs),
    cmocka_unit_test(a_plan_that_filled_the_table_ends),
    cmocka_unit_test(the_estimate_is_about_right),
    cmocka_unit_test(what_is_left_over_goes_to_the_last_epoch),
    cmocka_unit_test(an_epoch_is_a_part_of_what_is_measured),
    cmocka_unit_test(room_is_kept_for_a_profile_that_may_come),
    cmocka_unit_test(room_is_kept_for_a_confirmation),
    cmocka_unit_test(a_ledger_that_rests_or_grows_steadily_is_warm),
    cmocka_unit_test(a_ledger_that_moves_warms_up_to_a_third),
    cmocka_unit_test(a_warm_up_may_take_a_third_of_the_run),
    cmocka_unit_test(the_table_of_epochs_ends_the_measuring),
    cmocka_unit_test(a_certain_leak_goes_on_until_it_could_be_told),
    cmocka_unit_test(a_bound_is_divided_into_units),
    cmocka_unit_test(a_run_without_a_bound_goes_on_for_longer_with_many_threads),
    cmocka_unit_test(a_bound_for_many_threads_is_a_larger_one),
    cmocka_unit_test(a_run_without_a_bound_aims_at_what_it_needs),
    cmocka_unit_test(a_plan_keeps_within_its_limits_however_long),
    cmocka_unit_test(the_time_limit_of_a_bounded_run_leaves_what_its_pace_allows),
    cmocka_unit_test(one_in_a_second_is_a_rate),
    cmocka_unit_test(the_estimate_counts_the_epochs_of_its_total),
    cmocka_unit_test(what_is_added_is_half_a_unit_at_least),
    cmocka_unit_test(the_pace_is_that_of_what_came),
    cmocka_unit_test(every_course_is_as_approved),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}

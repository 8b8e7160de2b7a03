/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is printed as what would have shown, against leaks by chance through the real judge: where
 * enough of them aren't a LEAK to be counted.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"
#include "stats/judge/plan.h"
#include "stats/sensitivity.h"

enum { RUNS = 8000, MOST = 64 };

/* Standard deviations of a share that is counted in so many runs. */
static double off_by(double share, double times)
{
    return times * sqrt(share * (1 - share) / RUNS);
}

static double miss_of_halves(const struct reach *r, double one_in)
{
    uint64_t half[2];
    sensitivity_halves(r->opened, r->epochs, half);
    return sensitivity_miss(half, 2, JUDGE_CONVICT_BLOCKS, JUDGE_MIN_EPOCHS, one_in);
}

static bool convicts(struct sim *s)
{
    struct judgement j;
    sim_drain(s);
    judge(sim_evidence(s), &j);
    free(s);
    return j.verdict == VERDICT_LEAK;
}

/* Where epochs are few, losses in clumps are what the halves alone don't tell; where they are many,
 * a pause at the end. */
static void what_the_rules_doubt_is_in_the_figure(void **state)
{
    (void)state;
    static const struct {
        uint64_t opened[MOST];
        size_t epochs;
        double one_in;
    } of[] = {{{1000, 1000, 1000, 1000}, 4, 240},
              {{500, 1000, 2000, 2000}, 4, 330},
              {{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000}, 10, 900}};
    int beyond = 0;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct reach r = {.opened = of[i].opened, .epochs = of[i].epochs};
        double predicted = reach_miss(&r, of[i].one_in), missed = 0;
        for (uint64_t seed = 1; seed <= RUNS; seed++) {
            struct sim *s = sim_new(30, seed * 7919 + i);
            sim_site(s, SIM_LEAK, 1, 1 / of[i].one_in);
            sim_epoch(s, SIM_WARM, 280, 1);
            for (size_t c = 0; c < of[i].epochs; c++)
                sim_epoch(s, SIM_MEASURE, of[i].opened[c], 1);
            s->epoch[s->epochs - 1].all_closed = true;
            missed += !convicts(s) / (double)RUNS;
        }
        double halves = miss_of_halves(&r, of[i].one_in);
        print_message("%zu epochs: missed %.4f, predicted %.4f, by the halves alone %.4f\n",
                      of[i].epochs, missed, predicted, halves);
        assert_true(missed <= predicted + off_by(predicted, 3));
        assert_true(predicted <= missed + off_by(missed, 3));
        beyond += missed > halves + off_by(halves, 5);
    }
    assert_true(beyond >= 1);
}

/* Connections that are spread over threads: hardly any of many threads loses twice. */
static void what_threads_make_once_is_in_the_figure(void **state)
{
    (void)state;
    static const struct {
        uint64_t opened[MOST];
        size_t epochs, threads;
        double one_in;
    } of[] = {{{1000, 1000, 1000, 1000}, 4, 4, 240},
              {{500, 1000, 2000, 2000}, 4, 16, 250},
              {{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000}, 10, 80, 250}};
    int beyond = 0;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct reach r = {.opened = of[i].opened, .epochs = of[i].epochs, .threads = of[i].threads};
        struct reach one = {.opened = of[i].opened, .epochs = of[i].epochs};
        double predicted = reach_miss(&r, of[i].one_in), missed = 0;
        double of_one = reach_miss(&one, of[i].one_in);
        for (uint64_t seed = 1; seed <= RUNS; seed++) {
            struct sim *s = sim_new(30, seed * 7919 + i);
            size_t site = sim_site(s, SIM_LEAK, 1, 1 / of[i].one_in);
            sim_epoch(s, SIM_WARM, 280, 1);
            for (size_t c = 0; c < of[i].epochs; c++)
                sim_epoch(s, SIM_MEASURE, of[i].opened[c], 1);
            s->epoch[s->epochs - 1].all_closed = true;
            sim_threads(s, site, of[i].threads, false);
            missed += !convicts(s) / (double)RUNS;
        }
        print_message("%zu threads: missed %.4f, predicted %.4f, of one thread %.4f\n",
                      of[i].threads, missed, predicted, of_one);
        assert_true(missed <= predicted + off_by(predicted, 3));
        beyond += missed > of_one + off_by(of_one, 5);
    }
    assert_true(beyond >= 1);
}

/* Half of the connections of one epoch and a third of the next may lose a block, as the mix of
 * behaviours makes them; or fewer and fewer. */
static void what_some_connections_lose_is_missed_as_often_as_is_figured(void **state)
{
    (void)state;
    static const struct {
        uint64_t opened[MOST], losing[MOST];
        size_t epochs;
        double one_in;
    } of[] = {{{1000, 1000, 1000, 1000}, {500, 330, 330, 500}, 4, 100},
              {{500, 1000, 2000, 2000}, {200, 500, 700, 900}, 4, 150},
              {{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000},
               {500, 450, 400, 500, 450, 250, 300, 250, 300, 200},
               10,
               200},
              /* many losses, which seem to slow down */
              {{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000},
               {500, 450, 400, 500, 450, 250, 300, 250, 300, 200},
               10,
               60}};
    int beyond = 0;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct reach r = {.opened = of[i].opened, .losing = of[i].losing, .epochs = of[i].epochs};
        struct reach all = {.opened = of[i].losing, .epochs = of[i].epochs};
        double predicted = reach_miss(&r, of[i].one_in), missed = 0;
        for (uint64_t seed = 1; seed <= RUNS; seed++) {
            struct sim *s = sim_new(30, seed * 7919 + i);
            size_t site = sim_site(s, SIM_LEAK, 1, 0);
            sim_epoch(s, SIM_WARM, 280, 1);
            for (size_t c = 0; c < of[i].epochs; c++) {
                s->site[site].chance =
                    (double)of[i].losing[c] / (double)of[i].opened[c] / of[i].one_in;
                sim_epoch(s, SIM_MEASURE, of[i].opened[c], 1);
            }
            s->epoch[s->epochs - 1].all_closed = true;
            missed += !convicts(s) / (double)RUNS;
        }
        double halves = miss_of_halves(&all, of[i].one_in);
        print_message("%zu epochs: missed %.4f, predicted %.4f, by the halves alone %.4f\n",
                      of[i].epochs, missed, predicted, halves);
        assert_true(missed <= predicted + off_by(predicted, 3));
        beyond += missed > halves + off_by(halves, 5);
    }
    assert_true(beyond >= 1);
}

/* ... and where each loses as any other does, the figure is their share of the run's. */
static void an_even_share_of_the_connections_has_that_share_of_the_figure(void **state)
{
    (void)state;
    static const uint64_t opened[] = {500, 1000, 0, 2000, 2000}, half[] = {250, 500, 0, 1000, 1000};
    struct reach r = {
        .opened = opened, .epochs = 5, .warm = 500, .warm_up = {{1000, 2000}, {.9, .7}}};
    struct reach some = {.opened = opened,
                         .losing = half,
                         .epochs = 5,
                         .warm = 250,
                         .warm_up = {{500, 1000}, {.9, .7}}};
    double all = reach_one_in(&r), of_half = reach_one_in(&some);
    assert_true(all > 100 && fabs(of_half - all / 2) <= 0.003 * of_half);
    assert_true(reach_shows(&some, of_half));
}

/* A run of so many connections to the end of its plan. `ret` is lent `opens`. */
static struct sim *bounded(double chance, uint64_t seed, uint64_t opens[MOST], struct reach *ret)
{
    const struct plan_input in = {.conns = 30, .rate_per_s = 1000, .closed = 2000};
    struct plan plan;
    struct plan_seen seen = {.checkpoints = 0};
    struct sim *s = sim_new(in.conns, seed);
    size_t site = sim_site(s, SIM_LEAK, 1, chance);
    *ret = (struct reach){.opened = opens};
    plan_init(&plan, &in);
    for (struct plan_action a = plan_next(&plan, &seen); a.step != PLAN_DRAIN;
         a = plan_next(&plan, &seen)) {
        sim_epoch(s, a.step == PLAN_WARM ? SIM_WARM : SIM_MEASURE, a.opens, 1);
        if (a.step == PLAN_WARM)
            ret->warm = a.opens;
        else if (a.step == PLAN_MEASURE)
            opens[ret->epochs++] = a.opens;
        for (size_t i = 2; i > 0; i--) {
            seen.ledger_blocks[i] = seen.ledger_blocks[i - 1];
            seen.ledger_opened[i] = seen.ledger_opened[i - 1];
        }
        seen.opened = seen.ledger_opened[0] = s->opened;
        seen.ledger_blocks[0] = s->site[site].blocks[s->epochs - 1];
        seen.checkpoints += seen.checkpoints < 3;
    }
    plan_warm_up(&plan, s->opened, 0, &ret->warm_up);
    return s;
}

/* Without it the figure is the clean run's, whose warm-up was the shortest. */
static void the_warm_up_that_a_leak_prolongs_is_in_the_figure(void **state)
{
    (void)state;
    uint64_t opens[MOST], unused[MOST];
    struct reach clean, other;
    free(bounded(0, 1, opens, &clean));
    struct reach warm = clean;
    warm.warm_up = (struct reach_warm_up){.left = {0}};
    double one_in = 1.5 * reach_one_in(&clean), missed = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        missed += !convicts(bounded(1 / one_in, seed, unused, &other)) / (double)RUNS;
    double predicted = reach_miss(&clean, one_in), without = reach_miss(&warm, one_in);
    print_message("at 1/%.0f: missed %.4f, predicted %.4f, without the warm-up %.4f\n", one_in,
                  missed, predicted, without);
    assert_true(missed <= predicted + off_by(predicted, 3));
    assert_true(missed > without + off_by(without, 3));
}

/* What it costs: a figure that is a seventh less where a third of the run may go to the warm-up,
 * and none where little does. */
static void the_price_is_small(void **state)
{
    (void)state;
    uint64_t opens[MOST];
    struct reach clean;
    free(bounded(0, 1, opens, &clean));
    double halves[2] = {0};
    uint64_t half[2];
    sensitivity_halves(clean.opened, clean.epochs, half);
    halves[0] = sensitivity_one_in(half, 2, JUDGE_CONVICT_BLOCKS, JUDGE_MIN_EPOCHS, 0.999);
    halves[1] = reach_one_in(&clean);
    assert_true(halves[1] >= 0.8 * halves[0] && halves[1] < halves[0]);
    assert_true(reach_shows(&clean, halves[1]) && !reach_shows(&clean, 1.02 * halves[1]));
}

/* In two judged epochs, two equal counts may be one loss each: no rarer one is sure. */
static void two_epochs_show_what_is_dense_and_no_more(void **state)
{
    (void)state;
    static const uint64_t opened[2][3] = {{1000, 1000, 0}, {1000, 0, 0}};
    struct reach r = {.opened = opened[0], .epochs = 3};
    double one_in = reach_one_in(&r);
    assert_true(one_in >= 1 && one_in < JUDGE_DENSE);
    r.opened = opened[1];
    assert_true(reach_one_in(&r) == 0);
    assert_true(reach_miss(&r, 1) == 1 && !reach_shows(&r, 1));
}

/* Figured with 30 digits from the rules' own words: fewer than five losses or none in a half; a
 * last loss after which the rest of the run is a pause too long for chance; counts of which every
 * one is that of zero to three clumps of one size; a second half that is slower by chance. Each
 * example hangs on what its line says. What is left out as negligible is less than 1e-7. */
static void each_doubt_adds_its_probability(void **state)
{
    (void)state;
    static const struct {
        struct reach_warm_up warm_up;
        uint64_t warm, opened[MOST];
        size_t epochs;
        double one_in, miss;
    } of[] = {
        /* clumps: in four equal epochs, and beside one of no connections */
        {{{0}, {0}}, 0, {1000, 1000, 1000, 1000}, 4, 240, 0.0079417834},
        {{{0}, {0}}, 0, {500, 1000, 0, 2000, 2000}, 5, 330, 0.0123636253},
        {{{0}, {0}}, 0, {100, 100, 100, 100}, 4, 10, 0.0011233576},
        /* six blocks of 48 connections are dense: no clumps; of 50 they aren't */
        {{{0}, {0}}, 0, {24, 24}, 2, 6, 0.1132286624},
        {{{0}, {0}}, 0, {24, 26}, 2, 6, 0.1820256891},
        /* ... of as many blocks as the largest epoch may lose, and be it the first */
        {{{0}, {0}}, 0, {7000, 800}, 2, 100, 0.0004733008},
        /* a pause at the end, less than a clump is to be expected of any epoch */
        {{{0}, {0}},
         0,
         {1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000},
         10,
         900,
         0.0201232628},
        {{{0}, {0}}, 0, {1000, 2000, 1000, 1000, 500, 0, 1000, 1500}, 8, 500, 0.0019770860},
        /* slower: figured for up to thirty losses, and for more no more than it ever is */
        {{{0}, {0}}, 0, {0, 1500, 1500}, 3, 100, 0.1324173096},
        {{{0}, {0}}, 0, {0, 1500, 1500}, 3, 99, 0.1313760244},
        {{{0}, {0}}, 0, {1000, 1000, 1000, 1000}, 4, 3, 0.0001},
        /* ... by five of which one is in the second half, and not by four */
        {{{0}, {0}}, 0, {50, 1000}, 2, 100, 0.6190301000},
        {{{0}, {0}}, 0, {5, 1000}, 2, 100, 0.9518448253},
        /* a warm-up that goes on once, twice or three times, and leaves less and less, or nothing
         */
        {{{2000, 4000, 0}, {.8, .5, 0}}, 1000, {1000, 1000, 1000, 1000}, 4, 240, 0.1319167408},
        {{{100, 200, 400}, {.9, .7, .5}}, 50, {1000, 1000, 1000, 1000}, 4, 60, 0.0011467079},
        {{{100, 200, 400}, {.9, .5, 0}}, 50, {1000, 1000, 1000, 1000}, 4, 100, 0.2150630038},
        /* ... and seldom, in less than 2 %, where the rest is figured for the shortest alone */
        {{{1000, 0, 0}, {.5, 0, 0}}, 2, {1000, 1000, 1000, 1000}, 4, 100, 0.0011627530},
        {{{1000, 0, 0}, {.5, 0, 0}}, 2, {1000, 1000, 1000, 1000}, 4, 98.5, 0.0011915207}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct reach r = {.opened = of[i].opened,
                          .epochs = of[i].epochs,
                          .warm = of[i].warm,
                          .warm_up = of[i].warm_up};
        assert_true(fabs(reach_miss(&r, of[i].one_in) - of[i].miss) < 5e-8);
    }
}

/* To a thousandth and a half, whichever rule it hangs on; and nothing where one in one doesn't
 * show. */
static void the_figure_is_the_largest_that_shows(void **state)
{
    (void)state;
    static const struct {
        uint64_t opened[MOST];
        size_t epochs;
        double one_in, left; /* where a warm-up goes on; 0: it doesn't */
    } of[] = {{{1000, 1000, 1000, 1000}, 4, 90.9, 0},
              {{500, 1000, 0, 2000, 2000}, 5, 199.5, 0},
              {{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000}, 10, 596.0, 0},
              {{1000, 1000}, 2, 7.0863, 0},
              {{100000, 100000, 100000, 100000}, 4, 9095, 0},
              {{12, 12}, 2, 1.497, 0},
              {{12, 12}, 2, 1.0479, 0.7}, /* 1/1 is tried before it is given up */
              {{9, 9}, 2, 1.1228, 0},
              {{9, 9}, 2, 1.0103, 0.9},
              {{9, 9}, 2, 0, 0.8},
              {{8, 9}, 2, 1.0516, 0},
              {{8, 8}, 2, 0, 0},
              {{8, 0}, 2, 0, 0},
              {{0, 0}, 2, 0, 0}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct reach r = {.opened = of[i].opened,
                          .epochs = of[i].epochs,
                          .warm = 20,
                          .warm_up = {{of[i].left > 0 ? 20 : 0}, {of[i].left}}};
        double one_in = reach_one_in(&r);
        assert_true(fabs(one_in - of[i].one_in) <= 0.0015 * of[i].one_in);
        assert_true(one_in == 0 || reach_shows(&r, one_in));
        assert_true(!reach_shows(&r, one_in > 0 ? 1.0015 * one_in : 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_rules_doubt_is_in_the_figure),
        cmocka_unit_test(what_threads_make_once_is_in_the_figure),
        cmocka_unit_test(what_some_connections_lose_is_missed_as_often_as_is_figured),
        cmocka_unit_test(an_even_share_of_the_connections_has_that_share_of_the_figure),
        cmocka_unit_test(the_warm_up_that_a_leak_prolongs_is_in_the_figure),
        cmocka_unit_test(the_price_is_small),
        cmocka_unit_test(two_epochs_show_what_is_dense_and_no_more),
        cmocka_unit_test(each_doubt_adds_its_probability),
        cmocka_unit_test(the_figure_is_the_largest_that_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Gauges that are counted and caches that are declared, by figures written by hand: each bound from
 * both sides, and of everything several. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"

enum { BASE = 1, POINTS = 9 };

/* ---- gauges ---- */

static const double EVEN[POINTS] = {0, 100, 200, 300, 400, 500, 600, 700, 800};

static void add_gauge(struct sim *s, enum metric metric, const double *closed, const double *value,
                      size_t count)
{
    s->gauge[s->e.gauges++] =
        (struct judge_gauge){.metric = metric, .count = count, .closed = closed, .value = value};
}

struct counted {
    size_t found;
    struct judge_finding finding[8];
    bool wants_more, wants_hold;
};

static struct counted counted(struct sim *s)
{
    struct counted c = {0};
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    c.found = counts_judge(&h, c.finding);
    c.wants_more = h.wants_more;
    c.wants_hold = h.wants_hold;
    free(s);
    return c;
}

static struct counted files(const double *value)
{
    struct sim *s = sim_six(false);
    add_gauge(s, METRIC_OPEN_FILES, EVEN, value, POINTS);
    return counted(s);
}

static void expect(const struct counted *c, enum verdict verdict, enum kind kind)
{
    assert_int_equal(c->found, 1);
    assert_string_equal(verdict_name(c->finding[0].verdict), verdict_name(verdict));
    assert_string_equal(kind_name(c->finding[0].kind), kind_name(kind));
    assert_true(c->wants_more == (verdict == VERDICT_INCONCLUSIVE));
    assert_false(c->wants_hold && verdict != VERDICT_LEAK);
}

static void three_files_are_a_matter_and_five_a_leak(void **state)
{
    (void)state;
    static const double two[] = {10, 10, 11, 11, 12, 12, 12, 12, 12},
                        three[] = {10, 10, 11, 11, 12, 12, 12, 12, 13},
                        four[] = {10, 11, 11, 12, 12, 13, 13, 13, 14},
                        five[] = {10, 11, 11, 12, 12, 13, 13, 14, 15};
    struct counted c = files(two);
    assert_int_equal(c.found, 0);
    c = files(three);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    assert_int_equal(c.finding[0].blocks, 3);
    assert_true(c.finding[0].per_conn_blocks == 3.0 / 800);
    assert_int_equal(c.finding[0].site, SIZE_MAX);
    assert_string_equal(c.finding[0].why,
                        "open_files: 3 more, in 3 intervals, 2 and 1 in the halves of the run");
    c = files(four);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    c = files(five);
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
    assert_true(c.wants_hold);
    assert_string_equal(c.finding[0].why,
                        "open_files: 5 more, in 5 intervals, 2 and 3 in the halves of the run");
}

static void growth_in_one_interval_convicts_nobody(void **state)
{
    (void)state;
    static const double once[] = {10, 10, 10, 10, 10, 10, 10, 10, 18},
                        twice[] = {10, 10, 14, 14, 14, 14, 14, 14, 18},
                        late[] = {10, 10, 10, 10, 10, 10, 14, 14, 18},
                        early[] = {10, 11, 12, 12, 18, 18, 18, 18, 18};
    struct counted c = files(once);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    c = files(twice);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    c = files(late);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    assert_string_equal(c.finding[0].why,
                        "open_files: 8 more, in 2 intervals, 0 and 8 in the halves of the run");
    c = files(early); /* 8 * log(1/2) is not below log(0.001) */
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
}

/* Several at once are one, as far as all have come by as many; so are those of an interval, where
 * chance leaves so many later ones without any in less than one of twenty runs. */
static void what_comes_several_at_once_is_one(void **state)
{
    (void)state;
    static const struct {
        double value[POINTS];
        enum verdict verdict;
    } of[] = {{{8, 8, 11, 11, 11, 14, 14, 14, 14}, VERDICT_INCONCLUSIVE},
              {{8, 13, 13, 13, 13, 14, 14, 14, 14}, VERDICT_INCONCLUSIVE},
              {{4, 7, 7, 7, 7, 9, 9, 9, 9}, VERDICT_INCONCLUSIVE},
              {{10, 13, 16, 16, 19, 19, 22, 22, 25}, VERDICT_LEAK},
              {{10, 13, 16, 16, 16, 19, 22, 22, 22}, VERDICT_INCONCLUSIVE},
              {{10, 10, 10, 10, 12, 14, 15, 17, 18}, VERDICT_LEAK},
              {{10, 10, 12, 12, 13, 13, 14, 14, 15}, VERDICT_LEAK},
              {{10, 60, 60, 60, 60, 110, 160, 160, 161}, VERDICT_INCONCLUSIVE}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct counted c = files(of[i].value);
        if (c.finding[0].verdict != of[i].verdict)
            fail_msg("case %zu: %s", i, c.finding[0].why);
    }
}

static struct counted files_over(const double *closed, const double *value, size_t count)
{
    struct sim *s = sim_six(false);
    add_gauge(s, METRIC_OPEN_FILES, closed, value, count);
    return counted(s);
}

/* Four times three files, from less than one in eight connections: four losses. */
static void several_at_once_are_told_where_few_connections_add_any(void **state)
{
    (void)state;
    static const double value[] = {10, 13, 16, 19, 22}, dense[] = {100, 124, 148, 172, 196},
                        sparse[] = {0, 24, 48, 72, 97};
    struct counted c = files_over(dense, value, 5);
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
    c = files_over(sparse, value, 5);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
}

/* Of 2,000 connections since the first file 785 in a row add none: six files one by one leave so
 * many out in 5.0 of 100 runs; 787, in 4.98. */
static void a_pause_since_the_first_refutes_files_one_by_one(void **state)
{
    (void)state;
    static const double value[POINTS] = {10, 10, 10, 10, 10, 11, 11, 13, 16};
    for (int pause = 785; pause <= 787; pause += 2) {
        const double closed[POINTS] = {0, 125, 250, 375, 500, 900, 900 + pause, 1300 + pause, 2500};
        struct counted c = files_over(closed, value, POINTS);
        expect(&c, pause == 785 ? VERDICT_LEAK : VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    }
}

/* 38 files of twelve connections, none of another one: (12/13)^38 is less than one in twenty. */
static void a_single_connection_may_be_the_pause(void **state)
{
    (void)state;
    static const double value[] = {10, 20, 30, 30, 39, 48}, closed[] = {0, 3, 6, 7, 10, 13};
    struct counted c = files_over(closed, value, 6);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
}

/* As those of a confirmation, from which the connections that open files are kept away. */
static void epochs_that_are_not_measured_make_no_pause(void **state)
{
    (void)state;
    static const double value[POINTS] = {10, 20, 30, 30, 30, 30, 30, 40, 51};
    for (int measured = 0; measured < 2; measured++) {
        struct sim *s = sim_six(false);
        for (size_t point = 3; point <= 6; point++)
            s->epoch[BASE + point - 1].measured = measured;
        add_gauge(s, METRIC_OPEN_FILES, EVEN, value, POINTS);
        struct counted c = counted(s);
        expect(&c, measured ? VERDICT_INCONCLUSIVE : VERDICT_LEAK, KIND_DESCRIPTORS);
    }
}

/* Of connections alike one that opens a file comes by chance into one eighth of the run, and four
 * into the same with 1/4096; three don't with less than one in a thousand. */
static void what_came_in_one_interval_came_once(void **state)
{
    (void)state;
    static const double three[] = {10, 10, 10, 10, 10, 10, 10, 13, 13},
                        four[] = {10, 10, 10, 10, 10, 10, 10, 14, 14},
                        two_intervals[] = {10, 10, 10, 10, 10, 10, 12, 14, 14};
    struct counted c = files(three);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    c = files(four);
    expect(&c, VERDICT_PASS, KIND_ONE_TIME);
    assert_int_equal(c.finding[0].blocks, 4);
    assert_true(c.finding[0].per_conn_blocks == 4.0 / 800);
    c = files(two_intervals);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
}

/* Five in the first quarter and none in the other three: 4^-5. */
static void what_ended_early_came_once(void **state)
{
    (void)state;
    static const double four[] = {10, 12, 14, 14, 14, 14, 14, 14, 14},
                        five[] = {10, 12, 15, 15, 15, 15, 15, 15, 15};
    struct counted c = files(four);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    c = files(five);
    expect(&c, VERDICT_PASS, KIND_ONE_TIME);
}

/* One of 13 in the second half comes by chance in 1.7 of 1,000 runs, one of 15 in 0.5. */
static void what_slows_down_beyond_chance_is_in_doubt(void **state)
{
    (void)state;
    static const double by_chance[] = {10, 13, 16, 19, 22, 22, 22, 22, 23},
                        slower[] = {10, 13, 16, 20, 24, 24, 24, 24, 25},
                        half_as_fast[] = {0, 10, 20, 30, 40, 45, 50, 55, 60},
                        not_half[] = {0, 10, 20, 30, 40, 45, 50, 55, 59};
    struct counted c = files(by_chance);
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
    c = files(slower);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    c = files(half_as_fast);
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
    c = files(not_half); /* 19 of 59: by chance in 4 of 1,000 */
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
}

/* After four hundred in the first half; they are so many that chance has no part in it. */
static void half_of_the_pace_is_what_slows_down(void **state)
{
    (void)state;
    static const struct {
        int second;
        enum verdict verdict;
    } of[] = {{240, VERDICT_LEAK},
              {200, VERDICT_LEAK},
              {196, VERDICT_INCONCLUSIVE},
              {160, VERDICT_INCONCLUSIVE}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        double value[POINTS] = {10};
        for (size_t k = 1; k < POINTS; k++)
            value[k] = value[k - 1] + (k <= 4 ? 400 : of[i].second) / 4.0;
        struct counted c = files(value);
        expect(&c, of[i].verdict, KIND_DESCRIPTORS);
    }
}

static void one_file_is_enough_in_either_half(void **state)
{
    (void)state;
    static const double early[] = {10, 10, 10, 10, 11, 12, 13, 14, 15},
                        late[] = {10, 11, 12, 13, 14, 14, 14, 15, 15};
    struct counted c = files(early);
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
    c = files(late);
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
}

/* The halves are those of the connections, as near as the points allow. */
static void halves_that_differ_are_set_against_their_shares(void **state)
{
    (void)state;
    static const double closed[] = {1000, 1300, 2000}, two[] = {20, 28, 30}, one[] = {20, 28, 29};
    for (int less = 0; less < 2; less++) {
        struct sim *s = sim_six(false);
        add_gauge(s, METRIC_OPEN_FILES, closed, less ? one : two, 3);
        struct counted c = counted(s);
        expect(&c, less ? VERDICT_INCONCLUSIVE : VERDICT_LEAK, KIND_DESCRIPTORS);
        assert_true(c.finding[0].per_conn_blocks == (less ? 9.0 : 10.0) / 1000);
    }
}

/* Of two points as near to the middle the earlier divides them. */
static void the_earlier_of_two_middles_divides_the_halves(void **state)
{
    (void)state;
    static const double closed[] = {0, 300, 700, 1000}, value[] = {20, 24, 30, 35};
    struct sim *s = sim_six(false);
    add_gauge(s, METRIC_OPEN_FILES, closed, value, 4);
    struct counted c = counted(s);
    assert_string_equal(c.finding[0].why,
                        "open_files: 15 more, in 3 intervals, 4 and 11 in the halves of the run");
}

/* A peak leaves no trace, and the first point may be above a later one. */
static void what_is_closed_again_is_no_growth(void **state)
{
    (void)state;
    static const double peaks[] = {10, 30, 10, 40, 11, 50, 10, 60, 12},
                        falls[] = {90, 80, 70, 60, 50, 40, 30, 20, 10};
    struct counted c = files(peaks);
    assert_int_equal(c.found, 0);
    c = files(falls);
    assert_int_equal(c.found, 0);
}

static void a_gauge_of_no_more_than_one_point_or_without_churn_says_nothing(void **state)
{
    (void)state;
    static const double still[] = {500, 500}, value[] = {10, 90}, closed[] = {500, 501};
    struct sim *s = sim_six(false);
    add_gauge(s, METRIC_OPEN_FILES, still, value, 2);
    add_gauge(s, METRIC_OPEN_FILES, closed, value, 1);
    add_gauge(s, METRIC_OPEN_FILES, NULL, NULL, 0);
    struct counted c = counted(s);
    assert_int_equal(c.found, 0);
    s = sim_six(false);
    add_gauge(s, METRIC_OPEN_FILES, closed, value, 2);
    c = counted(s);
    expect(&c, VERDICT_INCONCLUSIVE, KIND_DESCRIPTORS);
    assert_string_equal(c.finding[0].why,
                        "open_files: 80 more, in 1 interval, 0 and 80 in the halves of the run");
}

/* What comes while none closes is left out of a count by connections. */
static void growth_without_closed_connections_is_left_out(void **state)
{
    (void)state;
    static const double closed[] = {0, 100, 100, 200, 300, 400}, value[] = {10, 12, 92, 93, 94, 95};
    struct sim *s = sim_six(false);
    add_gauge(s, METRIC_OPEN_FILES, closed, value, 6);
    struct counted c = counted(s);
    expect(&c, VERDICT_LEAK, KIND_DESCRIPTORS);
    assert_int_equal(c.finding[0].blocks, 5);
}

/* Threads, and between them what isn't counted; four findings have room. */
static void each_counted_gauge_is_told_apart_and_four_at_most(void **state)
{
    (void)state;
    static const double grows[] = {10, 11, 11, 12, 12, 13, 13, 14, 15};
    struct sim *s = sim_six(false);
    add_gauge(s, METRIC_OPEN_FILES, EVEN, grows, POINTS);
    add_gauge(s, METRIC_RSS, EVEN, grows, POINTS);
    add_gauge(s, METRIC_THREADS, EVEN, grows, POINTS);
    struct counted c = counted(s);
    assert_int_equal(c.found, 2);
    assert_int_equal(c.finding[0].kind, KIND_DESCRIPTORS);
    assert_int_equal(c.finding[0].gauge, METRIC_OPEN_FILES);
    assert_int_equal(c.finding[1].kind, KIND_THREADS);
    assert_int_equal(c.finding[1].gauge, METRIC_THREADS);
    s = sim_six(false);
    for (int i = 0; i < 5; i++)
        add_gauge(s, METRIC_THREADS, EVEN, grows, POINTS);
    c = counted(s);
    assert_int_equal(c.found, 4);
    assert_int_equal(c.finding[4].kind, KIND_NONE);
}

static void no_judged_epoch_judges_no_gauge(void **state)
{
    (void)state;
    static const double grows[] = {10, 11, 11, 12, 12, 13, 13, 14, 15};
    struct sim *s = sim_new(SIM_SIX_CONNS, 7);
    sim_epoch(s, SIM_WARM, 100, 1);
    add_gauge(s, METRIC_OPEN_FILES, EVEN, grows, POINTS);
    struct counted c = counted(s);
    assert_int_equal(c.found, 0);
}

/* 600 files in six seconds of churn, and some in two without: half of the pace is 121, for they
 * count among the others as well. */
static void files_that_come_by_time_are_called_so(void **state)
{
    (void)state;
    static const double closed[POINTS] = {200, 300, 400, 500, 600, 700, 800, 801, 838};
    for (int held = 0; held <= 121; held += held ? 1 : 120) {
        double value[POINTS] = {10, 110, 210, 310, 410, 510, 610};
        value[7] = 610 + held;
        value[8] = value[7] + 1;
        struct sim *s = sim_six(true);
        add_gauge(s, METRIC_OPEN_FILES, closed, value, POINTS);
        struct counted c = counted(s);
        expect(&c, VERDICT_LEAK, held == 121 ? KIND_TIME : KIND_DESCRIPTORS);
        assert_false(c.wants_hold);
        if (held == 121)
            assert_string_equal(c.finding[0].why,
                                "open_files: 60.50 more per second while held without churn, "
                                "120.33 while connections churn");
    }
}

/* The hold comes first of all that is measured. */
static void files_that_come_at_once_while_held_come_by_time(void **state)
{
    (void)state;
    static const double closed[POINTS] = {200, 201, 300, 400, 500, 600, 700, 800, 838};
    for (int held = 1; held <= 201; held += 200) {
        double value[POINTS] = {10};
        for (size_t k = 1; k < POINTS; k++)
            value[k] = value[k - 1] + (k == 1 ? held : 100);
        struct sim *s = sim_new(SIM_SIX_CONNS, 7);
        for (int c = 0; c < 2 + POINTS - 1; c++)
            sim_epoch(s,
                      c < 2    ? SIM_WARM
                      : c == 2 ? SIM_HOLD
                               : SIM_MEASURE,
                      c == 2 ? 0 : 100, c == 2 ? 2 : 1);
        add_gauge(s, METRIC_OPEN_FILES, closed, value, POINTS);
        struct counted c = counted(s);
        expect(&c, VERDICT_LEAK, held > 1 ? KIND_TIME : KIND_DESCRIPTORS);
    }
}

/* ---- caches ---- */

struct cached {
    struct sim *s;
    struct judge_context h;
};

/* `grown` blocks since the base at the site, and `population` entries in the last of the caches,
 * each in equal steps; a cache before it stands still. */
static struct cached cached(int64_t grown, int64_t population, uint64_t capacity)
{
    struct cached c = {.s = sim_six(false)};
    struct sim *s = c.s;
    size_t last = s->epochs - 1;
    sim_cache(s, 0, 1000);
    sim_cache(s, 0, capacity);
    for (size_t k = 0; k < s->epochs; k++) {
        int64_t part = k > BASE ? (int64_t)(k - BASE) : 0, of = (int64_t)(last - BASE);
        s->site[0].blocks[k] = 40 + grown * part / of;
        s->population[0][k] = 10;
        s->population[1][k] = (uint64_t)(20 + population * part / of);
    }
    judge_context_open(&c.h, sim_evidence(s), RULES_ALL);
    assert_int_equal(c.h.base, BASE);
    return c;
}

static enum cache_fit fit_of(struct cached *c)
{
    size_t cache = 99;
    enum cache_fit fit = cache_fits(&c->h, &c->s->lent[0], &cache);
    assert_int_equal(cache, fit == CACHE_NONE ? 99 : 1);
    return fit;
}

static enum cache_fit fit(int64_t grown, int64_t population, uint64_t capacity)
{
    struct cached c = cached(grown, population, capacity);
    enum cache_fit found = fit_of(&c);
    free(c.s);
    return found;
}

static void a_cache_is_full_at_its_capacity_and_not_over_it(void **state)
{
    (void)state;
    assert_int_equal(fit(800, 800, 821), CACHE_FITS);
    assert_int_equal(fit(800, 800, 820), CACHE_FITS);
    assert_int_equal(fit(800, 800, 819), CACHE_FITS_OVER);
    assert_int_equal(fit(800, 800, 0), CACHE_FITS_UNBOUNDED);
}

static void what_keeps_step_may_be_a_fiftieth_off(void **state)
{
    (void)state;
    assert_int_equal(step_slack(0), 2);
    assert_int_equal(step_slack(149), 2);
    assert_int_equal(step_slack(150), 3);
    assert_int_equal(step_slack(199), 3);
    assert_int_equal(step_slack(200), 4);
}

static void blocks_are_whole_numbers_of_entries_or_entries_of_blocks(void **state)
{
    (void)state;
    assert_int_equal(fit(2400, 800, 0), CACHE_FITS_UNBOUNDED);
    assert_int_equal(fit(800, 2400, 0), CACHE_FITS_UNBOUNDED);
    assert_int_equal(fit(1200, 800, 0), CACHE_NONE);
    assert_int_equal(fit(800, 1200, 0), CACHE_NONE);
    assert_int_equal(fit(816, 800, 0), CACHE_FITS_UNBOUNDED); /* a fiftieth more */
    assert_int_equal(fit(817, 800, 0), CACHE_NONE);
    assert_int_equal(fit(784, 799, 0), CACHE_FITS_UNBOUNDED);
    assert_int_equal(fit(784, 800, 0), CACHE_NONE);
    assert_int_equal(fit(82, 80, 0), CACHE_FITS_UNBOUNDED); /* two are given in in any case */
    assert_int_equal(fit(83, 80, 0), CACHE_NONE);
}

static void what_stands_still_or_shrinks_follows_no_cache(void **state)
{
    (void)state;
    assert_int_equal(fit(0, 800, 0), CACHE_NONE);
    assert_int_equal(fit(800, 0, 0), CACHE_NONE);
    assert_int_equal(fit(-800, 800, 0), CACHE_NONE);
    assert_int_equal(fit(800, -8, 0), CACHE_NONE);
    assert_int_equal(fit(1, 1, 0), CACHE_FITS_UNBOUNDED);
}

/* At every checkpoint, to a fiftieth of the growth, above or below. */
static void a_site_follows_a_cache_all_the_way(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int64_t off = 16; off <= 17; off++) {
            struct cached c = cached(800, 800, 0);
            c.s->site[0].blocks[5] += sign * off;
            assert_int_equal(fit_of(&c), off > 16 ? CACHE_NONE : CACHE_FITS_UNBOUNDED);
            free(c.s);
        }
    }
}

/* Before the base anything may have been. */
static void the_warm_up_is_not_asked(void **state)
{
    (void)state;
    struct cached c = cached(800, 800, 0);
    c.s->site[0].blocks[0] += 700;
    assert_int_equal(fit_of(&c), CACHE_FITS_UNBOUNDED);
    c.h.base = SIZE_MAX; /* nothing before the measuring: all that there is has grown */
    c.s->site[0].blocks[0] -= 700 + 20;
    for (size_t k = 1; k < c.s->epochs; k++)
        c.s->site[0].blocks[k] -= 20;
    assert_int_equal(fit_of(&c), CACHE_FITS_UNBOUNDED);
    c.s->site[0].blocks[0] += 100;
    assert_int_equal(fit_of(&c), CACHE_NONE);
    free(c.s);
}

static void an_index_takes_16_bytes_an_entry_of_a_cache_within_bounds(void **state)
{
    (void)state;
    static const struct {
        uint64_t capacity;
        int64_t bytes;
        bool indexed;
    } of[] = {{820, 16 * 800, true},
              {820, 16 * 800 + 1, false},
              {819, 16, false},
              {0, 16, false},
              {820, 16, true}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct cached c = cached(0, 800, of[i].capacity);
        size_t cache = 99;
        assert_int_equal(cache_indexed_by(&c.h, of[i].bytes, &cache), of[i].indexed);
        assert_int_equal(cache, 1);
        c.h.base = SIZE_MAX; /* 20 entries more where all have come in */
        assert_int_equal(cache_indexed_by(&c.h, of[i].bytes + 320, &cache), of[i].indexed);
        free(c.s);
    }
}

static void a_cache_beyond_its_capacity_went_on_in_both_halves(void **state)
{
    (void)state;
    static const struct {
        uint64_t base, middle, last, capacity;
        bool beyond;
    } of[] = {{20, 400, 820, 819, true},  {20, 400, 820, 820, false}, {20, 400, 820, 0, false},
              {20, 820, 820, 819, false}, {20, 819, 820, 819, true},  {400, 400, 820, 819, false},
              {399, 400, 820, 819, true}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct cached c = cached(0, 0, of[i].capacity);
        size_t cache = 99;
        c.s->population[1][c.h.base] = of[i].base;
        c.s->population[1][c.h.middle] = of[i].middle;
        c.s->population[1][c.h.last] = of[i].last;
        assert_int_equal(cache_beyond_capacity(&c.h, &cache), of[i].beyond);
        assert_int_equal(cache, 1);
        free(c.s);
    }
}

static void a_bounded_cache_has_entries_and_a_bound_that_holds(void **state)
{
    (void)state;
    static const struct {
        uint64_t population, capacity;
        bool present;
    } of[] = {{0, 5, false}, {1, 5, true}, {5, 5, true}, {6, 5, false}, {5, 0, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct cached c = cached(0, 0, of[i].capacity);
        c.s->population[0][c.h.last] = 0;
        c.s->population[1][c.h.last] = of[i].population;
        assert_int_equal(cache_bounded_present(&c.h), of[i].present);
        free(c.s);
    }
}

/* 800 entries came in with 638 connections, those of the turnover with them. */
static void a_cache_is_full_at_the_pace_of_the_measuring(void **state)
{
    (void)state;
    static const struct {
        int64_t population;
        uint64_t capacity, full_in;
    } of[] = {{800, 1620, 638}, {800, 1220, 319}, {800, 822, 2},  {800, 821, 0},
              {800, 800, 0},    {800, 0, 0},      {0, 820, 0},    {-8, 820, 0},
              {1, 23, 1276},    {1276, 1299, 2},  {1280, 1303, 1}}; /* 1.5, and 1.4953 */
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct cached c = cached(0, of[i].population, of[i].capacity);
        assert_int_equal(cache_full_in(&c.h, 1), of[i].full_in);
        free(c.s);
    }
}

static void no_evidence_has_no_cache(void **state)
{
    (void)state;
    struct cached c = cached(800, 800, 820);
    size_t cache;
    c.s->e.epochs = 0;
    assert_int_equal(cache_fits(&c.h, &c.s->lent[0], &cache), CACHE_NONE);
    assert_false(cache_indexed_by(&c.h, 16, &cache));
    assert_false(cache_beyond_capacity(&c.h, &cache));
    assert_false(cache_bounded_present(&c.h));
    free(c.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_files_are_a_matter_and_five_a_leak),
        cmocka_unit_test(growth_in_one_interval_convicts_nobody),
        cmocka_unit_test(what_comes_several_at_once_is_one),
        cmocka_unit_test(several_at_once_are_told_where_few_connections_add_any),
        cmocka_unit_test(a_pause_since_the_first_refutes_files_one_by_one),
        cmocka_unit_test(a_single_connection_may_be_the_pause),
        cmocka_unit_test(epochs_that_are_not_measured_make_no_pause),
        cmocka_unit_test(what_came_in_one_interval_came_once),
        cmocka_unit_test(what_ended_early_came_once),
        cmocka_unit_test(what_slows_down_beyond_chance_is_in_doubt),
        cmocka_unit_test(half_of_the_pace_is_what_slows_down),
        cmocka_unit_test(one_file_is_enough_in_either_half),
        cmocka_unit_test(halves_that_differ_are_set_against_their_shares),
        cmocka_unit_test(the_earlier_of_two_middles_divides_the_halves),
        cmocka_unit_test(what_is_closed_again_is_no_growth),
        cmocka_unit_test(a_gauge_of_no_more_than_one_point_or_without_churn_says_nothing),
        cmocka_unit_test(growth_without_closed_connections_is_left_out),
        cmocka_unit_test(each_counted_gauge_is_told_apart_and_four_at_most),
        cmocka_unit_test(no_judged_epoch_judges_no_gauge),
        cmocka_unit_test(files_that_come_by_time_are_called_so),
        cmocka_unit_test(files_that_come_at_once_while_held_come_by_time),
        cmocka_unit_test(a_cache_is_full_at_its_capacity_and_not_over_it),
        cmocka_unit_test(what_keeps_step_may_be_a_fiftieth_off),
        cmocka_unit_test(blocks_are_whole_numbers_of_entries_or_entries_of_blocks),
        cmocka_unit_test(what_stands_still_or_shrinks_follows_no_cache),
        cmocka_unit_test(a_site_follows_a_cache_all_the_way),
        cmocka_unit_test(the_warm_up_is_not_asked),
        cmocka_unit_test(an_index_takes_16_bytes_an_entry_of_a_cache_within_bounds),
        cmocka_unit_test(a_cache_beyond_its_capacity_went_on_in_both_halves),
        cmocka_unit_test(a_bounded_cache_has_entries_and_a_bound_that_holds),
        cmocka_unit_test(a_cache_is_full_at_the_pace_of_the_measuring),
        cmocka_unit_test(no_evidence_has_no_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of their own: how many connections each makes, and how the blocks at their ends are
 * judged. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"
#include "options/limits.h"
#include "stats/judge/plan.h"
#include "stats/judge/plan_loop.h"

/* ---- the plan ---- */

static void the_runs_are_equal_steps_out_of_order(void **state)
{
    (void)state;
    for (size_t runs = LIMIT_LOOP_LEAST; runs <= LIMIT_LOOP; runs++) {
        uint64_t plan[LIMIT_LOOP], sum = 0;
        plan_loop(100 * runs, runs, plan);
        bool seen[LIMIT_LOOP + 1] = {false}, rises = true, falls = true;
        for (size_t i = 0; i < runs; i++) {
            assert_int_equal(plan[i] % 100, 0);
            assert_false(seen[plan[i] / 100]);
            seen[plan[i] / 100] = true;
            sum += plan[i];
            rises &= i == 0 || plan[i] > plan[i - 1];
            falls &= i == 0 || plan[i] < plan[i - 1];
        }
        assert_false(rises || falls);
        assert_int_equal(plan[0], 100);
        assert_int_equal(plan[runs - 1], 100 * runs);
        assert_int_equal(plan_loop_largest(runs, sum), 100 * runs);
    }
}

/* Ten steps lie between the smallest and the largest of a dozen: each is seven after the one
 * before it, the next to the golden section of ten that has no divisor with it. */
static void a_run_is_far_from_the_one_before_it(void **state)
{
    (void)state;
    static const uint64_t dozen[] = {1, 2, 9, 6, 3, 10, 7, 4, 11, 8, 5, 12};
    uint64_t plan[LIMIT_LOOP];
    plan_loop(12, 12, plan);
    assert_memory_equal(plan, dozen, sizeof dozen);
    for (size_t runs = LIMIT_LOOP_LEAST; runs <= LIMIT_LOOP; runs++) {
        plan_loop(runs, runs, plan);
        for (size_t i = 2; i + 1 < runs; i++)
            assert_true(5 * llabs((int64_t)plan[i] - (int64_t)plan[i - 1]) >= (int64_t)runs);
    }
}

static void a_share_that_is_not_whole_is_rounded_up(void **state)
{
    (void)state;
    uint64_t plan[12];
    plan_loop(1201, 12, plan);
    for (size_t i = 0; i < 12; i++) {
        uint64_t step = i ? plan[i] / 100 : 1;
        assert_true(plan[i] * 12 >= 1201 * step && (plan[i] - 1) * 12 < 1201 * step);
    }
    plan_loop(100, 2, plan);
    assert_int_equal(plan[0], 50);
    assert_int_equal(plan[1], 100);
}

static void few_runs_must_lose_more_often(void **state)
{
    (void)state;
    assert_true(runs_times(12) == 5 && runs_times(15) == 5);
    assert_true(runs_times(16) == 3.5 && runs_times(23) == 3.5);
    assert_true(runs_times(24) == 2 && runs_times(48) == 2);
}

/* The largest run beyond the smallest, which the others are measured against, makes what the
 * sensitivity needs, or half as many again as an expected cache holds; and hardly more. */
static void the_runs_make_what_their_sensitivity_needs(void **state)
{
    (void)state;
    static const size_t runs[] = {12, 15, 16, 24, 48};
    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        for (uint64_t expected = 0; expected <= 1000000; expected += 500000) {
            uint64_t plan[LIMIT_LOOP], total = plan_loop_for(runs[k], 100, expected), sum = 0;
            plan_loop(plan_loop_largest(runs[k], total), runs[k], plan);
            double beyond = (double)(plan[runs[k] - 1] - plan[0]);
            double want = expected ? 1.5 * (double)expected
                                   : runs_times(runs[k]) * (double)plan_measured_for(100, 1);
            assert_true(beyond >= want && beyond < want + 4);
            for (size_t i = 0; i < runs[k]; i++)
                sum += plan[i];
            assert_true(sum <= total + runs[k] && sum + 2 * runs[k] >= total);
        }
    }
}

/* ---- what they held at their ends ---- */

/* Runs of 100, 200, ... connections, of which each had so many blocks of one site. */
struct ends {
    struct sim *s;
    struct judge_context h;
    struct survivors v;
    struct judge_finding f;
};

static struct ends ends(const int64_t *had, size_t runs, double one_in)
{
    struct ends x = {.s = sim_new(0, 7)};
    struct sim *s = x.s;
    sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c < runs; c++) {
        sim_epoch(s, c ? SIM_MEASURE : SIM_WARM, 100, 1);
        s->epoch[c].closed = 100 * (c + 1);
        s->epoch[c].all_closed = true;
        s->site[0].blocks[c] = had[c];
        s->site[0].live[c] = c && had[c] > had[c - 1] ? had[c] - had[c - 1] : 0;
    }
    s->e.ended = true;
    judge_context_open(&x.h, sim_evidence(s), RULES_ALL);
    x.h.one_in = one_in;
    survivors_count(&x.h, 0, &x.v);
    return x;
}

static enum answer asked(enum answer (*rule)(struct judge_context *, const struct survivors *,
                                             struct judge_finding *),
                         struct ends *x)
{
    enum answer answer = rule(&x->h, &x->v, &x->f);
    free(x->s);
    return answer;
}

/* A dozen runs that gain `slope` blocks each, off by 1,000 up and down: beside each four of these
 * no line takes any of it up. */
static struct ends off_the_line(int64_t slope)
{
    static const int64_t off[] = {1000, -1000, -1000, 1000};
    int64_t had[12];
    for (int64_t c = 0; c < 12; c++)
        had[c] = 5000 + slope * c + off[c % 4];
    return ends(had, 12, 50);
}

/* Student's t of ten degrees is 5.69 where chance gives as much once in 10,000: the deviation of
 * the slope is sqrt(12 * 1000^2 / 10 / 143) = 91.6. */
static void growth_beyond_chance_comes_with_the_connections(void **state)
{
    (void)state;
    struct ends x = off_the_line(531); /* 5.80 */
    assert_int_equal(asked(site_runs, &x), NO_OPINION);
    x = off_the_line(513); /* 5.60 */
    int64_t growth = x.v.growth;
    assert_int_equal(asked(site_runs, &x), DECIDED);
    assert_int_equal(x.f.verdict, VERDICT_INCONCLUSIVE);
    char why[192];
    snprintf(why, sizeof why,
             "the longest run had %d blocks more, and runs differ too much to tell whether that "
             "comes with the connections",
             (int)growth);
    assert_string_equal(x.f.why, why);
    x = off_the_line(-531);
    assert_int_equal(asked(site_runs, &x), DECIDED);
    x = off_the_line(0);
    assert_int_equal(asked(site_runs, &x), DECIDED);
}

/* One block more of the longest run, or of all when they are as long, is chance. */
static void few_blocks_that_differ_are_chance(void **state)
{
    (void)state;
    static const int64_t had[] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6};
    struct ends x = ends(had, 12, 50);
    assert_int_equal(asked(site_runs, &x), DECIDED);
    x = ends(had, 12, 50);
    for (size_t c = 0; c < 12; c++)
        x.s->epoch[c].closed = 700;
    assert_int_equal(asked(site_runs, &x), DECIDED);
}

/* As one process of its own has nothing to set it against. */
static void one_process_is_not_judged_by_a_line(void **state)
{
    (void)state;
    static const int64_t had[] = {5, 105, 205, 305, 405, 505, 605, 705, 805, 905, 1005, 1105};
    struct ends x = ends(had, 12, 50);
    x.s->e.ended = false;
    assert_int_equal(site_line(&x.h, &x.v, &x.f), NO_OPINION);
    assert_int_equal(site_runs(&x.h, &x.v, &x.f), NO_OPINION);
    assert_int_equal(site_scatter(&x.h, &x.v, &x.f), NO_OPINION);
    free(x.s);
}

/* Through two points there always is one. */
static void three_runs_may_be_a_line_and_two_are_none(void **state)
{
    (void)state;
    static const int64_t had[] = {10, 20, 30};
    for (size_t runs = 2; runs <= 3; runs++) {
        struct ends x = ends(had, runs, 1);
        x.v.events = JUDGE_CONVICT_BLOCKS;
        assert_int_equal(asked(site_line, &x), runs == 3 ? DECIDED : NO_OPINION);
        x = ends(had, runs, 1);
        assert_int_equal(asked(site_runs, &x), runs == 3 ? NO_OPINION : DECIDED);
    }
}

static void a_line_convicts_from_five_losses_on(void **state)
{
    (void)state;
    static const int64_t had[] = {5, 105, 205, 305, 405, 505, 605, 705, 805, 905, 1005, 1105};
    struct ends x = ends(had, 12, 50);
    assert_int_equal(asked(site_line, &x), DECIDED);
    assert_int_equal(x.f.verdict, VERDICT_LEAK);
    assert_int_equal(x.f.kind, KIND_SIDE);
    assert_int_equal(x.f.blocks, 1100);
    assert_string_equal(x.f.why, "runs of 900, 1000, 1100, 1200 connections ended with 805, 905, "
                                 "1005, 1105 blocks");
    x = ends(had, 12, 50);
    x.v.events = 5;
    assert_int_equal(asked(site_line, &x), DECIDED);
    x = ends(had, 12, 50);
    x.v.events = 4;
    assert_int_equal(asked(site_line, &x), NO_OPINION);
    x = ends(had, 12, 50);
    x.s->e.expected = 1;
    assert_int_equal(asked(site_line, &x), NO_OPINION);
}

/* A table that is full after `full` runs, and the noise of all of them. */
static enum answer table_full_after(int64_t full, int64_t noise)
{
    static const int64_t off[] = {1, -1, -1, 1};
    int64_t had[12];
    for (int64_t c = 0; c < 12; c++)
        had[c] = 5000 + 1000 * (c < full ? c : full) + noise * off[c % 4];
    struct ends x = ends(had, 12, 50);
    return asked(site_line, &x);
}

static void what_comes_to_a_landing_is_no_line(void **state)
{
    (void)state;
    assert_int_equal(table_full_after(2, 0), NO_OPINION);
    assert_int_equal(table_full_after(6, 0), NO_OPINION);
    assert_int_equal(table_full_after(9, 0), NO_OPINION);
    assert_int_equal(table_full_after(10, 0), NO_OPINION);
    assert_int_equal(table_full_after(6, 100), NO_OPINION);
    assert_int_equal(table_full_after(11, 0), DECIDED);
    assert_int_equal(table_full_after(11, 100), DECIDED);
    assert_int_equal(table_full_after(10, 300), DECIDED); /* the noise hides the landing */
    /* A block for each hundred, and the last run is on the landing. */
    static const int64_t had[] = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15};
    struct ends x = ends(had, 12, 50);
    assert_int_equal(asked(site_line, &x), NO_OPINION);
}

/* Student's t of nine degrees gives as much once in 10,000 between each two. */
static void a_landing_is_told_beyond_chance(void **state)
{
    (void)state;
    assert_int_equal(table_full_after(6, 408), NO_OPINION);
    assert_int_equal(table_full_after(6, 409), DECIDED);
    assert_int_equal(table_full_after(9, 210), NO_OPINION);
    assert_int_equal(table_full_after(9, 211), DECIDED);
    assert_int_equal(table_full_after(10, 101), NO_OPINION);
    assert_int_equal(table_full_after(10, 102), DECIDED);
}

/* ---- how much runs differ ---- */

static void levels_that_never_fall_take_no_part_in_the_scatter(void **state)
{
    (void)state;
    /* The nearest that never falls: 10, 11.5, 11.5, 13. Of a rest of 2 * 0.25 one degree is left.
     */
    static const int64_t swapped[] = {10, 12, 11, 13}, rising[] = {10, 12, 12, 13, 13},
                         falling[] = {40, 30, 20, 10};
    struct ends x = ends(swapped, 4, 1000);
    x.v.events = 1;
    assert_int_equal(asked(site_scatter, &x), DECIDED);
    assert_int_equal(x.f.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(x.f.kind, KIND_ONE_TIME);
    assert_string_equal(x.f.why, "runs differ by 0.7 blocks at random: one lost per 1000 "
                                 "connections might not show");
    x = ends(rising, 5, 1000);
    x.v.events = 1;
    assert_int_equal(asked(site_scatter, &x), NO_OPINION);
    static const int64_t steadily[] = {10, 20, 30, 40, 50}; /* no level has two runs */
    x = ends(steadily, 5, 1000);
    x.v.events = 1;
    assert_int_equal(asked(site_scatter, &x), NO_OPINION);
    /* One level, 25: 2 * 15^2 + 2 * 5^2 over three degrees. */
    x = ends(falling, 4, 1000);
    assert_int_equal(asked(site_scatter, &x), DECIDED);
    assert_non_null(strstr(x.f.why, "runs differ by 12.9 blocks at random"));
}

/* A dozen runs that differ by 10 blocks or so: a loss per connection shows beyond them, and one
 * that is rare might not. */
static void a_rare_loss_may_hide_in_the_scatter(void **state)
{
    (void)state;
    static const int64_t had[] = {110, 90, 90, 110, 110, 90, 90, 110, 110, 90, 90, 110};
    static const struct {
        double one_in;
        enum answer answer;
    } of[] = {{0, NO_OPINION},  {0.9, NO_OPINION}, {1, NO_OPINION},
              {12, NO_OPINION}, {13, DECIDED},     {50, DECIDED}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct ends x = ends(had, 12, of[i].one_in);
        if (asked(site_scatter, &x) != of[i].answer)
            fail_msg("one in %g: %s", of[i].one_in, x.f.why);
    }
    struct ends x = off_the_line(0); /* a loss by each connection may hide, too */
    x.h.one_in = 1;
    assert_int_equal(asked(site_scatter, &x), DECIDED);
}

/* What grows beyond chance shows by itself: only few losses of a table are in doubt. */
static void scatter_beside_growth_is_no_doubt_of_many_losses(void **state)
{
    (void)state;
    for (int64_t events = 4; events <= 5; events++) {
        struct ends x = off_the_line(900);
        x.v.events = events;
        assert_int_equal(asked(site_scatter, &x), events < 5 ? DECIDED : NO_OPINION);
        x = off_the_line(900); /* nor where no loss would surely have shown */
        x.v.events = events;
        x.h.one_in = 0.5;
        assert_int_equal(asked(site_scatter, &x), NO_OPINION);
    }
}

/* Of a dozen runs of `step` connections, twice as many, and so on: a site without a line. */
static struct judge_sensitivity seen_by(uint64_t step)
{
    struct sim *s = sim_new(0, 7);
    struct judgement j;
    s->without_line[sim_site(s, SIM_STATIC, 10, 0)] = true;
    for (size_t c = 0; c < 12; c++) {
        sim_epoch(s, c ? SIM_MEASURE : SIM_WARM, step, 1);
        s->epoch[c].closed = step * (c + 1);
        s->epoch[c].all_closed = true;
    }
    s->e.ended = true;
    judge(sim_evidence(s), &j);
    free(s);
    return j.sensitivity;
}

/* Runs must lose a block more often than epochs of one process: what is left of a figure may be
 * less than one, which is no figure. */
static void what_shows_no_loss_for_sure_has_no_figure(void **state)
{
    (void)state;
    bool none = false, some = false, by_malloc = false;
    for (uint64_t step = 5; step <= 200; step += 5) {
        struct judge_sensitivity seen = seen_by(step);
        assert_true(seen.one_in == 0 || seen.one_in >= 1);
        none |= seen.one_in == 0;
        some |= seen.one_in >= 1;
        by_malloc |= seen.one_in >= 1 && seen.malloc_one_in > 0 && seen.malloc_one_in < 1;
    }
    assert_true(none && some && by_malloc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_runs_are_equal_steps_out_of_order),
        cmocka_unit_test(a_run_is_far_from_the_one_before_it),
        cmocka_unit_test(a_share_that_is_not_whole_is_rounded_up),
        cmocka_unit_test(few_runs_must_lose_more_often),
        cmocka_unit_test(the_runs_make_what_their_sensitivity_needs),
        cmocka_unit_test(growth_beyond_chance_comes_with_the_connections),
        cmocka_unit_test(few_blocks_that_differ_are_chance),
        cmocka_unit_test(one_process_is_not_judged_by_a_line),
        cmocka_unit_test(three_runs_may_be_a_line_and_two_are_none),
        cmocka_unit_test(a_line_convicts_from_five_losses_on),
        cmocka_unit_test(what_comes_to_a_landing_is_no_line),
        cmocka_unit_test(a_landing_is_told_beyond_chance),
        cmocka_unit_test(levels_that_never_fall_take_no_part_in_the_scatter),
        cmocka_unit_test(a_rare_loss_may_hide_in_the_scatter),
        cmocka_unit_test(scatter_beside_growth_is_no_doubt_of_many_losses),
        cmocka_unit_test(what_shows_no_loss_for_sure_has_no_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

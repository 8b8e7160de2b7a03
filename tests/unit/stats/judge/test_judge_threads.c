/* SPDX-License-Identifier: Apache-2.0 */
/* What threads make once, the rule asked alone: its bounds from both sides. Six epochs of 100
 * connections are judged, 2 to 7; 38 connections turn them over. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_ask.h"

static const int64_t KEPT[6] = {2, 2, 2, 2, 2, 2};

/* So many threads, of which so many keep some of a second epoch. */
static struct sim *of_threads(size_t threads, size_t again)
{
    struct sim *s = keeping(KEPT);
    s->e.threads = s->e.serving = SIM_THREADS;
    s->lent[SITE].kept_by = s->kept_by[SITE];
    for (size_t t = 0; t < threads; t++)
        s->kept_by[SITE][t] = UINT64_C(1) << (FIRST + t % 6);
    for (size_t t = 0; t < again; t++)
        s->kept_by[SITE][t] |= UINT64_C(1) << (FIRST + (t + 1) % 6);
    return s;
}

static bool doubted(struct sim *s)
{
    struct said said = ask(s, ONLY(RULE_EACH_ONCE));
    if (said.found)
        expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    return said.found;
}

static void it_says_who_made_them(void **state)
{
    (void)state;
    struct said said = ask(of_threads(8, 1), ONLY(RULE_EACH_ONCE));
    expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    assert_true(said.wants_more);
    assert_string_equal(said.f.why, "12 blocks of 8 threads, which allocated again 1 time: may be "
                                    "once per thread");
    said = ask(of_threads(8, 0), ONLY(RULE_EACH_ONCE));
    assert_string_equal(said.f.why, "12 blocks of 8 threads, none of which allocated again: may be "
                                    "once per thread");
}

static void one_thread_of_four_may_make_them_twice(void **state)
{
    (void)state;
    assert_true(doubted(of_threads(4, 1)));
    assert_false(doubted(of_threads(3, 1)));
    assert_true(doubted(of_threads(8, 2)));
    assert_false(doubted(of_threads(7, 2)));
}

static void but_no_three_of_any_number(void **state)
{
    (void)state;
    assert_true(doubted(of_threads(100, 2)));
    assert_false(doubted(of_threads(100, 3)));
}

static void without_threads_nothing_is_said(void **state)
{
    (void)state;
    assert_false(doubted(of_threads(0, 0)));
    assert_false(doubted(keeping(KEPT)));
}

/* The warm-up's and those of the newest connections are no survivors. */
static void only_judged_epochs_count(void **state)
{
    (void)state;
    struct sim *s = of_threads(4, 0);
    for (size_t t = 0; t < 4; t++)
        s->kept_by[SITE][t] |= 1 | 1 << 1 | 1 << LAST;
    assert_true(doubted(s));
    s = of_threads(4, 1);
    s->kept_by[SITE][10] = 1 << 1; /* no fifth thread */
    s->kept_by[SITE][3] |= 1 << NEWEST;
    assert_false(doubted(s));
}

/* What threads make once, and as many times as much at another site whose threads nobody knows. */
static bool doubted_beside(const int64_t once[6], const int64_t beside[6])
{
    struct sim *s = keeping(beside);
    size_t site = sim_six_site(s, once);
    sim_threads(s, site, SIM_THREADS, true);
    return doubted(s);
}

/* More than sixteen of a thread's are no thread's: a leak of each connection has them. */
static void many_blocks_of_few_threads_are_a_leak(void **state)
{
    (void)state;
    static const int64_t most[6] = {11, 11, 11, 11, 10, 10}, more[6] = {11, 11, 11, 11, 11, 10};
    for (int i = 0; i < 2; i++) {
        struct sim *s = keeping(i ? more : most);
        s->e.threads = 4;
        s->lent[SITE].kept_by = s->kept_by[SITE];
        for (size_t t = 0; t < 4; t++)
            s->kept_by[SITE][t] = UINT64_C(1) << (FIRST + t);
        assert_true(doubted(s) == (i == 0));
    }
}

/* Where others freed some of an epoch whose are left isn't known, unless none are. */
static void who_keeps_what_others_freed_some_of_is_not_known(void **state)
{
    (void)state;
    struct sim *s = of_threads(8, 0);
    s->lent[SITE].passed_on = 1 << FIRST;
    assert_false(doubted(s));
    s = of_threads(8, 0);
    s->lent[SITE].passed_on = 1 | 1 << LAST;
    assert_true(doubted(s));
    static const int64_t kept[6] = {0, 3, 3, 2, 2, 2};
    s = keeping(kept);
    sim_threads(s, SITE, SIM_THREADS, true);
    s->lent[SITE].passed_on = 1 << FIRST;
    assert_true(doubted(s));
}

/* What a site says of itself stands, whatever keeps step with it. */
static void a_site_whose_threads_lose_again_is_not_asked_about_others(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct sim *s = keeping(KEPT);
        sim_threads(s, sim_six_site(s, KEPT), SIM_THREADS, true);
        sim_threads(s, SITE, 2, true);
        s->e.threads = SIM_THREADS;
        s->lent[SITE].passed_on = known ? 0 : 1 << FIRST;
        assert_true(doubted(s) == !known);
    }
}

static void reloads_are_not_asked(void **state)
{
    (void)state;
    struct sim *s = of_threads(8, 0);
    s->e.unit = UNIT_RELOAD;
    assert_false(doubted(s));
}

static void what_keeps_step_with_them_is_made_with_them(void **state)
{
    (void)state;
    static const int64_t once[6] = {2, 0, 4, 2, 2, 2}, half[6] = {1, 0, 2, 1, 1, 1},
                         times[6] = {32, 0, 64, 32, 32, 32}, more[6] = {34, 0, 68, 34, 34, 34},
                         off[6] = {2, 1, 4, 2, 2, 1}, last[6] = {2, 0, 4, 2, 2, 3};
    assert_true(doubted_beside(once, once));
    assert_true(doubted_beside(once, half));
    assert_true(doubted_beside(once, times));
    assert_false(doubted_beside(once, more));
    assert_false(doubted_beside(once, off));
    assert_false(doubted_beside(once, last));
}

static void the_first_epoch_counts_where_it_is_measured(void **state)
{
    (void)state;
    static const int64_t once[6] = {2, 0, 4, 2, 2, 2};
    for (int64_t more = 0; more <= 1; more++) {
        struct sim *s = keeping(once);
        sim_threads(s, sim_six_site(s, once), SIM_THREADS, true);
        s->epoch[0].measured = s->epoch[1].measured = true;
        s->site[SITE].live[0] = more;
        assert_true(doubted(s) == (more == 0));
    }
}

/* A few keep step by chance. */
static void fewer_than_five_are_no_measure(void **state)
{
    (void)state;
    static const int64_t four[6] = {1, 1, 0, 1, 1, 0}, five[6] = {1, 1, 0, 1, 2, 0},
                         of_four[6] = {2, 2, 0, 2, 2, 0}, of_five[6] = {2, 2, 0, 2, 4, 0};
    assert_false(doubted_beside(four, of_four));
    assert_true(doubted_beside(five, of_five));
}

/* More than the connections are, so that a leak of that rate would have left more. */
static void where_a_leak_would_have_left_more_it_passes(void **state)
{
    (void)state;
    struct sim *s = of_threads(8, 0);
    s->e.want_one_in = 10;
    struct said said = ask(s, ONLY(RULE_EACH_ONCE) | ONLY(RULE_RARE));
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
}

/* A pool of threads, of the connections that are held. */
static struct judgement judge_pool(double each, uint64_t held)
{
    struct judgement j;
    struct sim *s = sim_six(false);
    s->e.held = held;
    double *v = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = 2 + each * (double)i;
    judge_with_rules(sim_evidence(s), ONLY(RULE_GAUGES) | ONLY(RULE_THREADS_OF_POOL), &j);
    free(s);
    return j;
}

static void a_pool_has_no_more_threads_than_connections(void **state)
{
    (void)state;
    struct judgement j = judge_pool(3, 21);
    assert_int_equal(j.finding[0].verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(j.finding[0].why, "a pool of threads"));
    j = judge_pool(3, 20);
    assert_int_equal(j.finding[0].verdict, VERDICT_LEAK);
    assert_null(strstr(j.finding[0].why, "a pool of threads"));
}

/* With so many regions for each connection, of one size class. */
static enum verdict judge_beside(int64_t regions)
{
    struct sim *s = of_threads(8, 0);
    struct judgement *j = test_calloc(1, sizeof *j);
    s->e.size_classes = 1;
    s->size_class[0].size = 48;
    for (size_t c = 1; c < s->epochs; c++)
        s->regions[0][c] = s->regions[0][c - 1] + (int64_t)s->epoch[c].opened * regions;
    judge(sim_evidence(s), j);
    enum verdict verdict = j->verdict;
    test_free(j);
    free(s);
    return verdict;
}

static void what_the_allocator_keeps_for_them_is_in_doubt_with_them(void **state)
{
    (void)state;
    assert_int_equal(judge_beside(0), VERDICT_INCONCLUSIVE);
    assert_int_equal(judge_beside(2), VERDICT_INCONCLUSIVE);
    assert_int_equal(judge_beside(3), VERDICT_LEAK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_made_them),
        cmocka_unit_test(one_thread_of_four_may_make_them_twice),
        cmocka_unit_test(but_no_three_of_any_number),
        cmocka_unit_test(without_threads_nothing_is_said),
        cmocka_unit_test(only_judged_epochs_count),
        cmocka_unit_test(many_blocks_of_few_threads_are_a_leak),
        cmocka_unit_test(who_keeps_what_others_freed_some_of_is_not_known),
        cmocka_unit_test(a_site_whose_threads_lose_again_is_not_asked_about_others),
        cmocka_unit_test(reloads_are_not_asked),
        cmocka_unit_test(what_keeps_step_with_them_is_made_with_them),
        cmocka_unit_test(the_first_epoch_counts_where_it_is_measured),
        cmocka_unit_test(fewer_than_five_are_no_measure),
        cmocka_unit_test(where_a_leak_would_have_left_more_it_passes),
        cmocka_unit_test(a_pool_has_no_more_threads_than_connections),
        cmocka_unit_test(what_the_allocator_keeps_for_them_is_in_doubt_with_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

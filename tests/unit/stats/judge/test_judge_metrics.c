/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of metrics: a figure and the word beside it say the same, and what wasn't judged isn't
 * called level.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"

enum { CONNS = 30, WARM = 2, CHURNED = 4750 };

static const uint64_t OPENS[] = {250, 500, 1000, 1000, 1000, 1000};
enum { MEASURED = sizeof OPENS / sizeof *OPENS };

static struct sim *churned(uint64_t seed, size_t epochs)
{
    struct sim *s = sim_new(CONNS, seed);
    sim_site(s, SIM_CONN, 7, 1);
    for (int i = 0; i < WARM; i++)
        sim_epoch(s, SIM_WARM, 280, 0.28);
    for (size_t i = 0; i < epochs; i++)
        sim_epoch(s, SIM_MEASURE, OPENS[i], (double)OPENS[i] / 1000);
    return s;
}

static struct sim *finished(uint64_t seed)
{
    struct sim *s = churned(seed, MEASURED);
    sim_epoch(s, SIM_HOLD, 0, 1.5);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 0.04);
    sim_drain(s);
    return s;
}

/* A gauge that rises by `slope` per connection, give or take `noise`. */
static void gauge(struct sim *s, enum metric metric, double slope, double noise)
{
    double *v = sim_gauge(s, metric, metric == METRIC_HEAP_ALLOCATED ? 1 : 16);
    const struct judge_gauge *g = &s->gauge[s->e.gauges - 1];
    for (size_t i = 0; i < g->count; i++)
        v[i] = 6e6 + slope * g->closed[i] + noise * (2 * rng_unit(&s->rng) - 1);
}

static const struct judge_metric *metric(const struct judgement *j, const char *id)
{
    for (size_t i = 0; i < j->metrics; i++) {
        if (strcmp(j->metric[i].id, id) == 0)
            return &j->metric[i];
    }
    fail_msg("no metric %s", id);
    return NULL;
}

static void expect(const struct judgement *j, const char *id, enum metric_state state,
                   const char *note)
{
    const struct judge_metric *m = metric(j, id);
    if (m->state != state)
        fail_msg("%s is %s: %+g +- %g, limit %g, decides %g", id, metric_state_name(m->state),
                 m->per_conn, m->half_width, m->limit, m->decides);
    if (note)
        assert_string_equal(m->note, note);
    else
        assert_null(m->note);
}

/* 48 bytes lost once in 20 connections: a run of 5,000 can't convict on 12 KB, and its limit of a
 * byte per connection isn't what decides. */
static void the_limit_that_is_shown_is_the_one_that_decides(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    gauge(s, METRIC_HEAP_ALLOCATED, 2.4, 300);
    gauge(s, METRIC_HEAP_ACTIVE, 0, 300);
    judge(sim_evidence(s), &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    const struct judge_metric *m = metric(&j, "heap_allocated");
    assert_true(m->per_conn - m->half_width > m->limit);
    assert_true(m->decides == j.sensitivity.heap_bytes && m->decides > 50);
    assert_true(metric(&j, "heap_active")->decides == j.sensitivity.page_bytes);
    expect(&j, "heap_allocated", METRIC_NOT_JUDGED, "too little");
    expect(&j, "heap_active", METRIC_LEVEL, NULL);
    free(s);
}

/* A figure without any noise, just at what was asked for; and beyond it. */
static void a_figure_at_its_limit_is_level(void **state)
{
    (void)state;
    static const struct {
        double slope, limit;
        enum metric_state state;
        const char *note;
    } of[] = {{0, 0, METRIC_LEVEL, NULL},
              {2, 2, METRIC_LEVEL, NULL},
              {2, 1.5, METRIC_NOT_JUDGED, "never convicts alone"},
              {-1, 0, METRIC_LEVEL, NULL}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct judgement j;
        struct sim *s = finished(7);
        for (int more = 0; more < 12; more++)
            sim_epoch(s, SIM_MEASURE, 250, 0.25);
        double *v = sim_gauge(s, METRIC_RSS, of[i].limit);
        for (size_t k = 0; k < s->gauge[0].count; k++)
            v[k] = 4096 + of[i].slope * s->closed[k];
        judge(sim_evidence(s), &j);
        expect(&j, "rss", of[i].state, of[i].note);
        const struct judge_metric *m = metric(&j, "rss");
        assert_true(m->per_conn == of[i].slope && m->half_width == 0 && m->limit == of[i].limit);
        assert_true(m->start == v[0] && m->end == v[s->gauge[0].count - 1]);
        free(s);
    }
}

/* Each of several gauges has a row, with what became of it. */
static void each_gauge_has_its_row(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    double *files = sim_gauge(s, METRIC_OPEN_FILES, 0), *threads = sim_gauge(s, METRIC_THREADS, 0);
    gauge(s, METRIC_HEAP_ALLOCATED, 0, 300);
    for (size_t i = 0; i < s->gauge[0].count; i++) {
        files[i] = 40 + 3 * (double)i;
        threads[i] = i ? 9 : 4;
    }
    judge(sim_evidence(s), &j);
    expect(&j, "open_files", METRIC_GROWS, NULL);
    expect(&j, "threads", METRIC_EXPLAINED, NULL); /* once */
    expect(&j, "heap_allocated", METRIC_LEVEL, NULL);
    const struct judge_gauge *g = &s->gauge[0];
    double closed = g->closed[g->count - 1] - g->closed[0];
    assert_true(metric(&j, "open_files")->per_conn == 3 * (double)(g->count - 1) / closed);
    assert_true(metric(&j, "threads")->per_conn == 5 / closed);
    assert_null(judgement_metric(&j, METRIC_RSS));
    free(s);
}

/* Blocks of the runtime's own library are counted apart; of SSL objects the survivors too. */
static void libuv_and_objects_have_rows_of_their_own(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    size_t first = sim_site(s, SIM_STATIC, 0, 0), second = sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[first].blocks[c] = 3;
        s->site[first].bytes[c] = 300;
        s->site[second].blocks[c] = 5;
        s->site[second].bytes[c] = 500;
        s->live[1][c] = 30 + (c > 1 ? 3 : 0);
        s->live[0][c] = 7;
    }
    s->lent[first].file = "libuv";
    s->e.classes = 2;
    s->class_[0] = (struct judge_class){.name = "SSL_CTX", .site = SIZE_MAX};
    s->class_[1] = (struct judge_class){.name = "SSL", .site = SIZE_MAX};
    judge(sim_evidence(s), &j);
    assert_true(metric(&j, "libuv_blocks")->start == 3 && metric(&j, "libuv_blocks")->end == 3);
    assert_true(metric(&j, "openssl_blocks")->end == 7 * CONNS + 5);
    assert_true(metric(&j, "openssl_bytes")->end == 7 * CONNS * 32 + 500);
    const struct judge_metric *m = metric(&j, "ssl_objects");
    assert_true(m->start == 30 && m->end == 33 && m->per_conn == 3.0 / CHURNED);
    assert_int_equal(m->state, METRIC_UNSURE);
    s->live[1][9] = s->live[1][7] = 32;
    for (size_t c = 2; c < s->epochs; c++)
        s->live[1][c] = 32;
    judge(sim_evidence(s), &j);
    expect(&j, "ssl_objects", METRIC_NOT_JUDGED, "too few");
    free(s);
}

static void a_heap_at_rest_is_level(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    gauge(s, METRIC_HEAP_ALLOCATED, 0, 300);
    judge(sim_evidence(s), &j);
    expect(&j, "heap_allocated", METRIC_LEVEL, NULL);
    expect(&j, "openssl_blocks", METRIC_LEVEL, NULL);
    assert_true(metric(&j, "openssl_blocks")->per_conn == 0);
    free(s);
}

/* Open connections differ: what they allocate moves the pages as much, and OpenSSL's blocks both.
 * What is left is what was judged, and the row says nothing else. */
static void a_figure_that_others_move_is_told_net_of_them(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    gauge(s, METRIC_HEAP_ALLOCATED, 0, 700000);
    gauge(s, METRIC_HEAP_ACTIVE, 0, 3000);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        s->value[1][i] += s->value[0][i];
    judge(sim_evidence(s), &j);
    const struct judge_metric *m = metric(&j, "heap_active");
    expect(&j, "heap_active", METRIC_LEVEL, "net of allocated");
    assert_true(m->half_width > 0 && m->per_conn + m->half_width <= m->decides);
    assert_true(m->decides == j.sensitivity.page_bytes);
    assert_true(m->start == s->value[1][0]);
    free(s);
}

static void what_is_net_of_them_and_still_noisy_is_not_judged(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    gauge(s, METRIC_HEAP_ALLOCATED, 0, 300);
    gauge(s, METRIC_HEAP_ACTIVE, 60, 200000);
    judge(sim_evidence(s), &j);
    const struct judge_metric *m = metric(&j, "heap_active");
    expect(&j, "heap_active", METRIC_NOT_JUDGED, "noisy");
    assert_true(m->per_conn + m->half_width > m->decides);
    free(s);
}

static void a_witness_that_strays_is_not_judged(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    gauge(s, METRIC_RSS, 0, 900000);
    for (int more = 0; more < 12; more++)
        sim_epoch(s, SIM_MEASURE, 250, 0.25);
    s->e.gauges = 0;
    gauge(s, METRIC_RSS, 0, 900000);
    gauge(s, METRIC_RSS_ANON, 0, 100);
    gauge(s, METRIC_HEAP_RESIDENT, 100, 10);
    judge(sim_evidence(s), &j);
    expect(&j, "rss", METRIC_NOT_JUDGED, "noisy");
    expect(&j, "rss_anon", METRIC_LEVEL, NULL);
    expect(&j, "heap_resident", METRIC_NOT_JUDGED, "never convicts alone");
    assert_true(isnan(metric(&j, "rss")->decides));
    free(s);
}

/* Two points always lie on a line: the interval isn't as wide as the figure, there is none. */
static void few_points_have_no_interval(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = churned(7, 2);
    gauge(s, METRIC_HEAP_ALLOCATED, 373, 0);
    gauge(s, METRIC_RSS, 373, 0);
    judge(sim_evidence(s), &j);
    assert_true(isinf(metric(&j, "rss")->half_width));
    expect(&j, "rss", METRIC_NOT_JUDGED, "too few points");
    expect(&j, "heap_allocated", METRIC_NOT_JUDGED, "too few points");
    free(s);
}

static void a_descriptor_or_two_that_stay_are_too_few_to_tell(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    double *v = sim_gauge(s, METRIC_OPEN_FILES, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = i < 3 ? 44 : 45;
    judge(sim_evidence(s), &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    expect(&j, "open_files", METRIC_NOT_JUDGED, "too few");
    assert_true(fabs(metric(&j, "open_files")->per_conn * CHURNED - 1) < 0.02);
    free(s);
}

static void a_block_that_is_made_once_is_explained(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    size_t site = sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = WARM + 2; c < s->epochs; c++)
        s->site[site].blocks[c] = 1;
    s->site[site].live[WARM + 2] = 1;
    judge(sim_evidence(s), &j);
    expect(&j, "openssl_blocks", METRIC_EXPLAINED, NULL);
    assert_true(metric(&j, "openssl_blocks")->per_conn > 0);
    free(s);
}

/* A cache that fills makes the heap grow with it. */
static void a_heap_that_grows_with_a_cache_is_explained(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = sim_new(CONNS, 7);
    sim_cache(s, sim_site(s, SIM_CACHE, 20480, 1), 20480);
    for (size_t i = 0; i < WARM + MEASURED; i++)
        sim_epoch(s, i < WARM ? SIM_WARM : SIM_MEASURE, 500, 0.5);
    gauge(s, METRIC_HEAP_ALLOCATED, 48, 10);
    judge(sim_evidence(s), &j);
    expect(&j, "openssl_blocks", METRIC_EXPLAINED, NULL);
    expect(&j, "heap_allocated", METRIC_EXPLAINED, NULL);
    free(s);
}

/* Newer blocks took the place of others: survivors, and no growth. */
static void what_is_replaced_does_not_grow(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    size_t site = sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[site].blocks[c] = 40;
    for (size_t c = WARM; c < WARM + MEASURED; c++)
        s->site[site].live[c] = 6;
    judge(sim_evidence(s), &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    expect(&j, "openssl_blocks", METRIC_LEVEL, NULL);
    assert_true(metric(&j, "openssl_blocks")->per_conn == 0);
    free(s);
}

static void nothing_is_judged_in_a_run_that_is_too_short(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = churned(7, 1);
    judge(sim_evidence(s), &j);
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    expect(&j, "openssl_blocks", METRIC_NOT_JUDGED, "run too short");
    free(s);
}

/* The server grew in the warm-up, and the run ended there: what grew is said, and not judged. */
static void growth_without_a_measured_epoch_is_said(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = churned(7, 0);
    size_t site = sim_site(s, SIM_STATIC, 0, 0);
    s->site[site].blocks[0] = 100;
    s->site[site].blocks[1] = 3292;
    judge(sim_evidence(s), &j);
    const struct judge_metric *m = metric(&j, "openssl_blocks");
    assert_true(m->end - m->start == 3192);
    assert_true(isnan(m->per_conn));
    expect(&j, "openssl_blocks", METRIC_NOT_JUDGED, "run too short");
    free(s);
}

static void an_invalid_run_has_no_judged_metric(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = finished(7);
    sim_site(s, SIM_EXACT, 1, 1);
    gauge(s, METRIC_HEAP_ALLOCATED, 0, 300);
    gauge(s, METRIC_OPEN_FILES, 0, 0);
    s->e.handshakes = 0;
    judge(sim_evidence(s), &j);
    assert_int_equal(j.verdict, VERDICT_INVALID);
    assert_true(j.metrics >= 5);
    for (size_t i = 0; i < j.metrics; i++)
        expect(&j, j.metric[i].id, METRIC_NOT_JUDGED, "not to be trusted");
    free(s);
}

static void assert_true_to_its_word(const struct judge_metric *m, uint64_t seed)
{
    double low = m->per_conn - m->half_width, high = m->per_conn + m->half_width;
    bool exact = strcmp(m->role, "exact") == 0;
    if (m->state != METRIC_LEVEL)
        return;
    if (exact ? m->per_conn > 0 : !isfinite(high) || low > m->limit)
        fail_msg("seed %d: %s is level at %+g +- %g, limit %g", (int)seed, m->id, m->per_conn,
                 m->half_width, m->limit);
    if (!exact && high > m->limit && !(high <= m->decides))
        fail_msg("seed %d: %s is level up to %+g, and %g decides", (int)seed, m->id, high,
                 m->decides);
}

static void level_never_stands_beside_a_figure_above_its_limit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct judgement j;
        struct sim *s = churned(seed, 1 + seed % MEASURED);
        struct rng r = {.state = seed};
        for (uint64_t more = rng_below(&r, 12); more > 0; more--)
            sim_epoch(s, SIM_MEASURE, 250, 0.25);
        gauge(s, METRIC_HEAP_ALLOCATED, rng_unit(&r) * 6 - 1, rng_unit(&r) * 20000);
        gauge(s, METRIC_HEAP_ACTIVE, rng_unit(&r) * 40 - 8, rng_unit(&r) * 90000);
        gauge(s, METRIC_HEAP_RESIDENT, rng_unit(&r) * 40 - 8, rng_unit(&r) * 90000);
        gauge(s, METRIC_RSS, rng_unit(&r) * 90 - 8, rng_unit(&r) * 900000);
        gauge(s, METRIC_OPEN_FILES, rng_unit(&r) * 0.004, 1);
        judge(sim_evidence(s), &j);
        for (size_t i = 0; i < j.metrics; i++)
            assert_true_to_its_word(&j.metric[i], seed);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_that_is_shown_is_the_one_that_decides),
        cmocka_unit_test(a_heap_at_rest_is_level),
        cmocka_unit_test(a_figure_that_others_move_is_told_net_of_them),
        cmocka_unit_test(what_is_net_of_them_and_still_noisy_is_not_judged),
        cmocka_unit_test(a_witness_that_strays_is_not_judged),
        cmocka_unit_test(few_points_have_no_interval),
        cmocka_unit_test(a_descriptor_or_two_that_stay_are_too_few_to_tell),
        cmocka_unit_test(a_block_that_is_made_once_is_explained),
        cmocka_unit_test(a_heap_that_grows_with_a_cache_is_explained),
        cmocka_unit_test(what_is_replaced_does_not_grow),
        cmocka_unit_test(nothing_is_judged_in_a_run_that_is_too_short),
        cmocka_unit_test(growth_without_a_measured_epoch_is_said),
        cmocka_unit_test(an_invalid_run_has_no_judged_metric),
        cmocka_unit_test(a_figure_at_its_limit_is_level),
        cmocka_unit_test(each_gauge_has_its_row),
        cmocka_unit_test(libuv_and_objects_have_rows_of_their_own),
        cmocka_unit_test(level_never_stands_beside_a_figure_above_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of gauges in the table of metrics, by figures written by hand: each bound from both
 * sides. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"
#include "stats/trend.h"

enum { POINTS = 20 };

/* A long run: each checkpoint a hundred connections after the one before. */
static struct sim *long_run(size_t points)
{
    struct sim *s = sim_new(30, 7);
    for (size_t c = 0; c < points; c++) {
        sim_epoch(s, c ? SIM_MEASURE : SIM_WARM, 100, 1);
        s->epoch[c].closed = 100 * c;
    }
    return s;
}

/* So much for each connection, of any point. */
static double *grows(struct sim *s, enum metric metric, double limit, double slope)
{
    double *v = sim_gauge(s, metric, limit);
    for (size_t c = 0; c < s->epochs; c++)
        v[c] = 1000000 + slope * 100 * (double)c;
    return v;
}

static struct judge_metric row(struct sim *s, enum metric metric)
{
    struct judgement j;
    judge(sim_evidence(s), &j);
    const struct judge_metric *m = judgement_metric(&j, metric);
    assert_non_null(m);
    return *m;
}

static void expect(struct judge_metric m, enum metric_state state, const char *note)
{
    assert_string_equal(metric_state_name(m.state), metric_state_name(state));
    if (note)
        assert_string_equal(m.note, note);
    else
        assert_null(m.note);
}

static void expect_trend(const struct judge_metric *m, const struct sim *s, const double *v,
                         size_t from)
{
    struct trend t = trend_of(s->closed + from, v + from, s->epochs - from, 0.99, s->e.seed);
    assert_true(m->per_conn == t.slope && m->half_width == (t.high - t.low) / 2);
    assert_true(m->start == v[0] && m->end == v[s->epochs - 1]);
}

/* The 99 % interval of all points; of a witness, of the last ten of 20, and eleven of 21. */
static void the_row_of_a_witness_is_of_its_second_half(void **state)
{
    (void)state;
    for (size_t points = POINTS; points <= POINTS + 1; points++) {
        struct sim *s = long_run(points);
        double *heap = grows(s, METRIC_HEAP_ALLOCATED, 1, 0), *rss = grows(s, METRIC_RSS, 1, 0);
        for (size_t i = 0; i < points; i++)
            heap[i] += 4000.0 * (double)(i * 7 % 13);
        for (size_t i = 0; i < points; i++)
            rss[i] = heap[i];
        struct judge_metric m = row(s, METRIC_HEAP_ALLOCATED);
        expect_trend(&m, s, heap, 0);
        assert_string_equal(m.role, "heap");
        m = row(s, METRIC_RSS);
        assert_string_equal(m.role, "witness");
        assert_string_equal(m.unit, "bytes");
        expect_trend(&m, s, rss, 10);
        free(s);
    }
}

static void what_convicts_has_no_note(void **state)
{
    (void)state;
    struct sim *s = long_run(POINTS);
    grows(s, METRIC_HEAP_ALLOCATED, 1, 300);
    expect(row(s, METRIC_HEAP_ALLOCATED), METRIC_GROWS, NULL);
    free(s);
    s = long_run(POINTS);
    grows(s, METRIC_HEAP_ALLOCATED, 1, 100); /* 190,000 bytes, less than 256 KiB */
    expect(row(s, METRIC_HEAP_ALLOCATED), METRIC_NOT_JUDGED, "too little");
    free(s);
}

/* A table that grows takes a heap that does, whatever its size. */
static void growth_beyond_what_convicts_is_the_ledgers(void **state)
{
    (void)state;
    for (int64_t each = 150; each <= 300; each += 150) {
        struct sim *s = long_run(POINTS);
        size_t site = sim_site(s, SIM_STATIC, 1, 0);
        s->site[site].live[0] = 1;
        for (size_t c = 0; c < POINTS; c++) {
            s->site[site].blocks[c] = 1;
            s->site[site].bytes[c] = s->site[site].size = 4096 + 100 * each * (int64_t)c;
        }
        grows(s, METRIC_HEAP_ALLOCATED, 1, (double)each);
        struct judge_metric m = row(s, METRIC_HEAP_ALLOCATED);
        assert_true((m.per_conn > m.decides) == (each == 300));
        expect(m, METRIC_NOT_JUDGED, each == 300 ? "in counted blocks" : "too little");
        free(s);
    }
}

/* Three blocks that a finding is about, the first of all; what just reaches its limit is level. */
static void three_blocks_of_the_ledger_explain_a_heap(void **state)
{
    (void)state;
    for (int64_t blocks = 2; blocks <= 3; blocks++) {
        struct sim *s = long_run(POINTS);
        size_t site = sim_site(s, SIM_STATIC, 0, 0);
        s->site[site].live[4] = blocks;
        for (size_t c = 4; c < POINTS; c++)
            s->site[site].blocks[c] = blocks;
        grows(s, METRIC_HEAP_ALLOCATED, 99, 100);
        grows(s, METRIC_HEAP_RESIDENT, 100, 100);
        expect(row(s, METRIC_HEAP_ALLOCATED), blocks == 3 ? METRIC_EXPLAINED : METRIC_NOT_JUDGED,
               blocks == 3 ? NULL : "too little");
        expect(row(s, METRIC_HEAP_RESIDENT), METRIC_LEVEL, NULL);
        free(s);
    }
}

/* Two files more than before, over one closed connection, and over none. */
static void a_count_is_by_closed_connections_if_there_are_any(void **state)
{
    (void)state;
    static const double closed[2][3] = {{500, 500, 500}, {500, 500, 501}}, files[] = {7, 8, 9};
    for (int i = 0; i < 2; i++) {
        struct sim *s = long_run(POINTS);
        s->e.gauges = 1;
        s->gauge[0] = (struct judge_gauge){
            .metric = METRIC_OPEN_FILES, .count = 3, .closed = closed[i], .value = files};
        struct judge_metric m = row(s, METRIC_OPEN_FILES);
        assert_true(m.start == 7 && m.end == 9);
        assert_true(i ? m.per_conn == 2 : isnan(m.per_conn));
        free(s);
    }
}

static void a_gauge_without_points_has_an_empty_row(void **state)
{
    (void)state;
    struct sim *s = long_run(POINTS);
    grows(s, METRIC_RSS, 1, 2);
    s->gauge[0].count = 0;
    struct judge_metric m = row(s, METRIC_RSS);
    assert_true(m.start == 0 && m.end == 0 && m.per_conn == 0);
    expect(m, METRIC_LEVEL, NULL);
    free(s);
}

/* Three rows are of sites, thirteen have room for gauges. */
static void no_more_rows_are_told_than_have_room(void **state)
{
    (void)state;
    struct judgement j;
    struct judge_gauge many[20];
    struct sim *s = long_run(POINTS);
    for (size_t i = 0; i < 20; i++) {
        s->e.gauges = 0;
        grows(s, i == 13 ? METRIC_RSS : METRIC_OPEN_FILES, 1, 0);
        many[i] = s->gauge[0];
    }
    sim_evidence(s);
    s->e.gauge = many;
    s->e.gauges = 20;
    judge(&s->e, &j);
    assert_int_equal(j.metrics, JUDGE_METRICS);
    assert_string_equal(j.metric[3].id, "open_files");
    assert_string_equal(j.metric[15].id, "open_files");
    assert_null(judgement_metric(&j, METRIC_RSS));
    assert_ptr_equal(judgement_metric(&j, METRIC_LIBUV_BLOCKS), &j.metric[2]);
    free(s);
}

/* As many as are told, none of which adds a block. */
static void tables_alone_explain_no_heap(void **state)
{
    (void)state;
    static const int64_t one[SIM_EPOCHS], none[SIM_EPOCHS];
    int64_t bytes[POINTS];
    struct judge_site many[JUDGE_FINDINGS];
    struct judgement j;
    struct sim *s = long_run(POINTS);
    grows(s, METRIC_RSS, 1, 2);
    for (size_t c = 0; c < POINTS; c++)
        bytes[c] = 1000 * (int64_t)c;
    for (size_t i = 0; i < JUDGE_FINDINGS; i++)
        many[i] = (struct judge_site){.file = "many.c",
                                      .line = (uint32_t)i + 1,
                                      .blocks = one,
                                      .bytes = bytes,
                                      .born_blocks = none,
                                      .born_bytes = none};
    sim_evidence(s);
    s->e.site = many;
    s->e.sites = JUDGE_FINDINGS;
    judge(&s->e, &j);
    assert_int_equal(j.findings, JUDGE_FINDINGS);
    expect(*judgement_metric(&j, METRIC_RSS), METRIC_NOT_JUDGED, "never convicts alone");
    free(s);
}

/* Half a byte is a figure, none is none. */
static void the_least_growth_that_a_gauge_convicts_of_is_in_its_row(void **state)
{
    (void)state;
    struct sim *s = long_run(POINTS);
    grows(s, METRIC_HEAP_ALLOCATED, 1, 0);
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    for (int i = 0; i < 2; i++) {
        struct judgement j = {.sensitivity = {.heap_bytes = i * 0.5}};
        metrics_fill(&h, &j);
        double decides = judgement_metric(&j, METRIC_HEAP_ALLOCATED)->decides;
        assert_true(i ? decides == 0.5 : isnan(decides));
    }
    free(s);
}

/* Exact figures lose their growth, too. */
static void what_is_distrusted_keeps_no_exact_growth(void **state)
{
    (void)state;
    struct judgement j;
    struct sim *s = long_run(POINTS);
    grows(s, METRIC_OPEN_FILES, 0, 1);
    grows(s, METRIC_RSS, 1, 2);
    judge(sim_evidence(s), &j);
    judgement_distrust(&j, "so");
    expect(*judgement_metric(&j, METRIC_OPEN_FILES), METRIC_NOT_JUDGED, "so");
    expect(*judgement_metric(&j, METRIC_RSS), METRIC_NOT_JUDGED, "so");
    assert_true(isnan(judgement_metric(&j, METRIC_OPEN_FILES)->per_conn));
    assert_true(isnan(judgement_metric(&j, METRIC_OPENSSL_BLOCKS)->per_conn));
    assert_true(judgement_metric(&j, METRIC_RSS)->per_conn == 2);
    free(s);
}

/* Two sites and a gauge; its last finding is no leak. */
static struct judgement leak_led_by(enum metric gauge)
{
    return (struct judgement){
        .verdict = VERDICT_LEAK,
        .kind = KIND_OBJECT,
        .findings = 3,
        .finding = {{.site = SIZE_MAX, .gauge = gauge, .verdict = VERDICT_LEAK},
                    {.site = 0, .verdict = VERDICT_LEAK},
                    {.site = 1, .verdict = VERDICT_PASS}},
        .leaks = {1},
        .metrics = 2,
        .metric = {{.state = METRIC_GROWS}, {.state = METRIC_LEVEL}},
        .reasons = 2,
        .certain = true,
        .per_conn_bytes = 32};
}

static void what_may_be_given_back_is_in_doubt_for_that_reason_alone(void **state)
{
    struct judgement j = leak_led_by(METRIC_OPEN_FILES);
    (void)state;
    judgement_doubt_leak(&j, "it waits");
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.finding[0].verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.finding[1].verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.finding[2].verdict, VERDICT_PASS);
    assert_int_equal(j.metric[0].state, METRIC_UNSURE);
    assert_int_equal(j.metric[1].state, METRIC_LEVEL);
    assert_int_equal(j.reasons, 1);
    assert_string_equal(j.reason[0], "it waits");
    assert_true(!j.certain && !judgement_leaks(&j, 0) && j.per_conn_bytes == 0);
}

static void threads_that_did_not_end_are_not_given_back(void **state)
{
    struct judgement j = leak_led_by(METRIC_THREADS);
    (void)state;
    judgement_doubt_leak(&j, "it waits");
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_int_equal(j.finding[1].verdict, VERDICT_LEAK);
    j = leak_led_by(METRIC_OPEN_FILES);
    j.verdict = VERDICT_PASS;
    judgement_doubt_leak(&j, "it waits");
    assert_int_equal(j.verdict, VERDICT_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_row_of_a_witness_is_of_its_second_half),
        cmocka_unit_test(what_convicts_has_no_note),
        cmocka_unit_test(growth_beyond_what_convicts_is_the_ledgers),
        cmocka_unit_test(three_blocks_of_the_ledger_explain_a_heap),
        cmocka_unit_test(a_count_is_by_closed_connections_if_there_are_any),
        cmocka_unit_test(a_gauge_without_points_has_an_empty_row),
        cmocka_unit_test(no_more_rows_are_told_than_have_room),
        cmocka_unit_test(tables_alone_explain_no_heap),
        cmocka_unit_test(the_least_growth_that_a_gauge_convicts_of_is_in_its_row),
        cmocka_unit_test(what_is_distrusted_keeps_no_exact_growth),
        cmocka_unit_test(what_may_be_given_back_is_in_doubt_for_that_reason_alone),
        cmocka_unit_test(threads_that_did_not_end_are_not_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

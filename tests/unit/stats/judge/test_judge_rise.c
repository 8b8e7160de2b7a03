/* SPDX-License-Identifier: Apache-2.0 */
/* On which of its points a witness is judged, and what few of them tell. */
#include "judge_sim.h"
#include "stats/judge/judge_rise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const double MIB = 1 << 20;

static void a_witness_is_judged_on_the_second_half_of_its_connections(void **state)
{
    (void)state;
    static const double even[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                        late[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 21};
    assert_int_equal(gauge_late(&(struct judge_gauge){.count = 16, .closed = even}), 8);
    assert_int_equal(gauge_late(&(struct judge_gauge){.count = 12, .closed = even}), 6);
    /* ... or on so many that there is an interval ... */
    assert_int_equal(gauge_late(&(struct judge_gauge){.count = 11, .closed = even}), 5);
    assert_int_equal(gauge_late(&(struct judge_gauge){.count = 16, .closed = late}), 10);
    assert_int_equal(gauge_late(&(struct judge_gauge){.count = 7, .closed = even}), 1);
    /* ... or on all of them. */
    for (size_t count = 2; count <= 6; count++)
        assert_int_equal(gauge_late(&(struct judge_gauge){.count = count, .closed = even}), 0);
}

/* `points` checkpoints, over which a metric grows by so many bytes in proportion. */
static struct judge_finding judged(enum metric metric, size_t points, double growth, bool *ret)
{
    struct judge_finding f = {0};
    struct judge_sensitivity seen;
    struct judge_context h;
    struct sim *s = sim_new(30, 7);
    for (size_t c = 0; c < points; c++)
        sim_epoch(s, c ? SIM_MEASURE : SIM_WARM, 100, 1);
    double *v = sim_gauge(s, metric, 16);
    for (size_t i = 0; i < points; i++)
        v[i] = 20e6 + growth * (double)i / (double)(points - 1);
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    *ret = heap_judge(&h, false, &f, &seen);
    assert_int_equal(h.wants_more, *ret && points < 6);
    free(s);
    return f;
}

/* Of less than two epochs nothing is said at all. */
static void memory_that_grows_is_in_doubt_however_few_checkpoints_there_are(void **state)
{
    (void)state;
    static const enum metric of[] = {METRIC_RSS_ANON, METRIC_RSS_SHARED};
    for (size_t points = 4; points < 14; points++) {
        for (size_t i = 0; i < 4; i++) {
            bool found;
            double growth = i / 2 ? 4 * MIB + 1 : 4 * MIB;
            struct judge_finding f = judged(of[i % 2], points, growth, &found);
            assert_int_equal(found, i / 2);
            if (!found)
                continue;
            assert_int_equal(f.verdict, VERDICT_INCONCLUSIVE);
            assert_int_equal(f.kind, KIND_MAPPING);
            assert_int_equal(f.gauge, of[i % 2]);
        }
    }
}

static void what_grows_in_few_checkpoints_is_told_with_its_reason(void **state)
{
    (void)state;
    bool found;
    struct judge_finding f = judged(METRIC_HEAP_ALLOCATED, 5, 8 * MIB, &found);
    assert_true(found);
    assert_int_equal(f.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(f.kind, KIND_OUTSIDE);
    assert_int_equal(f.bytes, 8 << 20);
    assert_string_equal(f.why,
                        "heap_allocated grew by 8192 KiB, the ledger by 0 KiB: a trend takes "
                        "6 checkpoints, and the run had fewer");
    judged(METRIC_HEAP_ACTIVE, 5, 4 * MIB, &found);
    assert_false(found);
    f = judged(METRIC_HEAP_ACTIVE, 5, 4 * MIB + 1, &found);
    assert_int_equal(f.kind, KIND_FRAGMENTATION);
}

/* Pages that the allocator keeps for a while are the heap's, whoever writes to them next. */
static void pages_that_the_allocator_keeps_explain_memory_in_few_checkpoints_too(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct judge_finding f = {0};
        struct judge_sensitivity seen;
        struct judge_context h;
        struct sim *s = sim_new(30, 7);
        for (size_t c = 0; c < 5; c++)
            sim_epoch(s, c ? SIM_MEASURE : SIM_WARM, 100, 1);
        double *active = sim_gauge(s, METRIC_HEAP_ACTIVE, 16),
               *resident = sim_gauge(s, METRIC_HEAP_RESIDENT, 16),
               *anonymous = sim_gauge(s, METRIC_RSS_ANON, 16);
        for (size_t i = 0; i < 5; i++) {
            active[i] = 5e6;
            resident[i] = 20e6 + 2 * MIB * (double)i;
            anonymous[i] = 20e6 + (3 * MIB + more) * (double)i;
        }
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        assert_int_equal(heap_judge(&h, false, &f, &seen), more);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_witness_is_judged_on_the_second_half_of_its_connections),
        cmocka_unit_test(memory_that_grows_is_in_doubt_however_few_checkpoints_there_are),
        cmocka_unit_test(what_grows_in_few_checkpoints_is_told_with_its_reason),
        cmocka_unit_test(pages_that_the_allocator_keeps_explain_memory_in_few_checkpoints_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

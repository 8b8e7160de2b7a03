/* SPDX-License-Identifier: Apache-2.0 */
/* The self-check's judgement over figures: what a working meter shows is ok, and each way in which
 * a meter can be wrong makes the subject INVALID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/judge/canary.h"

#include <stdio.h>
#include <string.h>

enum { EPOCHS = 8, WARM = 2, LOST_EPOCH = 3, BYTES = 77, EVERY = 7 };
static const uint64_t OPENED[EPOCHS] = {280, 250, 250, 500, 1000, 1000, 1000, 45};

struct series {
    int64_t blocks[EPOCHS], bytes[EPOCHS], born_blocks[EPOCHS], born_bytes[EPOCHS];
};

struct meter {
    struct judge_epoch epoch[EPOCHS];
    struct series lost, control[CANARY_CONTROLS];
    struct canary_evidence e;
};

static void put(struct series *t, size_t epoch, int64_t blocks, int64_t bytes)
{
    t->born_blocks[epoch] += blocks;
    t->born_bytes[epoch] += bytes;
    for (size_t c = epoch; c < EPOCHS; c++) {
        t->blocks[c] += blocks;
        t->bytes[c] += bytes;
    }
}

static void lend(struct judge_site *site, const struct series *t)
{
    site->file = "soak/self-check";
    site->blocks = t->blocks;
    site->bytes = t->bytes;
    site->born_blocks = t->born_blocks;
    site->born_bytes = t->born_bytes;
}

/* The ring's eight entries are of the newest epoch, and the totals stayed. */
static void fill_cache(struct series *t)
{
    for (size_t c = 0; c < EPOCHS; c++) {
        t->blocks[c] = 8;
        t->bytes[c] = 8 * 40;
    }
    t->born_blocks[LOST_EPOCH] = 8;
    t->born_bytes[LOST_EPOCH] = 8 * 40;
}

static void fill_deferred(struct series *t)
{
    for (size_t c = 0; c < EPOCHS; c++) {
        t->blocks[c] = 2;
        t->bytes[c] = 2 * 56;
    }
    t->born_blocks[LOST_EPOCH] = 2;
    t->born_bytes[LOST_EPOCH] = 2 * 56;
}

/* What a working meter shows. */
static void working(struct meter *m)
{
    *m = (struct meter){.e = {.epochs = EPOCHS, .drained = true}};
    uint64_t opened = 0;
    for (size_t c = 0; c < EPOCHS; c++) {
        opened += OPENED[c];
        m->epoch[c] = (struct judge_epoch){.opened = OPENED[c],
                                           .closed = opened - 30,
                                           .seconds = 1,
                                           .measured = c >= WARM,
                                           .all_closed = c + 1 < EPOCHS};
    }
    m->e.epoch = m->epoch;
    m->e.plan = (struct canary_plan){.planned = true,
                                     .armed = true,
                                     .lost_at = 780,
                                     .lost_bytes = BYTES,
                                     .one_time_at = 600,
                                     .every = EVERY,
                                     .cache_entries = 8,
                                     .waiting = 2};
    put(&m->lost, LOST_EPOCH, 1, BYTES);
    put(&m->control[CANARY_ONE_TIME], 2, 1, 72);
    fill_cache(&m->control[CANARY_CACHE]);
    fill_deferred(&m->control[CANARY_DEFERRED]);
    lend(&m->e.lost, &m->lost);
    for (size_t i = 0; i < CANARY_CONTROLS; i++)
        lend(&m->e.control[i], &m->control[i]);
    m->e.control[CANARY_ONE_TIME].drained_blocks = 1;
    m->e.control[CANARY_CACHE].drained_blocks = 8;
    m->e.control[CANARY_CACHE].flushed_blocks = 8;
}

static void a_working_meter_is_ok(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    canary_judge(&m.e, &s);
    assert_string_equal(s.sentence, "found the block lost on purpose; no alarm at 3 harmless ones");
    assert_int_equal(s.state, CANARY_OK);
    assert_true(s.reached && s.found);
    assert_int_equal(s.epoch, LOST_EPOCH);
    assert_int_equal(s.bytes, BYTES);
}

/* ---- each way to be wrong ---- */

static void missing(struct meter *m)
{
    put(&m->lost, LOST_EPOCH, -1, -BYTES);
}

static void wrong_epoch(struct meter *m)
{
    put(&m->lost, LOST_EPOCH, -1, -BYTES);
    put(&m->lost, LOST_EPOCH + 1, 1, BYTES);
}

static void wrong_size(struct meter *m)
{
    put(&m->lost, LOST_EPOCH, 0, 16);
}

static void two_blocks(struct meter *m)
{
    put(&m->lost, LOST_EPOCH + 2, 1, BYTES);
}

static void one_of_the_first_epoch(struct meter *m)
{
    put(&m->lost, 0, 1, BYTES);
}

static void freed_twice_elsewhere(struct meter *m)
{
    put(&m->lost, LOST_EPOCH + 1, -1, -BYTES);
}

static void before_its_time(struct meter *m)
{
    m->e.plan.lost_at = 1000000;
}

static void cache_counts_no_frees(struct meter *m)
{
    put(&m->control[CANARY_CACHE], 4, 20, 800);
    put(&m->control[CANARY_CACHE], 5, 20, 800);
}

static void cache_never_filled(struct meter *m)
{
    m->control[CANARY_CACHE] = (struct series){0};
}

static void one_time_never_made(struct meter *m)
{
    m->control[CANARY_ONE_TIME] = (struct series){0};
}

static void deferred_not_freed_by_the_drain(struct meter *m)
{
    m->e.control[CANARY_DEFERRED].drained_blocks = 2;
}

static void deferred_never_freed(struct meter *m)
{
    for (size_t c = 2; c < EPOCHS; c++)
        put(&m->control[CANARY_DEFERRED], c, (int64_t)OPENED[c] / EVERY, 56);
}

static const struct {
    const char *name;
    void (*spoil)(struct meter *m);
    const char *said;
} spoilt[] = {
    {"missing", missing,
     "1 block of 77 bytes was planted in epoch 3; the ledger has 0 of 0 bytes in all"},
    {"wrong_epoch", wrong_epoch,
     "the planted block belongs to epoch 3, and the ledger has it in another"},
    {"wrong_size", wrong_size,
     "1 block of 77 bytes was planted in epoch 3; the ledger has 1 of 93 bytes in all"},
    {"two_blocks", two_blocks,
     "1 block of 77 bytes was planted in epoch 3; the ledger has 2 of 154 bytes in all"},
    {"one_of_the_first_epoch", one_of_the_first_epoch,
     "1 block of 77 bytes was planted in epoch 3; the ledger has 2 of 154 bytes in all"},
    {"freed_twice_elsewhere", freed_twice_elsewhere,
     "1 block of 77 bytes was planted in epoch 3; the ledger has 0 of 0 bytes in all"},
    {"before_its_time", before_its_time,
     "the planted block is there before its connection was opened"},
    {"cache_counts_no_frees", cache_counts_no_frees,
     "a small cache that replaces its oldest entry: 8 of its blocks must be alive after epoch 4, "
     "found 28"},
    {"cache_never_filled", cache_never_filled,
     "a small cache that replaces its oldest entry: 8 of its blocks must be alive after epoch 0, "
     "found 0"},
    {"one_time_never_made", one_time_never_made,
     "a block made once and kept: 1 of its blocks must be alive after epoch 3, found 0"},
    {"deferred_not_freed_by_the_drain", deferred_not_freed_by_the_drain,
     "blocks freed some connections later: the drain freed them, and the ledger still has 2"},
    {"deferred_never_freed", deferred_never_freed,
     "blocks freed some connections later: 2 of its blocks must be alive after epoch 2, found 37"},
};

static void every_failure_of_the_meter_is_invalid(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        struct meter m;
        struct canary s;
        struct judgement j = {
            .verdict = VERDICT_LEAK, .certain = true, .reasons = 1, .findings = 1};
        working(&m);
        spoilt[i].spoil(&m);
        if (strcmp(spoilt[i].name, "one_time_never_made") == 0)
            m.e.plan.one_time_at = 530 + 250;
        canary_judge(&m.e, &s);
        canary_apply(&s, &j);
        if (s.state != CANARY_FAILED || strcmp(s.sentence, spoilt[i].said) != 0)
            fail_msg("%s: %d, %s", spoilt[i].name, (int)s.state, s.sentence);
        assert_int_equal(j.verdict, VERDICT_INVALID);
        assert_false(j.certain);
        assert_int_equal(j.reasons, 2);
        assert_int_equal(j.findings, 1);
        assert_memory_equal(j.reason[0], "meter check: ", 13);
    }
}

/* The amounts agree, and the judge still calls it a leak: the judge itself is checked too. */
static void a_control_that_the_judge_convicts_is_invalid(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    struct series *cache = &m.control[CANARY_CACHE];
    for (size_t c = WARM; c + 1 < EPOCHS; c++)
        cache->born_blocks[c] = (int64_t)OPENED[c];
    /* Survivors whose total stayed took the place of others. */
    canary_judge(&m.e, &s);
    assert_int_equal(s.state, CANARY_OK);
    m.e.plan.waiting = 4000;
    m.e.plan.every = 1;
    for (size_t c = 0, opened = 0; c < EPOCHS; c++) {
        opened += OPENED[c];
        m.control[CANARY_DEFERRED].blocks[c] =
            (int64_t)opened - 1 < 4000 ? (int64_t)opened - 1 : 4000;
        m.control[CANARY_DEFERRED].born_blocks[c] = (int64_t)OPENED[c];
    }
    canary_judge(&m.e, &s);
    assert_int_equal(s.state, CANARY_FAILED);
    assert_non_null(strstr(s.sentence, "must stay quiet and was called LEAK"));
    assert_false(s.quiet[CANARY_DEFERRED]);
    assert_true(s.quiet[CANARY_CACHE] && s.quiet[CANARY_ONE_TIME]);
}

/* ---- runs that end early ---- */

static void cut(struct meter *m, size_t epochs)
{
    working(m);
    m->e.epochs = epochs;
    m->e.drained = false;
    for (size_t c = epochs; c < EPOCHS; c++) {
        if (m->lost.born_blocks[c])
            put(&m->lost, c, -1, -BYTES);
    }
    if (epochs < EPOCHS) { /* what no checkpoint has seen is nobody's */
        m->epoch[epochs].opened = 1000000;
        m->lost.born_blocks[epochs] = m->lost.born_bytes[epochs] = 5;
        for (size_t i = 0; i < CANARY_CONTROLS; i++)
            m->control[i].blocks[epochs] = 5;
    }
}

static void a_run_that_ends_before_the_block_is_not_reached(void **state)
{
    (void)state;
    for (size_t epochs = 0; epochs <= LOST_EPOCH; epochs++) {
        struct meter m;
        struct canary s;
        struct judgement j = {.verdict = VERDICT_INCONCLUSIVE};
        cut(&m, epochs);
        canary_judge(&m.e, &s);
        canary_apply(&s, &j);
        assert_int_equal(s.state, CANARY_NOT_REACHED);
        assert_string_equal(s.sentence,
                            "the run ended before the connection that plants the block");
        assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
        for (size_t i = 0; i < CANARY_CONTROLS; i++)
            assert_true(s.seen[i] == (epochs > WARM)); /* from the first measured epoch on */
    }
}

static void without_a_warm_up_no_control_is_seen(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    for (size_t c = 0; c < WARM; c++)
        m.epoch[c].measured = true;
    canary_judge(&m.e, &s);
    assert_false(s.seen[0] || s.seen[1] || s.seen[2]);
    assert_string_equal(s.sentence, "found the block lost on purpose");
    assert_int_equal(s.state, CANARY_OK);
}

/* A ring that a run can't fill grows as a leak does. */
static void no_alarm_is_raised_at_what_is_no_control(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    m.e.plan.cache_entries = 1000000;
    for (size_t c = 0, opened = 0; c < EPOCHS; c++) {
        opened += OPENED[c];
        m.control[CANARY_CACHE].blocks[c] = (int64_t)opened;
        m.control[CANARY_CACHE].born_blocks[c] = (int64_t)OPENED[c];
    }
    canary_judge(&m.e, &s);
    assert_false(s.seen[CANARY_CACHE]);
    assert_true(s.quiet[CANARY_CACHE]);
    assert_string_equal(s.sentence, "found the block lost on purpose; no alarm at 2 harmless ones");
}

static void what_is_not_armed_plants_nothing(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    m.e.plan.armed = false;
    m.e.shared = true;
    memset(&m.lost, 0, sizeof m.lost);
    memset(&m.control[CANARY_ONE_TIME], 0, sizeof m.control[0]);
    canary_judge(&m.e, &s);
    assert_int_equal(s.state, CANARY_NOT_REACHED);
    assert_false(s.reached || s.unproven || s.seen[CANARY_ONE_TIME]);
}

static struct canary judged(struct meter *m, struct judgement *j)
{
    struct canary s;
    canary_judge(&m->e, &s);
    canary_apply(&s, j);
    return s;
}

/* One of several processes makes the controls, so at its own connections, which are fewer. */
static void one_of_several_processes_may_make_fewer_controls(void **state)
{
    (void)state;
    for (int shared = 0; shared <= 1; shared++) {
        struct meter m;
        struct judgement j = {.verdict = VERDICT_PASS};
        working(&m);
        m.e.shared = shared;
        m.control[CANARY_CACHE].blocks[0] = 5;
        m.control[CANARY_DEFERRED].blocks[0] = 0;
        assert_int_equal(judged(&m, &j).state, shared ? CANARY_OK : CANARY_FAILED);
        assert_int_equal(j.verdict, shared ? VERDICT_PASS : VERDICT_INVALID);
    }
}

static void more_controls_than_were_made_fail_whoever_makes_them(void **state)
{
    (void)state;
    struct meter m;
    struct judgement j = {.verdict = VERDICT_PASS};
    working(&m);
    m.e.shared = true;
    m.control[CANARY_CACHE].blocks[4] = 9;
    assert_int_equal(judged(&m, &j).state, CANARY_FAILED);
    m.control[CANARY_CACHE].blocks[4] = -1;
    assert_int_equal(judged(&m, &j).state, CANARY_FAILED);
}

/* Planted at the first block after its ordinal, which may be the next epoch's, or none yet. */
static void a_late_block_may_be_of_the_next_epoch_alone(void **state)
{
    (void)state;
    for (size_t after = 0; after <= 2; after++) {
        struct meter m;
        struct judgement j = {.verdict = VERDICT_PASS};
        working(&m);
        m.e.plan.late = true;
        put(&m.lost, LOST_EPOCH, -1, -BYTES);
        put(&m.lost, LOST_EPOCH + after, 1, BYTES);
        struct canary s = judged(&m, &j);
        assert_int_equal(s.state, after <= 1 ? CANARY_OK : CANARY_FAILED);
        if (after <= 1)
            assert_int_equal(s.epoch, LOST_EPOCH + after);
    }
}

static void a_late_block_may_still_come(void **state)
{
    (void)state;
    for (int late = 0; late <= 1; late++) {
        struct meter m;
        struct judgement j = {.verdict = VERDICT_INCONCLUSIVE};
        cut(&m, LOST_EPOCH + 1);
        put(&m.lost, LOST_EPOCH, -1, -BYTES);
        m.e.plan.late = late;
        assert_int_equal(judged(&m, &j).state, late ? CANARY_NOT_REACHED : CANARY_FAILED);
    }
}

/* A process that has gone gave back what it had lost: that isn't the meter's fault. */
static void a_block_may_go_with_its_process_alone(void **state)
{
    (void)state;
    for (int gone = 0; gone <= 1; gone++) {
        struct meter m;
        struct judgement j = {.verdict = VERDICT_PASS};
        working(&m);
        m.e.shared = true;
        m.e.gone = gone;
        put(&m.lost, LOST_EPOCH, -1, -BYTES);
        struct canary s = judged(&m, &j);
        assert_int_equal(s.state, gone ? CANARY_NOT_REACHED : CANARY_FAILED);
        assert_int_equal(s.gone, gone);
        assert_int_equal(j.verdict, gone ? VERDICT_PASS : VERDICT_INVALID);
        if (gone)
            assert_string_equal(s.sentence,
                                "the process that lost a block on purpose has ended since");
        m.lost.born_bytes[LOST_EPOCH] = 16; /* it can't leave a part of it */
        assert_int_equal(judged(&m, &j).state, CANARY_FAILED);
    }
}

/* A server that makes a process for each connection loses nothing; of a client, or over reloads,
 * the question is what one process keeps, and one that has ended hasn't shown it. */
static void one_process_that_was_to_stay_and_has_ended_has_not_passed(void **state)
{
    (void)state;
    for (int one_process = 0; one_process <= 1; one_process++) {
        struct meter m;
        struct judgement j = {.verdict = VERDICT_PASS};
        working(&m);
        m.e.shared = m.e.gone = true;
        m.e.one_process = one_process;
        struct canary s = judged(&m, &j);
        assert_true(s.found && !s.unproven);
        assert_int_equal(j.verdict, VERDICT_PASS);
        put(&m.lost, LOST_EPOCH, -1, -BYTES);
        s = judged(&m, &j);
        assert_int_equal(s.unproven, one_process);
        if (one_process)
            assert_string_equal(s.sentence, "the process that lost a block on purpose has ended "
                                            "since; one process has to stay");
        assert_int_equal(j.verdict, one_process ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
    }
}

/* ... nor has one that was there at three checkpoints: it wasn't that of a connection. */
static void a_worker_that_is_replaced_takes_the_pass_with_it(void **state)
{
    (void)state;
    for (size_t there = 0; there <= 4; there++) {
        struct meter m;
        struct judgement j = {.verdict = VERDICT_PASS};
        working(&m);
        m.e.shared = m.e.gone = true;
        for (size_t c = LOST_EPOCH + there; c < m.e.epochs; c++)
            m.lost.blocks[c] = 0;
        m.lost.born_blocks[LOST_EPOCH] = m.lost.born_bytes[LOST_EPOCH] = 0;
        struct canary s = judged(&m, &j);
        assert_true(s.gone);
        assert_int_equal(s.unproven, there > 2);
        assert_int_equal(j.verdict, there > 2 ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
    }
}

/* A program whose SSL objects aren't seen is never asked to lose one: it hasn't shown anything. */
static void a_block_that_should_have_been_planted_takes_the_pass_back(void **state)
{
    (void)state;
    for (int shared = 0; shared <= 1; shared++) {
        struct meter m;
        struct judgement j = {.verdict = VERDICT_PASS};
        working(&m);
        m.e.shared = shared;
        m.e.drained = false;
        m.e.plan.lost_at = UINT64_MAX / 2;
        put(&m.lost, LOST_EPOCH, -1, -BYTES);
        struct canary s = judged(&m, &j);
        assert_int_equal(s.state, CANARY_NOT_REACHED);
        assert_string_equal(s.sentence,
                            shared ? "too few SSL objects were made for the block that was to be "
                                     "lost on purpose"
                                   : "the run ended before the connection that plants the block");
        assert_int_equal(j.verdict, shared ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
    }
}

static void a_tiny_run_has_no_full_cache_to_check(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    m.epoch[0].opened = 3;
    m.epoch[1].opened = 2;
    m.e.plan.lost_at = 5 + 260;
    m.e.plan.one_time_at = 6;
    struct series *cache = &m.control[CANARY_CACHE], *late = &m.control[CANARY_DEFERRED];
    cache->blocks[0] = 3;
    cache->blocks[1] = 5;
    late->blocks[0] = late->blocks[1] = 1;
    canary_judge(&m.e, &s);
    assert_string_equal(s.sentence, "found the block lost on purpose; no alarm at 2 harmless ones");
    assert_false(s.seen[CANARY_CACHE]);
}

/* Nothing much would have shown in it, at the small cache neither. */
static void epochs_of_few_connections_raise_no_alarm(void **state)
{
    (void)state;
    enum { FEW = 3, LAST = WARM + 2 };
    struct meter m;
    struct canary s;
    working(&m);
    m.e.epochs = LAST + 1;
    uint64_t opened = OPENED[0] + OPENED[1];
    for (size_t c = WARM; c <= LAST; c++) {
        opened += FEW;
        m.epoch[c].opened = FEW;
        m.epoch[c].closed = opened - FEW;
        m.epoch[c].all_closed = c < LAST;
        m.control[CANARY_CACHE].born_blocks[c] = c == WARM ? 8 - 2 * FEW : FEW;
    }
    m.e.plan.one_time_at = OPENED[0] + OPENED[1] + 1;
    m.e.plan.lost_at = OPENED[0] + OPENED[1] + FEW + 1;
    canary_judge(&m.e, &s);
    assert_string_equal(s.sentence, "found the block lost on purpose; no alarm at 3 harmless ones");
}

static void without_a_plan_there_is_no_self_check(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    missing(&m);
    m.e.plan.planned = false;
    canary_judge(&m.e, &s);
    assert_int_equal(s.state, CANARY_NONE);
}

/* A judgement as a run has it: reasons, one metric that is counted and one that isn't. */
static struct judgement passed(size_t reasons)
{
    struct judgement j = {.verdict = VERDICT_PASS,
                          .reasons = reasons,
                          .certain = true,
                          .wants_hold = true,
                          .wants_more = true,
                          .metrics = 2};
    for (size_t i = 0; i < reasons; i++)
        snprintf(j.reason[i], sizeof j.reason[i], "reason %zu", i);
    j.metric[0] = (struct judge_metric){.role = metric_role_name(ROLE_COUNT), .per_conn = 3};
    j.metric[1] = (struct judge_metric){.role = metric_role_name(ROLE_HEAP), .per_conn = 5};
    return j;
}

static void a_failure_comes_before_all_other_reasons(void **state)
{
    (void)state;
    for (size_t reasons = 0; reasons <= JUDGE_REASONS; reasons++) {
        struct canary s = {.state = CANARY_FAILED, .sentence = "it is wrong"};
        struct judgement j = passed(reasons);
        canary_apply(&s, &j);
        assert_int_equal(j.verdict, VERDICT_INVALID);
        assert_int_equal(j.reasons, reasons < JUDGE_REASONS ? reasons + 1 : JUDGE_REASONS);
        assert_string_equal(j.reason[0], "meter check: it is wrong");
        for (size_t i = 1; i < j.reasons; i++)
            assert_int_equal(j.reason[i][7] - '0', i - 1);
        assert_false(j.certain || j.wants_hold || j.wants_more);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(j.metric[i].state, METRIC_NOT_JUDGED);
            assert_string_equal(j.metric[i].note, "not to be trusted");
        }
        assert_true(j.metric[0].per_conn != j.metric[0].per_conn && j.metric[1].per_conn == 5);
    }
}

static void what_works_changes_nothing(void **state)
{
    (void)state;
    struct canary s = {.state = CANARY_OK, .sentence = "found"};
    struct judgement j = passed(2);
    canary_apply(&s, &j);
    assert_true(j.verdict == VERDICT_PASS && j.reasons == 2 && j.certain);
    assert_int_equal(j.metric[0].state, METRIC_LEVEL);
    s.unproven = true; /* only a PASS is taken back */
    j.verdict = VERDICT_LEAK;
    canary_apply(&s, &j);
    assert_true(j.verdict == VERDICT_LEAK && j.reasons == 2);
    j.verdict = VERDICT_PASS;
    canary_apply(&s, &j);
    assert_true(j.verdict == VERDICT_INCONCLUSIVE && j.reasons == 3 && j.certain);
}

/* The block is planted by the first connection of an epoch, or by its last. */
static void the_epoch_of_a_connection_begins_with_its_first(void **state)
{
    (void)state;
    static const struct {
        uint64_t lost_at;
        bool found;
    } of[] = {{0, false},  {279, false}, {280, false}, {779, false},
              {780, true}, {1279, true}, {1280, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct meter m;
        struct canary s;
        working(&m);
        m.e.plan.lost_at = of[i].lost_at;
        canary_judge(&m.e, &s);
        assert_true(s.reached);
        assert_int_equal(s.found, of[i].found);
        assert_int_equal(s.epoch, of[i].lost_at < 280    ? 0
                                  : of[i].lost_at < 530  ? 1
                                  : of[i].lost_at < 780  ? 2
                                  : of[i].lost_at < 1280 ? 3
                                                         : 4);
        if (!of[i].found)
            assert_non_null(strstr(s.sentence, "and the ledger has it in another"));
    }
}

/* 4,325 connections are all that the run makes. */
static void the_last_connection_is_reached_and_none_after_it(void **state)
{
    (void)state;
    for (uint64_t lost_at = 4324; lost_at <= 4325; lost_at++) {
        struct meter m;
        struct canary s;
        working(&m);
        memset(&m.lost, 0, sizeof m.lost);
        m.e.plan.lost_at = lost_at;
        canary_judge(&m.e, &s);
        assert_int_equal(s.reached, lost_at == 4324);
        assert_int_equal(s.state, lost_at == 4324 ? CANARY_FAILED : CANARY_NOT_REACHED);
    }
}

/* The one block that is made once: with the connection that makes it, and not before. */
static void a_control_is_there_from_its_connection_on(void **state)
{
    (void)state;
    static const uint64_t at[] = {529, 530, 779, 780};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct meter m;
        struct canary s;
        working(&m);
        m.e.plan.one_time_at = at[i];
        canary_judge(&m.e, &s);
        assert_int_equal(s.state, at[i] == 530 || at[i] == 779 ? CANARY_OK : CANARY_FAILED);
    }
}

static void one_control_alone_is_told_as_one(void **state)
{
    (void)state;
    struct meter m;
    struct canary s;
    working(&m);
    m.e.plan.one_time_at = 1000000;
    m.e.plan.waiting = 0;
    memset(&m.control[CANARY_ONE_TIME], 0, sizeof m.control[0]);
    memset(&m.control[CANARY_DEFERRED], 0, sizeof m.control[0]);
    canary_judge(&m.e, &s);
    assert_string_equal(s.sentence, "found the block lost on purpose; no alarm at 1 harmless one");
    m.lost.born_bytes[5] = 1; /* bytes without a block are a wrong meter's too */
    canary_judge(&m.e, &s);
    assert_int_equal(s.state, CANARY_FAILED);
    m.e.plan.lost_at = 1000000;
    memset(&m.lost, 0, sizeof m.lost);
    canary_judge(&m.e, &s);
    assert_int_equal(s.state, CANARY_NOT_REACHED);
    m.lost.born_bytes[5] = 1;
    canary_judge(&m.e, &s);
    assert_string_equal(s.sentence, "the planted block is there before its connection was opened");
}

/* Two wait from the eighth connection on, and one from the second. */
static void what_waits_is_one_of_every_so_many(void **state)
{
    (void)state;
    static const struct {
        uint64_t opened;
        int64_t waiting;
    } of[] = {{1, 0}, {2, 1}, {8, 1}, {9, 2}, {280, 2}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct meter m;
        struct canary s;
        working(&m);
        m.epoch[1].opened += m.epoch[0].opened - of[i].opened;
        m.epoch[0].opened = of[i].opened;
        m.control[CANARY_DEFERRED].blocks[0] = of[i].waiting;
        m.control[CANARY_CACHE].blocks[0] = of[i].opened < 8 ? (int64_t)of[i].opened : 8;
        canary_judge(&m.e, &s);
        if (s.state != CANARY_OK)
            fail_msg("%s", s.sentence);
        m.control[CANARY_DEFERRED].blocks[0]++;
        canary_judge(&m.e, &s);
        assert_int_equal(s.state, CANARY_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_working_meter_is_ok),
        cmocka_unit_test(every_failure_of_the_meter_is_invalid),
        cmocka_unit_test(a_control_that_the_judge_convicts_is_invalid),
        cmocka_unit_test(a_run_that_ends_before_the_block_is_not_reached),
        cmocka_unit_test(without_a_warm_up_no_control_is_seen),
        cmocka_unit_test(no_alarm_is_raised_at_what_is_no_control),
        cmocka_unit_test(what_is_not_armed_plants_nothing),
        cmocka_unit_test(one_of_several_processes_may_make_fewer_controls),
        cmocka_unit_test(more_controls_than_were_made_fail_whoever_makes_them),
        cmocka_unit_test(a_late_block_may_be_of_the_next_epoch_alone),
        cmocka_unit_test(a_late_block_may_still_come),
        cmocka_unit_test(a_block_may_go_with_its_process_alone),
        cmocka_unit_test(one_process_that_was_to_stay_and_has_ended_has_not_passed),
        cmocka_unit_test(a_worker_that_is_replaced_takes_the_pass_with_it),
        cmocka_unit_test(a_block_that_should_have_been_planted_takes_the_pass_back),
        cmocka_unit_test(a_tiny_run_has_no_full_cache_to_check),
        cmocka_unit_test(epochs_of_few_connections_raise_no_alarm),
        cmocka_unit_test(without_a_plan_there_is_no_self_check),
        cmocka_unit_test(a_failure_comes_before_all_other_reasons),
        cmocka_unit_test(what_works_changes_nothing),
        cmocka_unit_test(the_epoch_of_a_connection_begins_with_its_first),
        cmocka_unit_test(the_last_connection_is_reached_and_none_after_it),
        cmocka_unit_test(a_control_is_there_from_its_connection_on),
        cmocka_unit_test(one_control_alone_is_told_as_one),
        cmocka_unit_test(what_waits_is_one_of_every_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

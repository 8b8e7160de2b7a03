/* SPDX-License-Identifier: Apache-2.0 */
/* The self-check from end to end in one process: the orchestrator's plan, the probe's real ledger,
 * the page's reader, the history and its verdict. A doctored page shows that a broken meter is
 * INVALID. With the argument `operations` the run is one of operations on connections that are
 * held, of which the subject counts some more than the client has done. */
#include "evidence/history.h"
#include "probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>

enum { THREADS = 4, EPOCHS = 8, UNIT = 250 };
static const uint64_t OPENS[EPOCHS] = {280, 250, 250, 500, 1000, 1000, 1000, 45};

enum { FILLED = 30 }; /* operations that only the subject counts, in the first epoch */

static struct history *history;
static uint64_t until; /* connections, or operations, of the epoch under way */
static bool operations;
static uint64_t asked; /* of operations, by the client's count */

static page_u64 *counter(struct page *page)
{
    return operations ? &page->app.operations : &page->app.opened;
}

static void *serve(void *arg)
{
    (void)arg;
    struct page *page = probe_page();
    for (;;) {
        uint64_t nth = atomic_fetch_add(counter(page), 1);
        if (nth >= until)
            break;
        (operations ? probe_on_operation : probe_on_connection)(nth);
        OPENSSL_free(OPENSSL_malloc(100));
        atomic_fetch_add(&page->app.closed, 1);
    }
    return NULL;
}

/* Four threads take the connections as they come; then nothing is under way. */
static void churn(uint64_t opens)
{
    struct page *page = probe_page();
    pthread_t thread[THREADS];
    asked += opens;
    opens += operations && atomic_load(counter(page)) == 0 ? FILLED : 0;
    until = atomic_load(counter(page)) + opens;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, serve, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    atomic_store(counter(page), until);
    /* The other kind of ordinal plants nothing. */
    (operations ? probe_on_connection : probe_on_operation)(0);
}

typedef void (*doctor)(struct snapshot *s);

static void checkpoint(size_t c, doctor treat)
{
    struct history_sample sample = {.unit = operations ? UNIT_OPERATION : UNIT_CONNECTION,
                                    .operations = asked};
    struct page *page = probe_page();
    assert_int_equal(snapshot_read(page, &sample.snapshot, NULL), 0);
    if (treat)
        treat(&sample.snapshot);
    assert_int_equal(history_checkpoint(history, &sample, c < 2 ? HISTORY_WARM : HISTORY_MEASURE, 1,
                                        page_epoch(atomic_load(&page->epoch))),
                     0);
    snapshot_free(&sample.snapshot);
    atomic_fetch_add(&page->epoch, page_epoch_word(1));
}

static void drain(doctor treat)
{
    struct snapshot s;
    probe_on_drain();
    assert_int_equal(snapshot_read(probe_page(), &s, NULL), 0);
    if (treat)
        treat(&s);
    history_drained(history, &s);
    history_flushed(history, &s);
    snapshot_free(&s);
}

static void judge_now(struct judgement *ret)
{
    struct history_question question = {.handshakes = 1000, .seed = 7};
    history_judge(history, &question, ret);
}

/* The page and the probe live as long as the process, so there is one real run. Its later epochs
 * are read twice: as they are, and doctored. */
static struct history *other;

static int run(void **state)
{
    (void)state;
    static const struct probe_options options = {.ledger = true};
    struct page *page;
    if (probe_start(-1, &options, NULL) != 0)
        return -1;
    page = probe_page();
    history = history_new();
    canary_record_begin(history_canary_record(history), page,
                        operations ? UNIT_OPERATION : UNIT_CONNECTION, 7);
    for (size_t c = 0; c < EPOCHS; c++) {
        if (c >= 2)
            canary_record_arm(history_canary_record(history), page, OPENS[c] + UNIT);
        churn(OPENS[c]);
        checkpoint(c, NULL);
    }
    drain(NULL);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    history_free(history);
    history_free(other);
    return 0;
}

static void four_threads_plant_exactly_what_was_planned(void **state)
{
    (void)state;
    struct canary s;
    struct judgement j;
    history_canary(history, &s);
    judge_now(&j);
    assert_string_equal(s.sentence, "found the block lost on purpose; no alarm at 3 harmless ones");
    assert_int_equal(s.state, CANARY_OK);
    assert_int_equal(j.verdict, VERDICT_PASS);
    assert_int_equal(s.epoch + 1, probe_page()->check.lost_epoch);
    assert_in_range(s.bytes, 33, 512);
    assert_int_equal(s.bytes % 2, 1);
}

static void planted_blocks_are_in_no_figure(void **state)
{
    (void)state;
    struct snapshot s;
    assert_int_equal(snapshot_read(probe_page(), &s, NULL), 0);
    assert_int_equal(s.blocks, 0);
    assert_int_equal(s.bytes, 0);
    assert_int_equal(s.allocs, 4325);
    assert_int_equal(s.alloc_bytes, 432500);
    assert_int_equal(s.frees, 4325);
    assert_int_equal(s.plant[PAGE_PLANT_LOST].blocks, 1);
    assert_int_equal(s.plant[PAGE_PLANT_CACHE].blocks, PAGE_PLANT_RING);
    assert_int_equal(s.plant[PAGE_PLANT_DEFERRED].blocks, 0);
    snapshot_free(&s);
    struct judgement j;
    judge_now(&j);
    assert_int_equal(j.findings, 0);
    assert_int_equal(history_survivors(history), 0);
}

/* ---- the same run by a broken meter ---- */

static void loses_the_block(struct snapshot *s)
{
    memset(&s->plant[PAGE_PLANT_LOST], 0, sizeof s->plant[0]);
}

static void forgets_frees(struct snapshot *s)
{
    s->plant[PAGE_PLANT_CACHE].blocks += (int64_t)s->app.opened / 50;
}

static void keeps_what_was_deferred(struct snapshot *s)
{
    s->plant[PAGE_PLANT_DEFERRED].born_blocks[4] += 1;
}

/* Reads the run's last checkpoint and drain once more as `at_checkpoint` and `at_drain` see it. */
static void read_again(doctor at_checkpoint, doctor at_drain, struct judgement *ret)
{
    static struct history_sample sample;
    struct canary_record *check;
    if (other)
        history_free(other);
    other = history_new();
    check = history_canary_record(other);
    *check = *history_canary_record(history);
    assert_int_equal(snapshot_read(probe_page(), &sample.snapshot, NULL), 0);
    struct snapshot *s = &sample.snapshot;
    uint64_t opened = 0;
    int64_t until_now[PAGE_PLANTS];
    s->plant[PAGE_PLANT_DEFERRED].born_blocks[3] = 2;
    for (size_t i = 0; i < PAGE_PLANTS; i++)
        until_now[i] = s->plant[i].blocks;
    for (size_t c = 0; c < EPOCHS; c++) {
        opened += OPENS[c];
        s->app.opened = opened;
        until_now[PAGE_PLANT_LOST] = opened > check->plan.lost_at;
        until_now[PAGE_PLANT_ONE_TIME] = opened > check->plan.one_time_at;
        until_now[PAGE_PLANT_DEFERRED] = 2;
        for (size_t i = 0; i < PAGE_PLANTS; i++)
            s->plant[i].blocks = until_now[i];
        struct history_sample seen = sample;
        if (at_checkpoint)
            at_checkpoint(&seen.snapshot);
        history_checkpoint(other, &seen, c < 2 ? HISTORY_WARM : HISTORY_MEASURE, 1, c);
    }
    s->plant[PAGE_PLANT_DEFERRED].born_blocks[3] = 0;
    if (at_drain)
        at_drain(s);
    history_drained(other, s);
    snapshot_free(s);
    struct history_question question = {.handshakes = 1000, .seed = 7};
    history_judge(other, &question, ret);
}

static void a_broken_meter_is_invalid(void **state)
{
    (void)state;
    static const struct {
        doctor at_checkpoint, at_drain;
        const char *said;
    } broken[] = {
        {loses_the_block, NULL, "the ledger has 0 of 0 bytes"},
        {forgets_frees, NULL, "a small cache that replaces its oldest entry: 8 of its blocks"},
        {NULL, keeps_what_was_deferred, "the drain freed them, and the ledger still has 1"},
    };
    struct judgement j;
    read_again(NULL, NULL, &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        read_again(broken[i].at_checkpoint, broken[i].at_drain, &j);
        assert_int_equal(j.verdict, VERDICT_INVALID);
        if (!strstr(j.reason[0], broken[i].said))
            fail_msg("%s", j.reason[0]);
        assert_true(j.metrics > 0);
    }
}

/* The planted block is in the epoch of its ordinal by the subject's count, and the figures per
 * operation are by the client's. */
static void operations_are_counted_by_the_client_and_planted_by_the_subject(void **state)
{
    (void)state;
    four_threads_plant_exactly_what_was_planned(state);
    uint64_t sum = 0;
    for (size_t c = 0; c < EPOCHS; c++) {
        assert_int_equal(history_epoch(history, c)->opened, OPENS[c]);
        sum += OPENS[c];
        assert_int_equal(history_epoch(history, c)->closed, sum);
    }
    assert_int_equal(probe_page()->app.operations, sum + FILLED);
    assert_int_equal(probe_page()->app.opened, 0);
}

static int run_operations(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_counted_by_the_client_and_planted_by_the_subject),
    };
    operations = true;
    return cmocka_run_group_tests(tests, run, forget);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "operations") == 0)
        return run_operations();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_threads_plant_exactly_what_was_planned),
        cmocka_unit_test(planted_blocks_are_in_no_figure),
        cmocka_unit_test(a_broken_meter_is_invalid),
    };
    return cmocka_run_group_tests(tests, run, forget);
}

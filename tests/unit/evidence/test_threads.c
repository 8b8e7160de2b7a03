/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL keeps for each thread goes with the thread: a process whose threads come and go
 * isn't called a leak. The real ledger, the real OpenSSL, the real judge. */
#include "base/check.h"
#include "evidence/history.h"
#include "page/snapshot.h"
#include "probe/probe.h"
#include "tests/unit/leaks.h"
#include "tests/unit/tls/bio_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum { THREADS = 100, BATCHES = 4, AT_ONCE = 4, WARM = 2, MEASURED = 6, PER_EPOCH = 40 };

static int start(void **state)
{
    return bio_pair_start(state, SESSION_NONE);
}

static pthread_barrier_t together;

/* A life with all that OpenSSL keeps by thread: the random generators, an error in the queue. */
static void *live_and_end(void *lost)
{
    unsigned char bytes[16];
    bio_pair_free(bio_pair_open(NULL));
    CHECK(RAND_bytes(bytes, sizeof bytes) == 1 && RAND_priv_bytes(bytes, sizeof bytes) == 1);
    CHECK(!BIO_new_file("/nonexistent/file", "r")); /* an error stays in this thread's queue */
    CHECK(ERR_peek_error() != 0);
    /* All are alive at once in each batch: OpenSSL's list of threads then grows in the first only.
     */
    pthread_barrier_wait(&together);
    if (lost) {
        leaks_ignore(true);
        void *block = OPENSSL_malloc(32);
        leaks_ignore(false);
        __asm__ volatile("" : : "r"(block) : "memory");
    }
    return NULL;
}

static void run_threads(int count, bool lost)
{
    assert_int_equal(count % AT_ONCE, 0);
    assert_int_equal(pthread_barrier_init(&together, NULL, AT_ONCE), 0);
    for (int done = 0; done < count; done += AT_ONCE) {
        pthread_t thread[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            assert_int_equal(
                pthread_create(&thread[i], NULL, live_and_end, lost ? &together : NULL), 0);
        for (int i = 0; i < AT_ONCE; i++)
            pthread_join(thread[i], NULL);
    }
    pthread_barrier_destroy(&together);
}

static void the_ledger_is_the_same_after_each_hundred_threads(void **state)
{
    (void)state;
    int64_t blocks = 0, bytes = 0;
    run_threads(THREADS, false);
    for (int batch = 0; batch < BATCHES; batch++) {
        struct snapshot s;
        assert_int_equal(snapshot_read(probe_page(), &s, NULL), 0);
        if (batch > 0) {
            assert_int_equal(s.blocks, blocks);
            assert_int_equal(s.bytes, bytes);
        }
        blocks = s.blocks;
        bytes = s.bytes;
        assert_int_equal(s.threads_shared, 0); /* the slots of those who ended are used again */
        snapshot_free(&s);
        run_threads(THREADS, false);
    }
}

/* The end of an epoch. */
static void checkpoint(struct history *h, int epoch)
{
    struct page *page = probe_page();
    struct history_sample sample = {.proc = {.threads = 1}};
    atomic_fetch_add(&page->app.opened, PER_EPOCH);
    atomic_fetch_add(&page->app.closed, PER_EPOCH);
    assert_int_equal(snapshot_read(page, &sample.snapshot, NULL), 0);
    assert_int_equal(history_checkpoint(h, &sample, epoch < WARM ? HISTORY_WARM : HISTORY_MEASURE,
                                        1, (uint64_t)epoch + 1),
                     0);
    history_threads(h, page);
    snapshot_free(&sample.snapshot);
    atomic_store(&page->epoch, page_epoch_word((uint64_t)epoch + 1));
}

/* The history: history_free. */
static struct history *judge_threads(bool lost, struct judgement *ret)
{
    const struct history_question question = {
        .limit_heap = 1, .limit_rss = 16, .seed = 1, .handshakes = PER_EPOCH};
    struct history *h = history_new();
    assert_non_null(h);
    atomic_store(&probe_page()->epoch, 0);
    for (int epoch = 0; epoch < WARM + MEASURED; epoch++) {
        run_threads(PER_EPOCH, lost);
        checkpoint(h, epoch);
    }
    history_judge(h, &question, ret);
    return h;
}

static void threads_that_end_are_no_leak(void **state)
{
    (void)state;
    struct judgement j;
    history_free(judge_threads(false, &j));
    assert_int_equal(j.verdict, VERDICT_PASS);
    assert_int_equal(j.findings, 0);
}

/* The control of the test above: a block per thread that nobody frees is seen, at each checkpoint
 * those of all epochs so far. */
static void a_block_that_each_thread_loses_is_found(void **state)
{
    (void)state;
    struct judgement j;
    struct history *h = judge_threads(true, &j);
    assert_true(j.findings > 0);
    assert_int_equal(j.finding[0].blocks, MEASURED * PER_EPOCH);
    assert_true(j.verdict != VERDICT_PASS);
    for (size_t c = 0; c < WARM + MEASURED; c++)
        for (size_t birth = 0; birth <= c; birth++)
            assert_int_equal(history_alive(h, j.finding[0].site, birth, c), PER_EPOCH);
    assert_int_equal(history_alive(h, PAGE_SITES, 0, 0), 0);
    history_free(h);
}

/* ---- a pool whose threads stay, and of which each epoch uses some for the first time ---- */

enum { POOL = 40, NEW = 3 };

static struct worker {
    pthread_t thread;
    sem_t begin, done;
    bool ends;
} pool[POOL];

static void *work(void *arg)
{
    struct worker *w = arg;
    for (;;) {
        CHECK(sem_wait(&w->begin) == 0);
        if (w->ends)
            return NULL;
        bio_pair_free(bio_pair_open(NULL));
        CHECK(sem_post(&w->done) == 0);
    }
}

static void start_pool(void)
{
    for (size_t i = 0; i < POOL; i++) {
        pool[i].ends = false;
        assert_int_equal(sem_init(&pool[i].begin, 0, 0) | sem_init(&pool[i].done, 0, 0), 0);
        assert_int_equal(pthread_create(&pool[i].thread, NULL, work, &pool[i]), 0);
    }
}

static void end_pool(void)
{
    for (size_t i = 0; i < POOL; i++) {
        pool[i].ends = true;
        sem_post(&pool[i].begin);
        pthread_join(pool[i].thread, NULL);
    }
}

static void use(size_t worker)
{
    CHECK(sem_post(&pool[worker].begin) == 0 && sem_wait(&pool[worker].done) == 0);
}

/* `new_ones` in each epoch, and all that were used before. The history: history_free. */
static struct history *judge_pool(size_t new_ones, struct judgement *ret)
{
    const struct history_question question = {
        .limit_heap = 1, .limit_rss = 16, .seed = 1, .handshakes = PER_EPOCH};
    struct history *h = history_new();
    assert_non_null(h);
    atomic_store(&probe_page()->epoch, 0);
    start_pool();
    for (size_t epoch = 0; epoch < WARM + MEASURED; epoch++) {
        for (size_t i = 0; i < (epoch + 1) * new_ones; i++)
            use(i);
        checkpoint(h, (int)epoch);
    }
    history_judge(h, &question, ret);
    end_pool();
    return h;
}

static void what_each_thread_makes_at_its_first_use_is_no_leak(void **state)
{
    (void)state;
    struct judgement j;
    history_free(judge_pool(NEW, &j));
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(j.finding[0].why, " threads, none of which allocated again:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* first: the others leave blocks behind in the slots of threads */
        cmocka_unit_test(what_each_thread_makes_at_its_first_use_is_no_leak),
        cmocka_unit_test(the_ledger_is_the_same_after_each_hundred_threads),
        cmocka_unit_test(threads_that_end_are_no_leak),
        cmocka_unit_test(a_block_that_each_thread_loses_is_found),
    };
    return cmocka_run_group_tests(tests, start, bio_pair_stop);
}

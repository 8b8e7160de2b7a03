/* SPDX-License-Identifier: Apache-2.0 */
#include "page/page_file.h"
#include "page/snapshot.h"
#include "probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

/* Stands in for libuv's function, so that what the probe hands to libuv can be called directly. */
static struct {
    uv_malloc_func malloc;
    uv_realloc_func realloc;
    uv_calloc_func calloc;
    uv_free_func free;
} libuv;

int uv_replace_allocator(uv_malloc_func malloc_fn, uv_realloc_func realloc_fn,
                         uv_calloc_func calloc_fn, uv_free_func free_fn)
{
    libuv.malloc = malloc_fn;
    libuv.realloc = realloc_fn;
    libuv.calloc = calloc_fn;
    libuv.free = free_fn;
    return 0;
}

static const struct probe_options on = {.ledger = true, .libuv = true};

static struct snapshot now(void)
{
    struct snapshot s;
    assert_int_equal(snapshot_read(probe_page(), &s, NULL), 0);
    return s;
}

static int64_t live(bool bytes)
{
    struct snapshot s = now();
    int64_t count = bytes ? s.bytes : s.blocks;
    snapshot_free(&s);
    return count;
}

static int64_t live_blocks(void)
{
    return live(false);
}

static int64_t live_bytes(void)
{
    return live(true);
}

/* Live blocks of (file, line), by birth epoch or, with ALL_EPOCHS, in all, or with BYTES the bytes
 * of these; -1 when there is no such site. */
enum { ALL_EPOCHS = -1, BYTES = -2 };

static int64_t live_at(const char *file, uint32_t line, int what)
{
    struct snapshot s = now();
    int64_t count = -1;
    for (size_t i = 1; i < s.sites && count < 0; i++) {
        const struct snapshot_site *site = &s.site[i];
        if (site->line == line && strcmp(site->file, file) == 0)
            count = what == BYTES        ? site->bytes
                    : what == ALL_EPOCHS ? site->blocks
                                         : site->born_blocks[what];
    }
    snapshot_free(&s);
    return count;
}

static int64_t blocks_at(const char *file, uint32_t line, int epoch)
{
    return live_at(file, line, epoch);
}

static int64_t bytes_at(const char *file, uint32_t line)
{
    return live_at(file, line, BYTES);
}

/* Runs `body` in a process of its own, because a probe starts once; gives its exit code. */
static int in_child(int (*body)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body());
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int start_after_an_allocation(void)
{
    struct err e;
    void *block = OPENSSL_malloc(1);
    int code = probe_start(-1, &on, &e);
    OPENSSL_free(block);
    return code == -1 && strstr(e.text, "has allocated before") && !probe_page() ? 0 : 1;
}

static void the_probe_refuses_to_start_after_the_first_allocation(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_after_an_allocation), 0);
}

static int start_without_ledger(void)
{
    const struct probe_options off = {.ledger = false, .libuv = true};
    if (probe_start(-1, &off, NULL) != 0 || probe_census_start(NULL) != 0)
        return 1;
    OPENSSL_free(OPENSSL_malloc(10));
    return probe_page()->mode == PAGE_MODE_INACTIVE && snapshot_allocs(probe_page()) == 0 &&
                   !libuv.malloc
               ? 0
               : 2;
}

static void with_the_ledger_off_nothing_is_hooked(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_without_ledger), 0);
}

static int start_on_a_given_page(void)
{
    int fd;
    struct page *page;
    if (page_file_make(&fd, &page, NULL) != 0 || probe_start(fd, &on, NULL) != 0)
        return 1;
    OPENSSL_free(OPENSSL_malloc(10));
    bool closed = close(fd) != 0;
    return closed && page->mode == PAGE_MODE_HOOKS && snapshot_allocs(page) == 1 ? 0 : 2;
}

static void the_probe_counts_in_the_page_it_was_given(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_on_a_given_page), 0);
}

static int start_on_what_is_no_page(void)
{
    struct err e;
    int fd = memfd_create("small", 0);
    return probe_start(fd, &on, &e) == -1 && strstr(e.text, "not a probe page") ? 0 : 1;
}

static void a_descriptor_that_is_no_page_is_refused(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_on_what_is_no_page), 0);
}

static int start(void **state)
{
    (void)state;
    return probe_start(-1, &on, NULL);
}

static void a_block_counts_at_its_site_and_epoch_until_it_is_freed(void **state)
{
    (void)state;
    int64_t blocks = live_blocks();
    int64_t bytes = live_bytes();
    probe_page()->epoch = page_epoch_word(3);
    void *block = CRYPTO_malloc(100, "born.c", 3);
    probe_page()->epoch = page_epoch_word(5);
    assert_int_equal(blocks_at("born.c", 3, 3), 1);
    assert_int_equal(blocks_at("born.c", 3, 5), 0);
    assert_int_equal(live_blocks() - blocks, 1);
    assert_int_equal(live_bytes() - bytes, 100);
    CRYPTO_free(block, "died.c", 1);
    assert_int_equal(blocks_at("born.c", 3, 3), 0);
    assert_int_equal(live_blocks(), blocks);
    assert_int_equal(live_bytes(), bytes);
}

static void blocks_are_aligned_as_malloc_aligns(void **state)
{
    (void)state;
    for (size_t size = 1; size < 300; size += 7) {
        void *block = OPENSSL_malloc(size);
        assert_int_equal((uintptr_t)block % 16, 0);
        memset(block, 0xff, size);
        OPENSSL_free(block);
    }
}

static void totals_count_every_call(void **state)
{
    (void)state;
    struct snapshot before = now();
    void *block = CRYPTO_malloc(10, "total.c", 1);
    block = CRYPTO_realloc(block, 30, "total.c", 2);
    CRYPTO_free(block, "total.c", 3);
    CRYPTO_free(NULL, "total.c", 4);
    struct snapshot after = now();
    assert_int_equal(after.allocs - before.allocs, 1);
    assert_int_equal(after.reallocs - before.reallocs, 1);
    assert_int_equal(after.frees - before.frees, 1);
    assert_int_equal(after.alloc_bytes - before.alloc_bytes, 40);
    snapshot_free(&before);
    snapshot_free(&after);
}

static void zero_and_impossible_sizes_give_null(void **state)
{
    (void)state;
    int64_t blocks = live_blocks();
    assert_null(CRYPTO_malloc(0, "zero.c", 1));
    assert_null(CRYPTO_malloc(SIZE_MAX, "zero.c", 2));
    assert_null(CRYPTO_malloc(SIZE_MAX - 15, "zero.c", 2));
    void *block = CRYPTO_malloc(8, "zero.c", 3);
    assert_null(CRYPTO_realloc(block, SIZE_MAX - 8, "zero.c", 4));
    assert_int_equal(live_blocks() - blocks, 1);
    CRYPTO_free(block, "zero.c", 5);
}

static void a_realloc_keeps_the_birth_epoch_and_moves_the_site(void **state)
{
    (void)state;
    int64_t bytes = live_bytes();
    probe_page()->epoch = page_epoch_word(6);
    char *block = CRYPTO_malloc(100, "grow.c", 1);
    memcpy(block, "content", 8);
    probe_page()->epoch = page_epoch_word(7);
    block = CRYPTO_realloc(block, 10000, "grow.c", 2);
    assert_string_equal(block, "content");
    assert_int_equal(blocks_at("grow.c", 1, -1), 0);
    assert_int_equal(blocks_at("grow.c", 2, 6), 1);
    assert_int_equal(blocks_at("grow.c", 2, 7), 0);
    assert_int_equal(live_bytes() - bytes, 10000);
    CRYPTO_free(block, "grow.c", 3);
    assert_int_equal(live_bytes(), bytes);
}

static void realloc_from_null_allocates_and_to_zero_frees(void **state)
{
    (void)state;
    int64_t blocks = live_blocks();
    void *block = CRYPTO_realloc(NULL, 10, "edge.c", 1);
    assert_int_equal(blocks_at("edge.c", 1, -1), 1);
    assert_null(CRYPTO_realloc(block, 0, "edge.c", 2));
    assert_int_equal(live_blocks(), blocks);
}

static void equal_names_behind_other_pointers_are_one_site(void **state)
{
    (void)state;
    char first[] = "include/internal/header.h";
    char second[] = "include/internal/header.h";
    uint64_t sites = probe_page()->sites;
    void *a = CRYPTO_malloc(1, first, 9);
    void *b = CRYPTO_malloc(1, second, 9);
    assert_int_equal(probe_page()->sites - sites, 1);
    assert_int_equal(blocks_at("include/internal/header.h", 9, -1), 2);
    CRYPTO_free(a, first, 10);
    CRYPTO_free(b, first, 10);
}

static void a_call_without_a_name_is_counted_too(void **state)
{
    (void)state;
    void *named = CRYPTO_malloc(1, NULL, 12);
    assert_int_equal(blocks_at("", 12, -1), 1);
    int64_t blocks = live_blocks();
    void *nameless = CRYPTO_malloc(1, NULL, 0);
    assert_int_equal(live_blocks() - blocks, 1);
    CRYPTO_free(named, NULL, 0);
    CRYPTO_free(nameless, NULL, 0);
}

static void a_long_path_keeps_its_tail(void **state)
{
    (void)state;
    char path[400];
    memset(path, 'd', sizeof path);
    strcpy(path + 300, "/ssl/statem.c");
    void *block = CRYPTO_malloc(1, path, 77);
    assert_int_equal(blocks_at(path + strlen(path) - (PAGE_FILE_BYTES - 1), 77, -1), 1);
    CRYPTO_free(block, path, 78);
}

enum { FOREIGN = 8 };

/* Takes the block that lies highest: what is before it is a neighbour, and readable. */
static void *highest_take(void **block)
{
    size_t highest = 0;
    for (size_t i = 1; i < FOREIGN; i++) {
        if ((uintptr_t)block[i] > (uintptr_t)block[highest])
            highest = i;
    }
    void *taken = block[highest];
    block[highest] = NULL;
    return taken;
}

static void a_block_without_a_header_is_freed_and_reported(void **state)
{
    (void)state;
    uint64_t bad = probe_page()->bad_frees;
    int64_t blocks = live_blocks();
    void *foreign[FOREIGN];
    for (size_t i = 0; i < FOREIGN; i++)
        foreign[i] = calloc(1, 64);
    CRYPTO_free(highest_take(foreign), "foreign.c", 1);
    char *grown = CRYPTO_realloc(highest_take(foreign), 128, "foreign.c", 2);
    assert_int_equal(grown[63], 0);
    free(grown);
    for (size_t i = 0; i < FOREIGN; i++)
        free(foreign[i]);
    assert_int_equal(probe_page()->bad_frees - bad, 2);
    assert_int_equal(live_blocks(), blocks);
}

/* A birth is counted before the allocator is asked. */
static void an_allocation_that_fails_leaves_no_trace(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: the sanitizer's allocator ends the process\n");
    skip();
#endif
    CRYPTO_free(CRYPTO_malloc(1, "fails.c", 1), "fails.c",
                1);                                  /* so the usual path knows the site */
    ERR_raise(ERR_LIB_CRYPTO, ERR_R_MALLOC_FAILURE); /* makes what the thread's errors lie in */
    ERR_clear_error();
    struct snapshot before = now();
    struct rlimit kept;
    assert_int_equal(getrlimit(RLIMIT_AS, &kept), 0);
    assert_int_equal(setrlimit(RLIMIT_AS, &(struct rlimit){1, kept.rlim_max}), 0);
    void *usual = CRYPTO_malloc(INT32_MAX, "fails.c", 1);
    void *rare = CRYPTO_malloc(SIZE_MAX / 2, "fails.c", 2);
    void *wraps = CRYPTO_malloc(SIZE_MAX, "fails.c", 2);
    assert_int_equal(setrlimit(RLIMIT_AS, &kept), 0);
    assert_true(!usual && !rare && !wraps);
    ERR_clear_error();
    struct snapshot after = now();
    assert_int_equal(blocks_at("fails.c", 1, ALL_EPOCHS), 0);
    assert_int_equal(bytes_at("fails.c", 1), 0);
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(after.bytes, before.bytes);
    snapshot_free(&before);
    snapshot_free(&after);
}

/* None of it is touched. */
static void a_block_beyond_4_gib_counts_with_its_size(void **state)
{
    (void)state;
    const size_t huge = (UINT64_C(1) << 32) + 100;
    void *block = CRYPTO_malloc(huge, "huge.c", 1);
    if (!block) { /* a sanitizer's allocator, or a limit */
        print_message("skipped: the machine doesn't give 4 GiB of addresses\n");
        skip();
    }
    assert_int_equal(bytes_at("huge.c", 1), huge);
    block = CRYPTO_realloc(block, huge + 100, "huge.c", 2);
    assert_non_null(block);
    assert_int_equal(bytes_at("huge.c", 1), 0);
    assert_int_equal(bytes_at("huge.c", 2), huge + 100);
    block = CRYPTO_realloc(block, 7, "huge.c", 3);
    assert_int_equal(bytes_at("huge.c", 2), 0);
    assert_int_equal(bytes_at("huge.c", 3), 7);
    CRYPTO_free(block, "huge.c", 4);
    assert_int_equal(bytes_at("huge.c", 3), 0);
    block = CRYPTO_malloc(huge, "huge.c", 1);
    CRYPTO_free(block, "huge.c", 4);
    assert_int_equal(bytes_at("huge.c", 1), 0);
}

static void an_epoch_beyond_the_table_counts_as_the_last_and_is_reported(void **state)
{
    (void)state;
    assert_int_equal(probe_page()->epochs_late, 0);
    probe_page()->epoch = page_epoch_word(PAGE_EPOCHS);
    void *block = CRYPTO_malloc(1, "late.c", 1);
    assert_int_equal(probe_page()->epochs_late, 1);
    assert_int_equal(blocks_at("late.c", 1, PAGE_EPOCHS - 1), 1);
    CRYPTO_free(block, "late.c", 2);
    probe_page()->epoch = page_epoch_word(8);
}

static void libuv_counts_apart_and_its_calloc_gives_zeros(void **state)
{
    (void)state;
    struct snapshot before = now();
    char *dirty = libuv.malloc(4000);
    memset(dirty, 0xff, 4000);
    libuv.free(dirty);
    char *clean = libuv.calloc(100, 40);
    for (size_t i = 0; i < 4000; i++)
        assert_int_equal(clean[i], 0);
    assert_null(libuv.calloc(SIZE_MAX / 2, 3));
    clean = libuv.realloc(clean, 5000);
    struct snapshot during = now();
    assert_int_equal(during.uv_blocks - before.uv_blocks, 1);
    assert_int_equal(during.uv_bytes - before.uv_bytes, 5000);
    assert_int_equal(during.blocks, before.blocks);
    assert_int_equal(during.allocs, before.allocs);
    libuv.free(clean);
    libuv.free(NULL);
    void *grown = libuv.realloc(NULL, 1);
    libuv.free(grown);
    struct snapshot after = now();
    assert_int_equal(after.uv_bytes, before.uv_bytes);
    assert_int_equal(after.frees, before.frees);
    snapshot_free(&before);
    snapshot_free(&during);
    snapshot_free(&after);
}

enum { TRADERS = 4, BOXES = 64, TRADES = 20000 };
static _Atomic(void *) boxes[BOXES];

/* Puts a block of its own into a box and frees what another thread had put there. */
static void *trade(void *seed)
{
    uint32_t random = (uint32_t)(uintptr_t)seed;
    for (int i = 0; i < TRADES; i++) {
        random = random * 1664525u + 1013904223u;
        char *block = CRYPTO_malloc(1 + random % 200, "trade.c", (int)(random >> 28));
        *block = 1;
        if (random & 0x10000)
            block = CRYPTO_realloc(block, 300, "trade.c", 100);
        CRYPTO_free(atomic_exchange(&boxes[random >> 26], block), "trade.c", 200);
    }
    return NULL;
}

static void threads_that_free_each_others_blocks_sum_up_exactly(void **state)
{
    (void)state;
    struct snapshot before = now();
    pthread_t threads[TRADERS];
    for (uintptr_t i = 0; i < TRADERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, trade, (void *)(i + 1)), 0);
    for (int i = 0; i < TRADERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(live_blocks() - before.blocks, BOXES);
    for (int i = 0; i < BOXES; i++)
        CRYPTO_free(atomic_exchange(&boxes[i], NULL), "trade.c", 201);

    struct snapshot after = now();
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(after.bytes, before.bytes);
    assert_int_equal(after.allocs - before.allocs, TRADERS * TRADES);
    assert_int_equal(after.frees - before.frees, TRADERS * TRADES);
    assert_int_equal(after.bad_frees, before.bad_frees);
    snapshot_free(&before);
    snapshot_free(&after);
}

static void *free_one(void *block)
{
    CRYPTO_free(block, "thread.c", 2);
    return NULL;
}

static void run_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
    pthread_join(thread, NULL);
}

static void a_thread_that_ends_leaves_its_slot_to_the_next(void **state)
{
    (void)state;
    int64_t blocks = live_blocks();
    for (int i = 0; i < 3 * PAGE_THREADS; i++)
        run_thread(free_one, CRYPTO_malloc(10, "thread.c", 1));
    assert_int_equal(live_blocks(), blocks);
    assert_int_equal(probe_page()->threads_shared, 0);
    assert_int_equal(probe_page()->slot[PAGE_THREADS - 1].used, 0);
}

static pthread_key_t late_key;
static _Thread_local int late_rounds;

/* Destructors that set their value again run again, in four rounds at most. */
static void free_late(void *block)
{
    CRYPTO_free(block, "thread.c", 4);
    if (--late_rounds > 0)
        pthread_setspecific(late_key, CRYPTO_malloc(10, "thread.c", 3));
}

static void *end_with_late_frees(void *rounds)
{
    late_rounds = (int)(intptr_t)rounds;
    pthread_setspecific(late_key, CRYPTO_malloc(10, "thread.c", 3));
    return NULL;
}

static void a_block_freed_while_its_thread_ends_is_still_counted(void **state)
{
    (void)state;
    int64_t blocks = live_blocks();
    /* Destructors run in the order of the keys: this one after the probe's. */
    assert_int_equal(pthread_key_create(&late_key, free_late), 0);
    for (int i = 0; i < 3 * PAGE_THREADS; i++)
        run_thread(end_with_late_frees, (void *)(intptr_t)(1 + i % 4));
    pthread_key_delete(late_key);
    assert_int_equal(live_blocks(), blocks);
    assert_int_equal(probe_page()->threads_shared, 0);
}

enum { CROWD = PAGE_THREADS + 10 };
static pthread_barrier_t crowd_gate;

static void *join_the_crowd(void *unused)
{
    (void)unused;
    void *block = CRYPTO_malloc(10, "crowd.c", 1);
    pthread_barrier_wait(&crowd_gate);
    CRYPTO_free(CRYPTO_realloc(block, 20, "crowd.c", 2), "crowd.c", 3);
    return NULL;
}

static void threads_beyond_the_slots_share_the_last_one(void **state)
{
    (void)state;
    struct snapshot before = now();
    pthread_t threads[CROWD];
    pthread_barrier_init(&crowd_gate, NULL, CROWD);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, join_the_crowd, NULL), 0);
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&crowd_gate);
    struct snapshot after = now();
    /* The main thread has a slot, threads that end have one (the test before), and the last one is
     * nobody's own. */
    assert_int_equal(after.threads_shared - before.threads_shared, CROWD - (PAGE_THREADS - 3));
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(after.bytes, before.bytes);
    assert_int_equal(after.allocs - before.allocs, CROWD);
    assert_int_equal(after.frees - before.frees, CROWD);
    snapshot_free(&before);
    snapshot_free(&after);
}

/* Fills the table of sites for good: the last test. */
static void sites_beyond_the_table_are_counted_together_and_reported(void **state)
{
    (void)state;
    int64_t blocks = live_blocks();
    void *block[PAGE_SITES];
    assert_int_equal(probe_page()->sites_lost, 0);
    uint64_t known = probe_page()->sites;
    for (int i = 0; i < PAGE_SITES; i++)
        block[i] = CRYPTO_malloc(1, "many.c", 1 + i);
    assert_int_equal(probe_page()->sites, PAGE_SITES);
    assert_int_equal(probe_page()->sites_lost, known);
    assert_int_equal(live_blocks() - blocks, PAGE_SITES);
    assert_int_equal(blocks_at("many.c", 1, -1), 1);
    for (int i = 0; i < PAGE_SITES; i++)
        CRYPTO_free(block[i], "many.c", 0);
    assert_int_equal(live_blocks(), blocks);
}

int main(void)
{
    const struct CMUnitTest unstarted[] = {
        cmocka_unit_test(the_probe_refuses_to_start_after_the_first_allocation),
        cmocka_unit_test(with_the_ledger_off_nothing_is_hooked),
        cmocka_unit_test(the_probe_counts_in_the_page_it_was_given),
        cmocka_unit_test(a_descriptor_that_is_no_page_is_refused),
    };
    const struct CMUnitTest started[] = {
        cmocka_unit_test(a_block_counts_at_its_site_and_epoch_until_it_is_freed),
        cmocka_unit_test(blocks_are_aligned_as_malloc_aligns),
        cmocka_unit_test(totals_count_every_call),
        cmocka_unit_test(zero_and_impossible_sizes_give_null),
        cmocka_unit_test(a_realloc_keeps_the_birth_epoch_and_moves_the_site),
        cmocka_unit_test(realloc_from_null_allocates_and_to_zero_frees),
        cmocka_unit_test(equal_names_behind_other_pointers_are_one_site),
        cmocka_unit_test(a_call_without_a_name_is_counted_too),
        cmocka_unit_test(a_long_path_keeps_its_tail),
        cmocka_unit_test(a_block_without_a_header_is_freed_and_reported),
        cmocka_unit_test(an_allocation_that_fails_leaves_no_trace),
        cmocka_unit_test(a_block_beyond_4_gib_counts_with_its_size),
        cmocka_unit_test(an_epoch_beyond_the_table_counts_as_the_last_and_is_reported),
        cmocka_unit_test(libuv_counts_apart_and_its_calloc_gives_zeros),
        cmocka_unit_test(threads_that_free_each_others_blocks_sum_up_exactly),
        cmocka_unit_test(a_thread_that_ends_leaves_its_slot_to_the_next),
        cmocka_unit_test(a_block_freed_while_its_thread_ends_is_still_counted),
        cmocka_unit_test(threads_beyond_the_slots_share_the_last_one),
        cmocka_unit_test(sites_beyond_the_table_are_counted_together_and_reported),
    };
    int failed = cmocka_run_group_tests_name("before the start", unstarted, NULL, NULL);
    return failed + cmocka_run_group_tests_name("started", started, start, NULL);
}

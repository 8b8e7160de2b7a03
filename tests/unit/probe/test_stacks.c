/* SPDX-License-Identifier: Apache-2.0 */
#include "page/page_file.h"
#include "page/snapshot.h"
#include "probe/ledger.h"
#include "probe/probe.h"
#include "probe/slot.h"
#include "probe/stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>
#include <uv.h>

/* Stands in for libuv's function, so that what the probe hands to libuv can be called directly. */
static uv_malloc_func libuv_malloc;
static uv_free_func libuv_free;

int uv_replace_allocator(uv_malloc_func malloc_fn, uv_realloc_func realloc_fn,
                         uv_calloc_func calloc_fn, uv_free_func free_fn)
{
    (void)realloc_fn;
    (void)calloc_fn;
    libuv_malloc = malloc_fn;
    libuv_free = free_fn;
    return 0;
}

/* Stands in for the unwinder, so that a walk can be made to allocate. Left out of the stacks. */
typedef _Unwind_Reason_Code (*backtrace_fn)(_Unwind_Trace_Fn, void *);
static backtrace_fn real_backtrace;
static int walks;
static bool walk_allocates;

STACKS_OWN _Unwind_Reason_Code _Unwind_Backtrace(_Unwind_Trace_Fn on_frame, void *to)
{
    if (!real_backtrace) /* jemalloc prepares the unwinder before main */
        return _URC_END_OF_STACK;
    __atomic_add_fetch(&walks, 1, __ATOMIC_RELAXED);
    if (walk_allocates)
        CRYPTO_free(CRYPTO_malloc(10, "walk.c", 1), "walk.c", 2);
    return real_backtrace(on_frame, to);
}

static int start(void **state)
{
    (void)state;
    const struct probe_options on = {.ledger = true, .libuv = true};
    *(void **)&real_backtrace = dlsym(RTLD_NEXT, "_Unwind_Backtrace");
    return real_backtrace ? probe_start(-1, &on, NULL) : -1;
}

static struct page_capture *capture(void)
{
    return &probe_page()->capture;
}

/* Makes the site known and asks for its stacks, as the orchestrator does. */
static uint32_t want(const char *file, int line)
{
    void *block = CRYPTO_malloc(1, file, line);
    uint32_t site = ledger_site_of(block);
    CRYPTO_free(block, file, line);
    atomic_fetch_or(&capture()->wanted[site / 64], UINT64_C(1) << site % 64);
    atomic_fetch_or(&probe_page()->epoch, PAGE_EPOCH_CAPTURES);
    return site;
}

static int reset(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAGE_CAPTURE_WORDS; i++)
        capture()->wanted[i] = 0;
    probe_page()->epoch = page_epoch_word(1);
    walk_allocates = false;
    return 0;
}

static struct snapshot_stacks now(void)
{
    struct snapshot_stacks s;
    assert_int_equal(snapshot_stacks_read(probe_page(), &s, NULL), 0);
    return s;
}

struct live {
    int64_t blocks, bytes;
    size_t stacks; /* with live blocks */
};

/* What is live by the stacks of a site, in one birth epoch or, with -1, in all. */
static struct live live_of(uint32_t site, int epoch)
{
    struct snapshot_stacks s = now();
    struct live live = {0};
    for (size_t i = 0; i < s.count; i++) {
        int64_t before = live.blocks;
        for (int c = 0; c < PAGE_EPOCHS && s.stack[i].site == site; c++) {
            if (epoch >= 0 && c != epoch)
                continue;
            live.blocks += s.stack[i].born_blocks[c];
            live.bytes += s.stack[i].born_bytes[c];
        }
        live.stacks += live.blocks != before;
    }
    snapshot_stacks_free(&s);
    return live;
}

static void assert_live(uint32_t site, int epoch, int64_t blocks, int64_t bytes)
{
    struct live live = live_of(site, epoch);
    assert_int_equal(live.blocks, blocks);
    assert_int_equal(live.bytes, bytes);
}

/* The header of a block without a stack. */
static void assert_usual(const void *block, uint32_t size)
{
    const uint32_t *header = (const uint32_t *)block - 4;
    assert_int_equal(header[0], size);
    assert_int_equal(header[3], SLOT_SEAL);
}

static void without_a_wanted_site_no_stack_is_walked(void **state)
{
    (void)state;
    int before = walks;
    void *block = CRYPTO_malloc(10, "quiet.c", 1);
    block = CRYPTO_realloc(block, 20, "quiet.c", 2);
    assert_usual(block, 20);
    CRYPTO_free(block, "quiet.c", 3);
    assert_int_equal(walks, before);
    assert_int_equal(capture()->taken, 0);
}

static void only_wanted_sites_are_walked(void **state)
{
    (void)state;
    uint32_t site = want("wanted.c", 1);
    uint64_t taken = capture()->taken;
    int before = walks;
    void *other = CRYPTO_malloc(10, "other.c", 1);
    assert_int_equal(walks, before);
    assert_usual(other, 10);
    void *block = CRYPTO_malloc(10, "wanted.c", 1);
    assert_int_equal(walks, before + 1);
    assert_int_equal(capture()->taken, taken + 1);
    assert_live(site, -1, 1, 10);
    assert_int_equal(ledger_site_of(block), site);
    CRYPTO_free(block, "wanted.c", 2);
    CRYPTO_free(other, "other.c", 2);
    assert_live(site, -1, 0, 0);
}

static void blocks_count_by_birth_epoch_until_they_are_freed(void **state)
{
    (void)state;
    uint32_t site = want("epochs.c", 1);
    void *block[2];
    for (uint64_t i = 0; i < 2; i++) {
        probe_page()->epoch = page_epoch_word(4 + i) | PAGE_EPOCH_CAPTURES;
        block[i] = CRYPTO_malloc(100, "epochs.c", 1);
    }
    assert_live(site, 4, 1, 100);
    assert_live(site, 5, 1, 100);
    CRYPTO_free(block[0], "epochs.c", 2);
    assert_live(site, 4, 0, 0);
    probe_page()->epoch = page_epoch_word(6);
    CRYPTO_free(block[1], "epochs.c", 2);
    assert_live(site, -1, 0, 0);
}

static void an_epoch_beyond_the_table_counts_as_the_last(void **state)
{
    (void)state;
    uint32_t site = want("late.c", 1);
    probe_page()->epoch = page_epoch_word(PAGE_EPOCHS) | PAGE_EPOCH_CAPTURES;
    void *block = CRYPTO_malloc(10, "late.c", 1);
    assert_live(site, PAGE_EPOCHS - 1, 1, 10);
    CRYPTO_free(block, "late.c", 2);
    assert_live(site, -1, 0, 0);
    probe_page()->epoch = page_epoch_word(PAGE_EPOCHS);
    int before = walks;
    CRYPTO_free(CRYPTO_malloc(10, "late.c", 1), "late.c", 2);
    assert_int_equal(walks, before);
}

static void a_realloc_moves_between_stacks_and_keeps_the_epoch(void **state)
{
    (void)state;
    uint32_t from = want("grow.c", 1), to = want("grow.c", 2);
    probe_page()->epoch = page_epoch_word(7) | PAGE_EPOCH_CAPTURES;
    char *block = CRYPTO_malloc(10, "grow.c", 1);
    block[9] = 'x';
    probe_page()->epoch = page_epoch_word(8) | PAGE_EPOCH_CAPTURES;
    block = CRYPTO_realloc(block, 5000, "grow.c", 2);
    assert_int_equal(block[9], 'x');
    assert_live(from, -1, 0, 0);
    assert_live(to, 7, 1, 5000);
    block = CRYPTO_realloc(block, 20, "unwanted.c", 1);
    assert_live(to, -1, 0, 0);
    assert_usual(block, 20);
    block = CRYPTO_realloc(block, 30, "grow.c", 1);
    assert_live(from, 7, 1, 30);
    CRYPTO_free(block, "grow.c", 3);
    assert_live(from, -1, 0, 0);
}

static void a_realloc_of_a_stacked_block_is_exact_after_the_end_of_the_capture(void **state)
{
    (void)state;
    uint32_t site = want("ended.c", 1);
    void *block = CRYPTO_malloc(10, "ended.c", 1);
    probe_page()->epoch = page_epoch_word(2);
    block = CRYPTO_realloc(block, 20, "ended.c", 1);
    assert_live(site, -1, 0, 0);
    assert_usual(block, 20);
    CRYPTO_free(block, "ended.c", 2);
    assert_live(site, -1, 0, 0);
}

static __attribute__((noinline)) void *make_here(void)
{
    void *block = CRYPTO_malloc(16, "here.c", 1);
    __asm__ volatile("" ::: "memory");
    return block;
}

static const char *name_at(uint64_t address)
{
    Dl_info info;
    memset(&info, 0, sizeof info);
    return dladdr((void *)(uintptr_t)(address - 1), &info) && info.dli_sname ? info.dli_sname : "";
}

static void a_stack_begins_above_the_hook(void **state)
{
    (void)state;
    uint32_t site = want("here.c", 1);
    void *block = make_here();
    struct snapshot_stacks s = now();
    const struct snapshot_stack *stack = NULL;
    for (size_t i = 0; i < s.count; i++) {
        if (s.stack[i].site == site && s.stack[i].born_blocks[1])
            stack = &s.stack[i];
    }
    assert_non_null(stack);
    assert_true(stack->frames >= 3);
    /* CRYPTO_malloc may end in a jump to the hook and then has no frame. */
    size_t first = strcmp(name_at(stack->frame[0]), "CRYPTO_malloc") == 0;
    uint64_t begin = (uint64_t)(uintptr_t)make_here;
    assert_in_range(stack->frame[first], begin, begin + 200);
    snapshot_stacks_free(&s);
    CRYPTO_free(block, "here.c", 2);
}

static void different_callers_are_different_stacks(void **state)
{
    (void)state;
    uint32_t site = want("here.c", 1);
    void *a = make_here();
    void *b = make_here();
    void *again[3];
    /* Volatile: an unrolled loop would be three callers. */
    for (volatile int i = 0; i < 3; i++)
        again[i] = make_here();
    struct live live = live_of(site, -1);
    assert_int_equal(live.blocks, 5);
    assert_int_equal(live.stacks, 3);
    CRYPTO_free(a, "here.c", 2);
    CRYPTO_free(b, "here.c", 2);
    for (int i = 0; i < 3; i++)
        CRYPTO_free(again[i], "here.c", 2);
}

static void a_walk_that_allocates_is_not_walked_again(void **state)
{
    (void)state;
    uint32_t site = want("walk.c", 1), outer = want("outer.c", 1);
    walk_allocates = true;
    int before = walks;
    void *block = CRYPTO_malloc(10, "outer.c", 1);
    assert_int_equal(walks, before + 1);
    assert_live(outer, -1, 1, 10);
    assert_live(site, -1, 0, 0);
    CRYPTO_free(block, "outer.c", 2);
}

static void libuvs_blocks_have_stacks_too(void **state)
{
    (void)state;
    void *known = libuv_malloc(1);
    uint32_t site = ledger_site_of(known);
    libuv_free(known);
    atomic_fetch_or(&capture()->wanted[site / 64], UINT64_C(1) << site % 64);
    atomic_fetch_or(&probe_page()->epoch, PAGE_EPOCH_CAPTURES);
    void *block = libuv_malloc(40);
    assert_live(site, -1, 1, 40);
    libuv_free(block);
    assert_live(site, -1, 0, 0);
}

enum { TRADERS = 4, BOXES = 64, TRADES = 20000 };
static _Atomic(void *) boxes[BOXES];

/* Puts a block of its own into a box and frees what another thread had put there. */
static void *trade(void *seed)
{
    uint32_t random = (uint32_t)(uintptr_t)seed;
    for (int i = 0; i < TRADES; i++) {
        random = random * 1664525u + 1013904223u;
        void *block = CRYPTO_malloc(1 + random % 200, "trade.c", random >> 31 ? 1 : 2);
        if (random & 0x10000)
            block = CRYPTO_realloc(block, 300, "trade.c", 3);
        CRYPTO_free(atomic_exchange(&boxes[random >> 26], block), "trade.c", 4);
    }
    return NULL;
}

/* The ledger's own count of a site. */
static struct live site_live(uint32_t site)
{
    struct snapshot s;
    assert_int_equal(snapshot_read(probe_page(), &s, NULL), 0);
    struct live live = {.blocks = s.site[site].blocks, .bytes = s.site[site].bytes};
    snapshot_free(&s);
    return live;
}

static void stacks_of_threads_that_free_each_others_blocks_sum_up_to_the_site(void **state)
{
    (void)state;
    const uint32_t site[] = {want("trade.c", 1), want("trade.c", 2), want("trade.c", 3)};
    pthread_t threads[TRADERS];
    for (uintptr_t i = 0; i < TRADERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, trade, (void *)(i + 1)), 0);
    for (int i = 0; i < TRADERS; i++)
        pthread_join(threads[i], NULL);
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        struct live live = site_live(site[i]);
        assert_live(site[i], -1, live.blocks, live.bytes);
        sum += live.blocks;
    }
    assert_int_equal(sum, BOXES);
    for (int i = 0; i < BOXES; i++)
        CRYPTO_free(atomic_exchange(&boxes[i], NULL), "trade.c", 5);
    for (int i = 0; i < 3; i++)
        assert_live(site[i], -1, 0, 0);
}

/* Each depth is another stack. */
static __attribute__((noinline)) void *make_at_depth(int depth, int line)
{
    void *block = depth ? make_at_depth(depth - 1, line) : CRYPTO_malloc(1, "deep.c", line);
    __asm__ volatile("" ::: "memory");
    return block;
}

/* A deep stack is cut to its innermost frames. Fills the table for good: the last test. */
static void stacks_beyond_the_table_are_counted(void **state)
{
    (void)state;
    enum { DEPTHS = 20, LINES = 60 };
    static void *block[LINES][DEPTHS];
    uint32_t site[LINES];
    assert_int_equal(capture()->lost, 0);
    uint64_t taken = 0;
    for (int line = 0; line < LINES; line++) {
        site[line] = want("deep.c", 1 + line);
        taken = capture()->taken;
        for (int depth = 0; depth < DEPTHS; depth++)
            block[line][depth] = make_at_depth(depth, 1 + line);
    }
    struct snapshot_stacks after = now();
    assert_int_equal(after.count, PAGE_STACKS);
    assert_true(after.lost > 0);
    assert_live(site[0], -1, DEPTHS, DEPTHS);
    assert_live(site[LINES - 1], -1, 0, 0);
    assert_int_equal(capture()->taken, taken);
    assert_int_equal(ledger_site_of(block[LINES - 1][0]), site[LINES - 1]);
    for (int line = 0; line < LINES; line++) {
        for (int depth = 0; depth < DEPTHS; depth++)
            CRYPTO_free(block[line][depth], "deep.c", 0);
    }
    assert_live(site[0], -1, 0, 0);
    snapshot_stacks_free(&after);
}

/* A page that a broken subject wrote over must not lead its reader out of bounds. */
static void a_broken_page_is_read_within_bounds(void **state)
{
    (void)state;
    int fd;
    struct page *page;
    assert_int_equal(page_file_make(&fd, &page, NULL), 0);
    memset(&page->capture, 0xff, sizeof page->capture);
    page->capture.stack[1].site = 5;
    page->capture.stack[2].site = 6;
    page->capture.stack[2].frames = 0;
    struct snapshot_stacks s;
    assert_int_equal(snapshot_stacks_read(page, &s, NULL), 0);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.stack[0].site, 5);
    assert_int_equal(s.stack[0].frames, PAGE_STACK_FRAMES);
    snapshot_stacks_free(&s);
    page_file_unmap(page);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_wanted_site_no_stack_is_walked, reset),
        cmocka_unit_test_setup(only_wanted_sites_are_walked, reset),
        cmocka_unit_test_setup(blocks_count_by_birth_epoch_until_they_are_freed, reset),
        cmocka_unit_test_setup(an_epoch_beyond_the_table_counts_as_the_last, reset),
        cmocka_unit_test_setup(a_realloc_moves_between_stacks_and_keeps_the_epoch, reset),
        cmocka_unit_test_setup(a_realloc_of_a_stacked_block_is_exact_after_the_end_of_the_capture,
                               reset),
        cmocka_unit_test_setup(a_stack_begins_above_the_hook, reset),
        cmocka_unit_test_setup(different_callers_are_different_stacks, reset),
        cmocka_unit_test_setup(a_walk_that_allocates_is_not_walked_again, reset),
        cmocka_unit_test_setup(libuvs_blocks_have_stacks_too, reset),
        cmocka_unit_test_setup(stacks_of_threads_that_free_each_others_blocks_sum_up_to_the_site,
                               reset),
        cmocka_unit_test_setup(stacks_beyond_the_table_are_counted, reset),
        cmocka_unit_test(a_broken_page_is_read_within_bounds),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/heap.h"
#include "probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { SMALL_BYTES = 200, SMALL_CLASS = 224, LARGE_BYTES = 20000, LARGE_CLASS = 20480 };
enum { BLOCKS = 1000, BIG_BYTES = 64 << 20 };

static int start(void **state)
{
    (void)state;
    const struct probe_options off = {.ledger = false};
    return probe_start(-1, &off, NULL);
}

static void publish(void)
{
    probe_thread_flush();
    probe_publish(true);
}

/* Live regions of a size class; -1 when the page doesn't know the class. */
static int64_t regions(uint64_t size)
{
    const struct page_heap *heap = &probe_page()->process[0].heap;
    for (size_t i = 0; i < PAGE_SIZE_CLASSES; i++) {
        if (heap->class_size[i] == size)
            return (int64_t)heap->class_regions[i];
    }
    return -1;
}

static void without_jemalloc_nothing_is_published(void **state)
{
    (void)state;
    publish();
    assert_int_equal(probe_page()->process[0].heap.present, 0);
    assert_int_equal(probe_page()->process[0].heap.publishes, 0);
}

static void the_figures_are_in_their_natural_order(void **state)
{
    (void)state;
    publish();
    const struct page_heap *heap = &probe_page()->process[0].heap;
    assert_int_equal(heap->present, 1);
    assert_true(heap->allocated > 0);
    assert_true(heap->active >= heap->allocated);
    assert_true(heap->mapped >= heap->active);
    assert_true(heap->resident >= heap->metadata && heap->metadata > 0);
}

static void a_big_block_shows_in_every_figure_but_metadata(void **state)
{
    (void)state;
    const struct page_heap *heap = &probe_page()->process[0].heap;
    publish();
    uint64_t allocated = heap->allocated;
    uint64_t active = heap->active;
    uint64_t mapped = heap->mapped;
    uint64_t resident = heap->resident;
    uint64_t metadata = heap->metadata;
    void *volatile block = calloc(1, BIG_BYTES);
    publish();
    assert_true(heap->allocated - allocated >= BIG_BYTES);
    assert_true(heap->active - active >= BIG_BYTES);
    assert_true(heap->mapped - mapped >= BIG_BYTES);
    assert_true(heap->resident - resident >= BIG_BYTES);
    assert_true(heap->metadata - metadata < BIG_BYTES);
    free(block);
    publish();
    assert_int_equal(heap->allocated, allocated);
}

static void each_publish_is_counted(void **state)
{
    (void)state;
    uint64_t before = probe_page()->process[0].heap.publishes;
    probe_publish(false);
    assert_int_equal(probe_page()->process[0].heap.publishes - before, 1);
}

static void size_classes_ascend_without_a_gap(void **state)
{
    (void)state;
    publish();
    const struct page_heap *heap = &probe_page()->process[0].heap;
    for (size_t i = 1; i < PAGE_SIZE_CLASSES; i++)
        assert_true(heap->class_size[i] > heap->class_size[i - 1]);
}

static void live_regions_follow_the_blocks(void **state)
{
    (void)state;
    static void *volatile block[BLOCKS];
    publish();
    int64_t before = regions(SMALL_CLASS);
    uint64_t allocated = probe_page()->process[0].heap.allocated;
    for (int i = 0; i < BLOCKS; i++)
        block[i] = malloc(SMALL_BYTES);
    publish();
    assert_int_equal(regions(SMALL_CLASS) - before, BLOCKS);
    assert_int_equal(probe_page()->process[0].heap.allocated - allocated, BLOCKS * SMALL_CLASS);
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
    publish();
    assert_int_equal(regions(SMALL_CLASS), before);
}

static void large_classes_are_counted_too(void **state)
{
    (void)state;
    publish();
    int64_t before = regions(LARGE_CLASS);
    void *volatile block = malloc(LARGE_BYTES);
    publish();
    assert_int_equal(regions(LARGE_CLASS) - before, 1);
    free(block);
    publish();
    assert_int_equal(regions(LARGE_CLASS), before);
}

static void a_publish_without_classes_leaves_them_alone(void **state)
{
    (void)state;
    publish();
    int64_t before = regions(LARGE_CLASS);
    void *volatile block = malloc(LARGE_BYTES);
    probe_thread_flush();
    probe_publish(false);
    assert_int_equal(regions(LARGE_CLASS), before);
    free(block);
}

static void another_allocators_malloc_is_no_heap_of_jemallocs(void **state)
{
    (void)state;
    char versions[256];
    assert_non_null(strstr(getenv("LD_PRELOAD"), "libc.so.6"));
    assert_false(heap_present());
    assert_null(heap_version());
    publish();
    assert_int_equal(probe_page()->process[0].heap.present, 0);
    assert_int_equal(probe_page()->process[0].heap.publishes, 0);
    assert_non_null(strstr(probe_versions(versions, sizeof versions), " malloc=glibc-"));
}

/* `test_heap preloaded`, with libc put before jemalloc, as soak --malloc libc does it. */
int main(int argc, char **argv)
{
    const struct CMUnitTest with[] = {
        cmocka_unit_test(the_figures_are_in_their_natural_order),
        cmocka_unit_test(a_big_block_shows_in_every_figure_but_metadata),
        cmocka_unit_test(each_publish_is_counted),
        cmocka_unit_test(size_classes_ascend_without_a_gap),
        cmocka_unit_test(live_regions_follow_the_blocks),
        cmocka_unit_test(large_classes_are_counted_too),
        cmocka_unit_test(a_publish_without_classes_leaves_them_alone),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(without_jemalloc_nothing_is_published),
    };
    const struct CMUnitTest preloaded[] = {
        cmocka_unit_test(another_allocators_malloc_is_no_heap_of_jemallocs),
    };
    if (argc > 1 && strcmp(argv[1], "preloaded") == 0)
        return cmocka_run_group_tests(preloaded, start, NULL);
    return heap_present() ? cmocka_run_group_tests(with, start, NULL)
                          : cmocka_run_group_tests(without, start, NULL);
}

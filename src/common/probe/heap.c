/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/heap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int mallctlnametomib(const char *name, size_t *mib, size_t *mib_length) __attribute__((weak));
int mallctlbymib(const size_t *mib, size_t mib_length, void *old, size_t *old_size, void *new,
                 size_t new_size) __attribute__((weak));

/* MALLCTL_ARENAS_ALL of jemalloc's manual: the sum over all arenas. */
#define ARENAS_ALL "4096"

enum { MIB_ROOM = 8, SMALL_CLASSES = 36 };

/* A name looked up once: by name each call would cost several times as much. */
struct mib {
    const char *name;
    size_t length; /* 0 = not looked up yet */
    size_t part[MIB_ROOM];
};

/* What this thread has ever had from jemalloc, in bytes. */
static uint64_t thread_allocated(void)
{
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    return mallctl("thread.allocated", &bytes, &size, NULL, 0) == 0 ? bytes : 0;
}

/* Whether malloc() is jemalloc's: with another allocator put before it, jemalloc is loaded all the
 * same, and its figures are those of a heap that nobody uses. */
static bool heap_serves(void)
{
    if (!mallctl || !mallctlnametomib || !mallctlbymib)
        return false;
    uint64_t before = thread_allocated();
    void *block = malloc(64);
    __asm__ volatile("" : : "r"(block) : "memory"); /* or the compiler leaves both calls out */
    bool served = block && thread_allocated() != before;
    free(block);
    return served;
}

bool heap_present(void)
{
    enum { UNKNOWN, ABSENT, PRESENT };
    static atomic_int found = UNKNOWN; /* threads that ask at once find the same */
    int known = atomic_load_explicit(&found, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = heap_serves() ? PRESENT : ABSENT;
        atomic_store_explicit(&found, known, memory_order_relaxed);
    }
    return known == PRESENT;
}

const char *heap_version(void)
{
    const char *text = NULL;
    size_t size = sizeof text;
    return heap_present() && mallctl("version", &text, &size, NULL, 0) == 0 ? text : NULL;
}

static bool mib_known(struct mib *m)
{
    if (m->length)
        return true;
    size_t length = MIB_ROOM;
    if (mallctlnametomib(m->name, m->part, &length) != 0)
        return false;
    m->length = length;
    return true;
}

/* The value under `m`; `part` other than 0 is the place of `index` in it. 0 when there is none. */
static size_t mib_read(struct mib *m, size_t part, size_t index)
{
    size_t value = 0;
    size_t size = sizeof value;
    if (!mib_known(m))
        return 0;
    if (part)
        m->part[part] = index;
    return mallctlbymib(m->part, m->length, &value, &size, NULL, 0) == 0 ? value : 0;
}

/* jemalloc's statistics are a copy that is renewed by writing the epoch. */
static void stats_renew(void)
{
    static struct mib epoch = {.name = "epoch"};
    uint64_t any = 1;
    if (mib_known(&epoch))
        mallctlbymib(epoch.part, epoch.length, NULL, NULL, &any, sizeof any);
}

static void publish(page_u64 *to, struct mib *m)
{
    atomic_store_explicit(to, mib_read(m, 0, 0), memory_order_relaxed);
}

static void publish_totals(struct page_heap *heap)
{
    static struct mib allocated = {.name = "stats.allocated"};
    static struct mib active = {.name = "stats.active"};
    static struct mib resident = {.name = "stats.resident"};
    static struct mib mapped = {.name = "stats.mapped"};
    static struct mib retained = {.name = "stats.retained"};
    static struct mib metadata = {.name = "stats.metadata"};
    static struct mib cached = {.name = "stats.arenas." ARENAS_ALL ".tcache_bytes"};
    /* What lies ready in threads' caches is free; jemalloc counts it as allocated. */
    size_t bytes = mib_read(&allocated, 0, 0), ready = mib_read(&cached, 0, 0);
    atomic_store_explicit(&heap->allocated, bytes > ready ? bytes - ready : 0,
                          memory_order_relaxed);
    publish(&heap->active, &active);
    publish(&heap->resident, &resident);
    publish(&heap->mapped, &mapped);
    publish(&heap->retained, &retained);
    publish(&heap->metadata, &metadata);
}

/* Where the figures of a kind of size class are found. */
struct class_kind {
    struct mib size;    /* [2] is the class */
    struct mib regions; /* [4] is the class */
};

static void publish_classes(struct page_heap *heap, struct class_kind *kind, size_t first,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        atomic_store_explicit(&heap->class_size[first + i], mib_read(&kind->size, 2, i),
                              memory_order_relaxed);
        atomic_store_explicit(&heap->class_regions[first + i], mib_read(&kind->regions, 4, i),
                              memory_order_relaxed);
    }
}

static size_t class_count(const char *name, size_t room)
{
    unsigned count = 0;
    size_t size = sizeof count;
    if (mallctl(name, &count, &size, NULL, 0) != 0)
        return 0;
    return count < room ? count : room;
}

static void publish_all_classes(struct page_heap *heap)
{
    static struct class_kind small = {
        .size = {.name = "arenas.bin.0.size"},
        .regions = {.name = "stats.arenas." ARENAS_ALL ".bins.0.curregs"},
    };
    static struct class_kind large = {
        .size = {.name = "arenas.lextent.0.size"},
        .regions = {.name = "stats.arenas." ARENAS_ALL ".lextents.0.curlextents"},
    };
    size_t smalls = class_count("arenas.nbins", SMALL_CLASSES);
    publish_classes(heap, &small, 0, smalls);
    size_t larges = class_count("arenas.nlextents", PAGE_SIZE_CLASSES - smalls);
    publish_classes(heap, &large, smalls, larges);
}

void heap_thread_flush(void)
{
    if (heap_present())
        mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
}

void heap_publish(struct page_heap *heap, bool classes)
{
    if (!heap_present())
        return;
    stats_renew();
    publish_totals(heap);
    if (classes)
        publish_all_classes(heap);
    atomic_store_explicit(&heap->present, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&heap->publishes, 1, memory_order_release);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsoakprobe-malloc.so: malloc() and its family, each a call of the next allocator's function and
 * a count at the site "malloc":0. That next one is the C library's or a preloaded one. It is looked
 * up at the first call, which comes long before our constructor; looking it up allocates nothing.
 *
 * Another malloc may stand before ours: the program's own, or that of a library preloaded before.
 * It goes on to ours, or it doesn't, and then malloc isn't counted at all.
 */
#include "family.h"

#include "blocks.h"
#include "find.h"
#include "preload.h"
#include "probe/site_table.h"
#include "under.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNTED INTERPOSE STACKS_OWN

static uint32_t family_site;

/* ---- the next allocator, and one before ---- */

static void *first_malloc(size_t size);
static void *first_realloc(void *block, size_t size);
static void first_free(void *block);
static void *first_calloc(size_t count, size_t size);
static void *first_memalign(size_t alignment, size_t size);
static void *first_aligned_alloc(size_t alignment, size_t size);
static int first_posix_memalign(void **ret, size_t alignment, size_t size);

static struct {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    void *(*calloc)(size_t count, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    int (*posix_memalign)(void **ret, size_t alignment, size_t size);
} next = {first_malloc,   first_realloc,       first_free,          first_calloc,
          first_memalign, first_aligned_alloc, first_posix_memalign};

/* What the program calls by these names where it isn't ours; NULL: it is. */
static struct {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    void *(*memalign)(size_t alignment, size_t size);
} outer;

static atomic_bool found;

static void find(void *to, const char *name)
{
    void *function = find_behind(name, NULL);
    if (!function)
        abort(); /* no C library */
    memcpy(to, &function, sizeof function);
}

static void find_outer(void *to, const char *name)
{
    void *function = find_before(name);
    memcpy(to, &function, sizeof function);
}

/* What is for OpenSSL comes from where the program may give it back; the hooks count it, so ours
 * doesn't, should it come by. */
static STACKS_OWN void *outer_malloc(size_t size)
{
    bool nested = under_chained;
    under_chained = true;
    void *block = outer.malloc(size);
    under_chained = nested;
    return block;
}

static STACKS_OWN void *outer_realloc(void *block, size_t size)
{
    bool nested = under_chained;
    under_chained = true;
    void *now = outer.realloc(block, size);
    under_chained = nested;
    return now;
}

/* Several threads at once find the same. */
static void find_all(void)
{
    find(&next.malloc, "malloc");
    find(&next.realloc, "realloc");
    find(&next.free, "free");
    find(&next.calloc, "calloc");
    find(&next.memalign, "memalign");
    find(&next.aligned_alloc, "aligned_alloc");
    find(&next.posix_memalign, "posix_memalign");
    find_outer(&outer.malloc, "malloc");
    find_outer(&outer.realloc, "realloc");
    find_outer(&outer.free, "free");
    find_outer(&outer.memalign, "memalign");
    under.malloc = outer.malloc ? outer_malloc : next.malloc;
    under.realloc = outer.realloc ? outer_realloc : next.realloc;
    under.free = outer.free ? outer.free : next.free;
    atomic_store_explicit(&found, true, memory_order_release);
}

static void *first_malloc(size_t size)
{
    find_all();
    return next.malloc(size);
}

static void *first_realloc(void *block, size_t size)
{
    find_all();
    return next.realloc(block, size);
}

static void first_free(void *block)
{
    find_all();
    next.free(block);
}

static void *first_calloc(size_t count, size_t size)
{
    find_all();
    return next.calloc(count, size);
}

static void *first_memalign(size_t alignment, size_t size)
{
    find_all();
    return next.memalign(alignment, size);
}

static void *first_aligned_alloc(size_t alignment, size_t size)
{
    find_all();
    return next.aligned_alloc(alignment, size);
}

static int first_posix_memalign(void **ret, size_t alignment, size_t size)
{
    find_all();
    return next.posix_memalign(ret, alignment, size);
}

static void *first_under_malloc(size_t size)
{
    find_all();
    return under.malloc(size);
}

static void *first_under_realloc(void *block, size_t size)
{
    find_all();
    return under.realloc(block, size);
}

static void first_under_free(void *block)
{
    find_all();
    under.free(block);
}

struct under under = {first_under_malloc, first_under_realloc, first_under_free};

/* ---- counting ---- */

static bool family_counts;

/* A call of malloc() has come to ours and isn't counted. */
static _Thread_local bool family_reached __attribute__((tls_model("initial-exec")));

HOT void *count(void *block, size_t size)
{
    if (LIKELY(family_counts && block && !under_chained))
        blocks_born(block, size, family_site, BLOCK_MALLOC);
    else
        family_reached = true;
    return block;
}

/* Whether what the program calls by the name comes to ours: to be tried, because a tool such as
 * valgrind puts its own into the place of ours. */
static bool is_reached(void)
{
    void *(*volatile by_name)(size_t size) = outer.malloc ? outer.malloc : malloc;
    void (*volatile back)(void *block) = outer.free ? outer.free : free;
    family_reached = false;
    back(by_name(1));
    return family_reached;
}

uint64_t under_start(void)
{
    if (!atomic_load_explicit(&found, memory_order_acquire))
        find_all();
    if (!is_reached())
        return 0;
    family_site = site_find("malloc", 0);
    site_set_apart(family_site);
    return PAGE_PROCESS_MALLOC;
}

void under_count(void)
{
    family_counts = true;
}

COUNTED void *malloc(size_t size)
{
    return count(next.malloc(block_room(size)), size);
}

COUNTED void *calloc(size_t number, size_t size)
{
    size_t bytes;
    if (UNLIKELY(__builtin_mul_overflow(number, size, &bytes)))
        return next.calloc(number, size);
    return count(next.calloc(1, block_room(bytes)), bytes);
}

COUNTED void free(void *block)
{
    if (LIKELY(family_counts && block))
        blocks_end(block);
    next.free(block);
}

COLD void *realloc_to_nothing(void *block)
{
    blocks_end(block);
    return count(next.realloc(block, 0), 0);
}

/* A block of OpenSSL's stays one, whoever makes it larger. */
static STACKS_OWN void *realloc_counted(void *block, size_t size)
{
    struct lifted was = blocks_lift(block);
    void *now = next.realloc(block, block_room(size));
    if (UNLIKELY(!now)) {
        blocks_put_back(block, was);
        return NULL;
    }
    enum block_origin origin = was.word ? blocks_lifted_origin(was) : BLOCK_MALLOC;
    blocks_moved(now, was, size, family_site, origin);
    return now;
}

COUNTED void *realloc(void *block, size_t size)
{
    if (!block)
        return malloc(size);
    if (UNLIKELY(!family_counts || under_chained))
        return next.realloc(block, size ? block_room(size) : 0);
    return size ? realloc_counted(block, size) : realloc_to_nothing(block);
}

COUNTED void *reallocarray(void *block, size_t number, size_t size)
{
    size_t bytes;
    if (!__builtin_mul_overflow(number, size, &bytes))
        return realloc(block, bytes);
    errno = ENOMEM;
    return NULL;
}

COUNTED void *memalign(size_t alignment, size_t size)
{
    return count(next.memalign(alignment, block_room(size)), size);
}

COUNTED void *aligned_alloc(size_t alignment, size_t size)
{
    return count(next.aligned_alloc(alignment, block_room(size)), size);
}

COUNTED int posix_memalign(void **ret, size_t alignment, size_t size)
{
    int code = next.posix_memalign(ret, alignment, block_room(size));
    if (code == 0)
        count(*ret, size);
    return code;
}

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

COUNTED void *valloc(size_t size)
{
    return memalign(page_bytes(), size);
}

COUNTED void *pvalloc(size_t size)
{
    size_t page = page_bytes(), whole;
    if (!__builtin_add_overflow(size, page - 1, &whole))
        return memalign(page, whole / page * page);
    errno = ENOMEM;
    return NULL;
}

/* ---- for C++'s operators ---- */

STACKS_OWN void *family_malloc(size_t size)
{
    if (UNLIKELY(!atomic_load_explicit(&found, memory_order_acquire)))
        find_all();
    return LIKELY(!outer.malloc) ? malloc(size) : outer.malloc(size);
}

STACKS_OWN void *family_memalign(size_t alignment, size_t size)
{
    if (UNLIKELY(!atomic_load_explicit(&found, memory_order_acquire)))
        find_all();
    return LIKELY(!outer.memalign) ? memalign(alignment, size) : outer.memalign(alignment, size);
}

void family_free(void *block)
{
    if (UNLIKELY(!atomic_load_explicit(&found, memory_order_acquire)))
        find_all();
    if (LIKELY(!outer.free))
        free(block);
    else
        outer.free(block);
}

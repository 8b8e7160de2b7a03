/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsoakprobe-malloc.so: malloc() and its family, each a call of the next allocator's function and
 * a count at the site "malloc":0. That next one is the C library's or a preloaded one. It is looked
 * up at the first call, which comes long before our constructor; looking it up allocates nothing.
 */
#include "blocks.h"
#include "find.h"
#include "preload.h"
#include "probe/site_table.h"
#include "under.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNTED INTERPOSE STACKS_OWN

static uint32_t family_site;

/* ---- the next allocator ---- */

static void *first_malloc(size_t size);
static void *first_realloc(void *block, size_t size);
static void first_free(void *block);
static void *first_calloc(size_t count, size_t size);
static void *first_memalign(size_t alignment, size_t size);
static void *first_aligned_alloc(size_t alignment, size_t size);
static int first_posix_memalign(void **ret, size_t alignment, size_t size);

struct under under = {first_malloc, first_realloc, first_free};

/* What OpenSSL's hooks don't need. */
static struct {
    void *(*calloc)(size_t count, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    int (*posix_memalign)(void **ret, size_t alignment, size_t size);
} next = {first_calloc, first_memalign, first_aligned_alloc, first_posix_memalign};

static void find(void *to, const char *name)
{
    void *found = find_behind(name, NULL);
    if (!found)
        abort(); /* no C library */
    memcpy(to, &found, sizeof found);
}

/* Several threads at once find the same. */
static void find_next(void)
{
    find(&under.malloc, "malloc");
    find(&under.realloc, "realloc");
    find(&under.free, "free");
    find(&next.calloc, "calloc");
    find(&next.memalign, "memalign");
    find(&next.aligned_alloc, "aligned_alloc");
    find(&next.posix_memalign, "posix_memalign");
}

static void *first_malloc(size_t size)
{
    find_next();
    return under.malloc(size);
}

static void *first_realloc(void *block, size_t size)
{
    find_next();
    return under.realloc(block, size);
}

static void first_free(void *block)
{
    find_next();
    under.free(block);
}

static void *first_calloc(size_t count, size_t size)
{
    find_next();
    return next.calloc(count, size);
}

static void *first_memalign(size_t alignment, size_t size)
{
    find_next();
    return next.memalign(alignment, size);
}

static void *first_aligned_alloc(size_t alignment, size_t size)
{
    find_next();
    return next.aligned_alloc(alignment, size);
}

static int first_posix_memalign(void **ret, size_t alignment, size_t size)
{
    find_next();
    return next.posix_memalign(ret, alignment, size);
}

/* ---- counting ---- */

uint64_t under_start(void)
{
    family_site = site_find("malloc", 0);
    site_set_apart(family_site);
    return PAGE_PROCESS_MALLOC;
}

HOT void *count(void *block, size_t size)
{
    if (LIKELY(preload_page && block && !under_chained))
        blocks_born(block, size, family_site, BLOCK_MALLOC);
    return block;
}

COUNTED void *malloc(size_t size)
{
    return count(under.malloc(block_room(size)), size);
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
    if (LIKELY(preload_page && block))
        blocks_end(block);
    under.free(block);
}

COLD void *realloc_to_nothing(void *block)
{
    blocks_end(block);
    return count(under.realloc(block, 0), 0);
}

/* A block of OpenSSL's stays one, whoever makes it larger. */
static STACKS_OWN void *realloc_counted(void *block, size_t size)
{
    struct lifted was = blocks_lift(block);
    void *now = under.realloc(block, block_room(size));
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
    if (UNLIKELY(!preload_page || under_chained))
        return under.realloc(block, size ? block_room(size) : 0);
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

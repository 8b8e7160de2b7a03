/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include "blocks.h"
#include "interpose.h"
#include "objects.h"
#include "page/process.h"
#include "preload.h"
#include "probe/site_table.h"
#include "row.h"
#include "shared.h"
#include "under.h"

static struct libcrypto hooked;
static _Atomic enum page_mode reached;
/* The program's own functions; NULL: it has none. */
static struct {
    _Atomic CRYPTO_malloc_fn malloc;
    _Atomic CRYPTO_realloc_fn realloc;
    _Atomic CRYPTO_free_fn free;
} chained;
static uint64_t allocs_at_start;
static bool was_forked;

_Thread_local bool under_chained;

/* ---- the hooks; they behave as OpenSSL's default allocator ---- */

static CRYPTO_malloc_fn chained_malloc(void)
{
    return atomic_load_explicit(&chained.malloc, memory_order_relaxed);
}

/* Blocks that processes share are known to those that are forked after the first of them. */
COLD void look_once(const void *block)
{
    static atomic_flag looked = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&looked) && shared_look(block))
        atomic_store(&preload_page->memory_shared, 1);
}

COLD void *malloc_chained(size_t size, const char *file, int line)
{
    bool nested = under_chained;
    under_chained = true;
    void *block = chained_malloc()(size ? block_room(size) : 0, file, line);
    under_chained = nested;
    if (!block || !size)
        return block;
    look_once(block);
    blocks_born_rare(block, size, site_find(file, line), BLOCK_CHAINED);
    return block;
}

static STACKS_OWN void *hook_malloc(size_t size, const char *file, int line)
{
    if (UNLIKELY(chained_malloc()))
        return malloc_chained(size, file, line);
    if (UNLIKELY(size == 0))
        return NULL;
    void *block = under.malloc(block_room(size));
    if (LIKELY(block))
        blocks_born(block, size, site_find(file, line), BLOCK_OPENSSL);
    return block;
}

/* Whether the program's own functions have the block: they do if it was born so, and if nothing is
 * known of it and all blocks should be theirs. */
static bool is_chained(enum block_origin origin)
{
    return origin == BLOCK_CHAINED || (origin == BLOCK_NONE && chained_malloc());
}

static STACKS_OWN void hook_free(void *block, const char *file, int line)
{
    if (!block)
        return;
    enum block_origin origin = blocks_end(block);
    if (UNLIKELY(is_chained(origin)))
        atomic_load (&chained.free)(block, file, line);
    else
        under.free(block);
}

COLD void *realloc_chained(void *block, size_t size, const char *file, int line)
{
    bool nested = under_chained;
    under_chained = true;
    void *now = atomic_load(&chained.realloc)(block, size, file, line);
    under_chained = nested;
    return now;
}

static STACKS_OWN void *hook_realloc(void *block, size_t size, const char *file, int line)
{
    if (!block)
        return hook_malloc(size, file, line);
    if (size == 0) {
        hook_free(block, file, line);
        return NULL;
    }
    struct lifted was = blocks_lift(block);
    bool theirs = is_chained(blocks_lifted_origin(was));
    void *now = theirs ? realloc_chained(block, block_room(size), file, line)
                       : under.realloc(block, block_room(size));
    if (now)
        blocks_moved(now, was, size, site_find(file, line), theirs ? BLOCK_CHAINED : BLOCK_OPENSSL);
    else
        blocks_put_back(block, was);
    return now;
}

/* ---- the program's own functions ---- */

static uint64_t own_allocs(void)
{
    return snapshot_process_allocs(preload_page, row_pid());
}

/* OpenSSL takes new functions until it first allocates; what the census allocated doesn't count.
 * What they don't replace goes on to malloc(). */
int hooks_chain(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn, CRYPTO_free_fn free_fn)
{
    if (was_forked || own_allocs() != allocs_at_start)
        return 0;
    if (malloc_fn && realloc_fn && free_fn) {
        atomic_store(&chained.free, free_fn);
        atomic_store(&chained.realloc, realloc_fn);
        atomic_store(&chained.malloc, malloc_fn);
        row_show(PAGE_PROCESS_CHAINED, true);
    }
    return 1;
}

static void *plain_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size ? under.malloc(size) : NULL;
}

static void *plain_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return under.realloc(block, size);
}

static void plain_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    under.free(block);
}

void hooks_chained(CRYPTO_malloc_fn *malloc_fn, CRYPTO_realloc_fn *realloc_fn,
                   CRYPTO_free_fn *free_fn)
{
    bool own = chained_malloc() != NULL;
    if (malloc_fn)
        *malloc_fn = own ? atomic_load(&chained.malloc) : plain_malloc;
    if (realloc_fn)
        *realloc_fn = own ? atomic_load(&chained.realloc) : plain_realloc;
    if (free_fn)
        *free_fn = own ? atomic_load(&chained.free) : plain_free;
}

/* Functions that the program has set before we came. OpenSSL's own, as it sees them, may be one
 * that this library has put before it. */
static void chain_earlier(const struct libcrypto *lib)
{
    CRYPTO_malloc_fn malloc_fn = NULL;
    CRYPTO_realloc_fn realloc_fn = NULL;
    CRYPTO_free_fn free_fn = NULL;
    if (lib->get_mem_functions)
        lib->get_mem_functions(&malloc_fn, &realloc_fn, &free_fn);
    if (malloc_fn && malloc_fn != lib->malloc && !find_is_own((uintptr_t)malloc_fn))
        hooks_chain(malloc_fn, realloc_fn, free_fn);
}

/* ---- installing ---- */

bool hooks_are_of(void *set_mem_functions)
{
    return atomic_load_explicit(&reached, memory_order_acquire) == PAGE_MODE_HOOKS &&
           (void *)hooked.set_mem_functions == set_mem_functions;
}

/* The best that `lib` allows; `ret_lib` becomes what the probe calls of it. */
static enum page_mode take(const struct libcrypto *lib, struct libcrypto *ret_lib)
{
    *ret_lib = *lib;
    chain_earlier(lib);
    if (lib->set_mem_functions(hook_malloc, hook_realloc, hook_free))
        return PAGE_MODE_HOOKS;
    row_show(PAGE_PROCESS_LATE, true);
    return interpose_install(lib, ret_lib) ? PAGE_MODE_INTERPOSED : PAGE_MODE_INACTIVE;
}

/* A library that is unloaded and loaded again has forgotten its hooks. */
static bool is_forgotten(const struct libcrypto *lib)
{
    CRYPTO_malloc_fn malloc_fn = hook_malloc;
    CRYPTO_realloc_fn realloc_fn;
    CRYPTO_free_fn free_fn;
    if (atomic_load(&reached) == PAGE_MODE_HOOKS && lib->get_mem_functions)
        lib->get_mem_functions(&malloc_fn, &realloc_fn, &free_fn);
    return malloc_fn != hook_malloc;
}

bool hooks_install(struct page *page, const struct libcrypto *lib)
{
    if (atomic_load(&reached) != PAGE_MODE_INACTIVE && !is_forgotten(lib))
        return true;
    atomic_store(&chained.malloc, NULL);
    enum page_mode mode = lib->set_mem_functions ? take(lib, &hooked) : PAGE_MODE_INACTIVE;
    if (mode == PAGE_MODE_INACTIVE)
        return false;
    atomic_store(&reached, mode);
    objects_start(page, &hooked);
    allocs_at_start = own_allocs();
    row_show_mode(mode);
    return true;
}

void hooks_forked(void)
{
    was_forked = true;
    blocks_forked();
    objects_forked();
}

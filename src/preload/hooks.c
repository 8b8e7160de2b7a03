/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include "blocks.h"
#include "interpose.h"
#include "objects.h"
#include "preload.h"
#include "probe/site_table.h"
#include "probe/walk.h"
#include "row.h"
#include "shared.h"
#include "under.h"

static struct libcrypto hooked;
static _Atomic enum page_mode reached;
static atomic_bool objects_wait;

/* Whether OpenSSL would take memory functions if it weren't for the hooks, and whose it has. It
 * takes them until it first allocates by malloc(). */
static _Atomic enum chain {
    CHAIN_OPEN,
    CHAIN_NONE,  /* closed, and the program has set none: the state of nearly all programs */
    CHAIN_OWN,   /* open, and the program has set some */
    CHAIN_CLOSED /* closed, and the program has set some before, but none for malloc() */
} chain;

/* The program's own functions; NULL: not this one. */
static struct {
    _Atomic CRYPTO_malloc_fn malloc;
    _Atomic CRYPTO_realloc_fn realloc;
    _Atomic CRYPTO_free_fn free;
} own;

_Thread_local bool under_chained;

/* The census allocates, and OpenSSL would not have. */
static _Thread_local bool in_census __attribute__((tls_model("initial-exec")));

/* ---- the functions OpenSSL would have: the program's, and its own for what they leave out ---- */

static enum chain chain_now(void)
{
    return atomic_load_explicit(&chain, memory_order_relaxed);
}

static bool is_chained(void)
{
    return chain_now() >= CHAIN_OWN;
}

/* OpenSSL allocates by malloc(). */
static void chain_close(void)
{
    enum chain now = CHAIN_OPEN;
    if (!in_census && !atomic_compare_exchange_strong(&chain, &now, CHAIN_NONE) && now == CHAIN_OWN)
        atomic_store(&chain, CHAIN_CLOSED);
}

static void *plain_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size)
        chain_close();
    return size ? under.malloc(size) : NULL;
}

static void plain_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    under.free(block);
}

static CRYPTO_malloc_fn next_malloc(void)
{
    CRYPTO_malloc_fn theirs = atomic_load(&own.malloc);
    return theirs ? theirs : plain_malloc;
}

static CRYPTO_free_fn next_free(void)
{
    CRYPTO_free_fn theirs = atomic_load(&own.free);
    return theirs ? theirs : plain_free;
}

static void *plain_realloc(void *block, size_t size, const char *file, int line)
{
    if (!block)
        return next_malloc()(size, file, line);
    if (size)
        return under.realloc(block, size);
    next_free()(block, file, line);
    return NULL;
}

static CRYPTO_realloc_fn next_realloc(void)
{
    CRYPTO_realloc_fn theirs = atomic_load(&own.realloc);
    return theirs ? theirs : plain_realloc;
}

/* ---- blocks of the program's own functions ---- */

/* Blocks that processes share are known to those that are forked after the first of them. */
static void look_once(const void *block)
{
    static atomic_flag looked = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&looked) && shared_look(block))
        atomic_store(&preload_page->memory_shared, 1);
}

/* Whether the program's own functions have the block: they do if it was born so, and if nothing is
 * known of it and all blocks should be theirs. */
static bool is_theirs(enum block_origin origin)
{
    return origin == BLOCK_CHAINED || (origin == BLOCK_NONE && is_chained());
}

COLD void *chained_malloc(size_t size, const char *file, int line)
{
    bool nested = under_chained;
    under_chained = true;
    void *block = next_malloc()(size ? block_room(size) : 0, file, line);
    under_chained = nested;
    if (!block || !size)
        return block;
    look_once(block);
    blocks_born_rare(block, size, site_find(file, line), BLOCK_CHAINED);
    return block;
}

COLD void *next_moves(void *block, size_t size, const char *file, int line)
{
    bool nested = under_chained;
    under_chained = true;
    void *now = next_realloc()(block, size, file, line);
    under_chained = nested;
    return now;
}

/* What a function gives for no bytes is known to it alone. */
COLD void *chained_realloc_to_nothing(void *block, const char *file, int line)
{
    if (!block || is_theirs(blocks_end(block)))
        return next_moves(block, 0, file, line);
    under.free(block);
    return NULL;
}

COLD void *chained_realloc(void *block, size_t size, const char *file, int line)
{
    if (!size)
        return chained_realloc_to_nothing(block, file, line);
    struct lifted was = block ? blocks_lift(block) : (struct lifted){0};
    bool theirs = is_theirs(blocks_lifted_origin(was));
    void *now = theirs ? next_moves(block, block_room(size), file, line)
                       : under.realloc(block, block_room(size));
    if (!now) {
        blocks_put_back(block, was);
        return NULL;
    }
    if (!block)
        look_once(now);
    blocks_moved(now, was, size, site_find(file, line), theirs ? BLOCK_CHAINED : BLOCK_OPENSSL);
    return now;
}

/* ---- the hooks; they behave as OpenSSL's default allocator ---- */

static STACKS_OWN void *counted_malloc(size_t size, const char *file, int line)
{
    void *block = under.malloc(block_room(size));
    if (LIKELY(block))
        blocks_born(block, size, site_find(file, line), BLOCK_OPENSSL);
    return block;
}

COLD void *malloc_rare(size_t size, const char *file, int line)
{
    if (is_chained())
        return chained_malloc(size, file, line);
    if (!size)
        return NULL;
    chain_close();
    return counted_malloc(size, file, line);
}

static STACKS_OWN void *hook_malloc(size_t size, const char *file, int line)
{
    if (UNLIKELY(size == 0 || chain_now() != CHAIN_NONE))
        return malloc_rare(size, file, line);
    return counted_malloc(size, file, line);
}

static STACKS_OWN void hook_free(void *block, const char *file, int line)
{
    if (!block)
        return;
    enum block_origin origin = blocks_end(block);
    if (UNLIKELY(is_theirs(origin)))
        next_free()(block, file, line);
    else
        under.free(block);
}

static STACKS_OWN void *hook_realloc(void *block, size_t size, const char *file, int line)
{
    if (UNLIKELY(is_chained()))
        return chained_realloc(block, size, file, line);
    if (!block)
        return hook_malloc(size, file, line);
    if (size == 0) {
        hook_free(block, file, line);
        return NULL;
    }
    struct lifted was = blocks_lift(block);
    void *now = under.realloc(block, block_room(size));
    if (now)
        blocks_moved(now, was, size, site_find(file, line), BLOCK_OPENSSL);
    else
        blocks_put_back(block, was);
    return now;
}

/* ---- the program's own functions ---- */

static void set_own(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn,
                    CRYPTO_free_fn free_fn)
{
    if (free_fn)
        atomic_store(&own.free, free_fn);
    if (realloc_fn)
        atomic_store(&own.realloc, realloc_fn);
    if (malloc_fn)
        atomic_store(&own.malloc, malloc_fn);
    row_show(PAGE_PROCESS_CHAINED, true);
}

int hooks_chain(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn, CRYPTO_free_fn free_fn)
{
    enum chain now = chain_now();
    if (malloc_fn || realloc_fn || free_fn) {
        now = CHAIN_OPEN;
        if (atomic_compare_exchange_strong(&chain, &now, CHAIN_OWN) || now == CHAIN_OWN)
            set_own(malloc_fn, realloc_fn, free_fn);
    }
    return now == CHAIN_OPEN || now == CHAIN_OWN;
}

void hooks_chained(CRYPTO_malloc_fn *malloc_fn, CRYPTO_realloc_fn *realloc_fn,
                   CRYPTO_free_fn *free_fn)
{
    if (malloc_fn)
        *malloc_fn = next_malloc();
    if (realloc_fn)
        *realloc_fn = next_realloc();
    if (free_fn)
        *free_fn = next_free();
}

/* OpenSSL's own function, as it sees it, may be one that this library has put before it. */
static bool is_set(const void *function, const void *by_default)
{
    return function && function != by_default && !find_is_own((uintptr_t)function);
}

/* Functions that the program has set before we came. */
static void chain_earlier(const struct libcrypto *lib)
{
    CRYPTO_malloc_fn malloc_fn = NULL;
    CRYPTO_realloc_fn realloc_fn = NULL;
    CRYPTO_free_fn free_fn = NULL;
    atomic_store(&own.malloc, NULL);
    atomic_store(&own.realloc, NULL);
    atomic_store(&own.free, NULL);
    atomic_store(&chain, CHAIN_OPEN);
    if (lib->get_mem_functions)
        lib->get_mem_functions(&malloc_fn, &realloc_fn, &free_fn);
    hooks_chain(is_set((void *)malloc_fn, (void *)lib->malloc) ? malloc_fn : NULL,
                is_set((void *)realloc_fn, (void *)lib->realloc) ? realloc_fn : NULL,
                is_set((void *)free_fn, (void *)lib->free) ? free_fn : NULL);
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
    if (atomic_load(&reached) == PAGE_MODE_INTERPOSED)
        return interpose_is_lost(lib);
    if (atomic_load(&reached) == PAGE_MODE_HOOKS && lib->get_mem_functions)
        lib->get_mem_functions(&malloc_fn, &realloc_fn, &free_fn);
    return malloc_fn != hook_malloc;
}

void hooks_lost(void)
{
    atomic_store(&objects_wait, false);
    if (atomic_exchange(&reached, PAGE_MODE_INACTIVE) == PAGE_MODE_INTERPOSED)
        interpose_stop();
}

void hooks_install(const struct libcrypto *lib)
{
    if (atomic_load(&reached) != PAGE_MODE_INACTIVE && !is_forgotten(lib))
        return;
    hooks_lost();
    enum page_mode mode = lib->set_mem_functions ? take(lib, &hooked) : PAGE_MODE_INACTIVE;
    if (mode == PAGE_MODE_INACTIVE)
        return;
    atomic_store(&reached, mode);
    atomic_store(&objects_wait, true);
    row_show_mode(mode);
}

/* ---- objects ---- */

bool hooks_objects_wait(void)
{
    return atomic_load_explicit(&objects_wait, memory_order_relaxed);
}

/* OpenSSL initialises itself under locks and pthread_once(), and allocates there: to be asked for
 * an index then, it would wait for itself. */
static bool is_inside(void)
{
    struct walk walk;
    walk_stack(&walk);
    for (size_t i = 0; i < walk.frames; i++) {
        if (walk.frame[i] > hooked.begin && walk.frame[i] <= hooked.end)
            return true;
    }
    return false;
}

void hooks_objects_start(void)
{
    if (!hooks_objects_wait() || is_inside() || !atomic_exchange(&objects_wait, false))
        return;
    in_census = true;
    objects_start(preload_page, &hooked);
    in_census = false;
}

void hooks_forked(void)
{
    blocks_forked();
    objects_forked();
}

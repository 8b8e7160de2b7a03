/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include "blocks.h"
#include "preload.h"
#include "probe/site_table.h"

#include <openssl/crypto.h>

struct interpose_way interpose_way;

/* libcrypto's. */
static struct {
    CRYPTO_malloc_fn malloc;
    CRYPTO_realloc_fn realloc;
    CRYPTO_free_fn free;
} real;

/* ---- counting ---- */

static STACKS_OWN void *counted_malloc(size_t size, const char *file, int line)
{
    void *block = real.malloc(size ? block_room(size) : 0, file, line);
    if (block)
        blocks_born(block, size, site_find(file, line), BLOCK_OPENSSL);
    return block;
}

static STACKS_OWN void counted_free(void *block, const char *file, int line)
{
    if (block)
        blocks_end(block);
    real.free(block, file, line);
}

static STACKS_OWN void *counted_realloc(void *block, size_t size, const char *file, int line)
{
    if (!block)
        return counted_malloc(size, file, line);
    if (size == 0) {
        counted_free(block, file, line);
        return NULL;
    }
    struct lifted was = blocks_lift(block);
    void *now = real.realloc(block, block_room(size), file, line);
    if (now)
        blocks_moved(now, was, size, site_find(file, line), BLOCK_OPENSSL);
    else
        blocks_put_back(block, was);
    return now;
}

/* ---- trying out ---- */

static _Thread_local int tried_mallocs __attribute__((tls_model("initial-exec")));
static _Thread_local int tried_frees __attribute__((tls_model("initial-exec")));

static void *tried_malloc(size_t size, const char *file, int line)
{
    tried_mallocs++;
    return real.malloc(size, file, line);
}

static void tried_free(void *block, const char *file, int line)
{
    tried_frees++;
    real.free(block, file, line);
}

static void lead(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn, CRYPTO_free_fn free_fn)
{
    atomic_store(&interpose_way.malloc, malloc_fn);
    atomic_store(&interpose_way.realloc, realloc_fn);
    atomic_store(&interpose_way.free, free_fn);
}

/* Whether libcrypto's own calls come here: that of CRYPTO_zalloc to CRYPTO_malloc, and that of
 * CRYPTO_clear_free to CRYPTO_free. They are made in the very file that defines what they call, so
 * those of other files come too. */
static bool comes_here(void)
{
    const void *in_lib = (const void *)(uintptr_t)real.malloc;
    typedef void (*clear_free_fn)(void *block, size_t size, const char *file, int line);
    CRYPTO_malloc_fn zalloc_fn = (CRYPTO_malloc_fn)find_behind("CRYPTO_zalloc", in_lib);
    clear_free_fn clear = (clear_free_fn)find_behind("CRYPTO_clear_free", in_lib);
    if (!zalloc_fn || !clear)
        return false;
    tried_mallocs = tried_frees = 0;
    lead(tried_malloc, real.realloc, tried_free);
    clear(zalloc_fn(BLOCK_LEAST, "", 0), BLOCK_LEAST, "", 0);
    return tried_mallocs == 1 && tried_frees == 1;
}

bool interpose_install(const struct libcrypto *lib, struct libcrypto *ret_lib)
{
    if (!lib->malloc || !lib->realloc || !lib->free)
        return false;
    real.malloc = lib->malloc;
    real.realloc = lib->realloc;
    real.free = lib->free;
    if (!comes_here()) {
        lead(real.malloc, real.realloc, real.free);
        return false;
    }
    *ret_lib = *lib;
    ret_lib->malloc = counted_malloc;
    ret_lib->realloc = counted_realloc;
    ret_lib->free = counted_free;
    lead(counted_malloc, counted_realloc, counted_free);
    return true;
}

bool interpose_is_lost(const struct libcrypto *lib)
{
    return lib->malloc != real.malloc;
}

void interpose_stop(void)
{
    lead(NULL, NULL, NULL);
}

void interpose_let_go(void)
{
    if (atomic_load(&interpose_way.malloc) != counted_malloc)
        lead(NULL, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BoringSSL has no setter of memory functions. It declares these three weakly, and calls them
 * wherever it needs memory if somebody defines them. They are told no file and no line, so all its
 * blocks are of one site, whose call stacks tell the places.
 *
 * Its size stands before each block, as BoringSSL has it there when nobody defines the three. A
 * malloc() of the program's own may have nothing that could be asked, and what the C library's
 * malloc_usable_size() makes of a block that isn't its own is anything.
 */
#include "blocks.h"
#include "objects.h"
#include "preload.h"
#include "probe/site_table.h"
#include "row.h"
#include "under.h"

#include <stdatomic.h>
#include <stddef.h>

void *OPENSSL_memory_alloc(size_t size);
void OPENSSL_memory_free(void *block);
size_t OPENSSL_memory_get_size(void *block);

static _Atomic uint32_t boringssl_site;

COLD uint32_t site_slow(void)
{
    preload_start();
    if (!preload_page)
        return 0;
    row_show(PAGE_PROCESS_NO_OPENSSL, false);
    row_show_mode(PAGE_MODE_BORINGSSL);
    objects_start_unseen(preload_page);
    uint32_t site = site_find("boringssl", 0);
    atomic_store_explicit(&boringssl_site, site, memory_order_relaxed);
    return site;
}

static STACKS_OWN uint32_t site_get(void)
{
    uint32_t site = atomic_load_explicit(&boringssl_site, memory_order_relaxed);
    return LIKELY(site) ? site : site_slow();
}

/* As much as malloc() aligns its blocks to. */
union before {
    size_t size;
    max_align_t align;
};

static union before *before(void *block)
{
    return (union before *)block - 1;
}

static STACKS_OWN void *make(size_t size)
{
    size_t bytes;
    if (__builtin_add_overflow(block_room(size), sizeof(union before), &bytes))
        return NULL;
    union before *made = under.malloc(bytes);
    if (!made)
        return NULL;
    made->size = size;
    return made + 1;
}

INTERPOSE STACKS_OWN void *OPENSSL_memory_alloc(size_t size)
{
    void *block = make(size);
    uint32_t site = site_get();
    if (block && preload_page)
        blocks_born(block, size, site, BLOCK_OPENSSL);
    return block;
}

INTERPOSE void OPENSSL_memory_free(void *block)
{
    if (!block)
        return;
    if (preload_page)
        blocks_end(block);
    under.free(before(block));
}

INTERPOSE size_t OPENSSL_memory_get_size(void *block)
{
    return before(block)->size;
}

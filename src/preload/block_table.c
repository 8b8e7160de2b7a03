/* SPDX-License-Identifier: Apache-2.0 */
#include "block_table.h"

#include <sys/mman.h>

_Atomic(block_entry *) *block_root;

/* Leaves that were mapped at the start and aren't in use yet. */
static char *spare_leaves;
static _Atomic size_t spare_left;

/* Memory that costs address space only, until it is written to. */
static void *reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* Entries lie as far apart as the blocks: huge pages would be filled with zeros. And in a core they
 * say nothing that soak hasn't. */
static void advise(void *at, size_t bytes)
{
    madvise(at, bytes, MADV_NOHUGEPAGE);
    madvise(at, bytes, MADV_DONTDUMP);
}

/* All or none: fewer of them would fit into whatever a limit leaves, and leave nothing of it to the
 * program. Without them each leaf is mapped when there is something to enter. */
static void reserve_leaves(void)
{
    size_t bytes = BLOCK_LEAVES * BLOCK_LEAF_BYTES;
    spare_leaves = reserve(bytes);
    if (!spare_leaves)
        return;
    advise(spare_leaves, bytes);
    atomic_store(&spare_left, BLOCK_LEAVES);
}

bool block_table_start(void)
{
    block_root = reserve(BLOCK_ROOT_BYTES);
    if (!block_root)
        return false;
    advise(block_root, BLOCK_ROOT_BYTES);
    reserve_leaves();
    return true;
}

static block_entry *leaf_take(void)
{
    size_t left = atomic_load(&spare_left);
    while (left && !atomic_compare_exchange_weak(&spare_left, &left, left - 1))
        ;
    return left ? (void *)(spare_leaves + (left - 1) * BLOCK_LEAF_BYTES)
                : reserve(BLOCK_LEAF_BYTES);
}

/* Two threads may need one leaf at a time; the slower one's is left unused, it costs no memory. */
block_entry *block_make(const void *block)
{
    block_entry *entry = block_find(block);
    uintptr_t at = (uintptr_t)block;
    if (entry || at >> BLOCK_ADDRESS_BITS)
        return entry;
    block_entry *none = NULL, *leaf = leaf_take();
    if (!leaf)
        return NULL;
    atomic_compare_exchange_strong(&block_root[at >> BLOCK_LEAF_BITS], &none, leaf);
    return block_find(block);
}

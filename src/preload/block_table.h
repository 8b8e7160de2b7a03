/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of each live block, apart from the blocks: a program may free one of ours with
 * free(), or hand us one from before the hooks, so nothing can lie before a block. Shadow memory: a
 * 64-bit entry for every 16 bytes of the address space, in leaves that are mapped when a block
 * first lies there. One load finds an entry, nothing is ever locked, and two blocks never share
 * one: the hooks ask for BLOCK_LEAST bytes at least.
 *
 * An entry belongs to whoever has its block. It must be taken before the block is given back,
 * because then the address may be another thread's at once.
 */
#ifndef SOAK_PRELOAD_BLOCK_TABLE_H
#define SOAK_PRELOAD_BLOCK_TABLE_H

#include "page/page.h"
#include "probe/count.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic uint64_t block_entry;

/* Whose a block is, that is, who must free it. */
enum block_origin {
    BLOCK_NONE,
    BLOCK_OPENSSL, /* OpenSSL's, from malloc() */
    BLOCK_CHAINED, /* OpenSSL's, from the program's own memory functions */
    BLOCK_MALLOC,  /* the program's, from malloc() */
};

/* An entry, from its lowest bit: cell, number of the call stack, generation, origin, size. 0: no
 * block that is known lies here. */
enum {
    BLOCK_CELL_BITS = 17,
    BLOCK_STACK_BITS = 10,
    BLOCK_GENERATION_BITS = 6,
    BLOCK_ORIGIN_BITS = 2,
    BLOCK_STACK_AT = BLOCK_CELL_BITS,
    BLOCK_GENERATION_AT = BLOCK_STACK_AT + BLOCK_STACK_BITS,
    BLOCK_ORIGIN_AT = BLOCK_GENERATION_AT + BLOCK_GENERATION_BITS,
    BLOCK_SIZE_AT = BLOCK_ORIGIN_AT + BLOCK_ORIGIN_BITS,
    BLOCK_GRANULE_BITS = 4,
    BLOCK_LEAST = 1 << BLOCK_GRANULE_BITS,
    BLOCK_LEAF_BITS = 25, /* of the addresses that a leaf is for */
#ifdef __x86_64__
    BLOCK_ADDRESS_BITS = 47,
#else
    BLOCK_ADDRESS_BITS = 48,
#endif
};

/* What to ask the allocator for: some put two blocks into 16 bytes, and an entry is for one. */
HOT size_t block_room(size_t size)
{
    return size < BLOCK_LEAST ? BLOCK_LEAST : size;
}

/* The size of a block of at least this many bytes stands in the entry of its second 16 bytes. */
#define BLOCK_BIG ((UINT64_C(1) << (64 - BLOCK_SIZE_AT)) - 1)

_Static_assert(PAGE_EPOCHS *PAGE_SITES == 1 << BLOCK_CELL_BITS, "an entry holds any cell");
_Static_assert(PAGE_STACKS < 1 << BLOCK_STACK_BITS, "an entry holds any stack's number");

enum { BLOCK_ROOT_ENTRIES = 1 << (BLOCK_ADDRESS_BITS - BLOCK_LEAF_BITS), BLOCK_LEAVES = 16 };
#define BLOCK_ROOT_BYTES (BLOCK_ROOT_ENTRIES * sizeof(void *))
#define BLOCK_LEAF_BYTES (sizeof(block_entry) << (BLOCK_LEAF_BITS - BLOCK_GRANULE_BITS))
/* What is mapped at the start: the root, and room for BLOCK_LEAVES. */
#define BLOCK_TABLE_BYTES (BLOCK_ROOT_BYTES + BLOCK_LEAVES * BLOCK_LEAF_BYTES)

/* The leaves, by the upper bits of an address. */
extern _Atomic(block_entry *) *block_root;

/* Maps the root, and room for leaves, so that most programs need no system call later. Returns
 * false when the process may not have so much address space. */
bool block_table_start(void);

/* The entry of an address, its leaf mapped if need be; NULL when it can't be. */
block_entry *block_make(const void *block);

/* The entry of an address; NULL when no block has lain near it. */
HOT block_entry *block_find(const void *block)
{
    uintptr_t at = (uintptr_t)block;
    if (UNLIKELY(at >> BLOCK_ADDRESS_BITS))
        return NULL;
    block_entry *leaf =
        atomic_load_explicit(&block_root[at >> BLOCK_LEAF_BITS], memory_order_acquire);
    if (UNLIKELY(!leaf))
        return NULL;
    return leaf + (at >> BLOCK_GRANULE_BITS) % (1 << (BLOCK_LEAF_BITS - BLOCK_GRANULE_BITS));
}

HOT uint64_t block_load(const block_entry *entry)
{
    return atomic_load_explicit(entry, memory_order_relaxed);
}

HOT void block_store(block_entry *entry, uint64_t word)
{
    atomic_store_explicit(entry, word, memory_order_relaxed);
}

/* A cell stands in it as its number. `generation` in its place, as block_generation gives it;
 * `size` at most BLOCK_BIG. */
HOT uint64_t block_word(uint32_t cell, uint64_t generation, enum block_origin origin, uint64_t size)
{
    return cell / (uint32_t)sizeof(struct page_cell) | generation |
           (uint64_t)origin << BLOCK_ORIGIN_AT | size << BLOCK_SIZE_AT;
}

HOT uint32_t block_cell(uint64_t word)
{
    return (uint32_t)(word & ((UINT64_C(1) << BLOCK_CELL_BITS) - 1)) *
           (uint32_t)sizeof(struct page_cell);
}

HOT uint32_t block_stack(uint64_t word)
{
    return (uint32_t)(word >> BLOCK_STACK_AT & ((1 << BLOCK_STACK_BITS) - 1));
}

#define BLOCK_MASK(from, to)  ((UINT64_C(1) << (to)) - (UINT64_C(1) << (from)))
#define BLOCK_STACK_MASK      BLOCK_MASK(BLOCK_STACK_AT, BLOCK_GENERATION_AT)
#define BLOCK_GENERATION_MASK BLOCK_MASK(BLOCK_GENERATION_AT, BLOCK_ORIGIN_AT)

HOT uint64_t block_generation(uint64_t number)
{
    return number % ((1 << BLOCK_GENERATION_BITS) - 1) << BLOCK_GENERATION_AT;
}

/* In the place of a generation: any process may free the block. */
#define BLOCK_ANYBODYS BLOCK_GENERATION_MASK

HOT enum block_origin block_origin_of(uint64_t word)
{
    return (enum block_origin)(word >> BLOCK_ORIGIN_AT & ((1 << BLOCK_ORIGIN_BITS) - 1));
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Births and ends of blocks in a program that we don't build: the block table says what a block is,
 * the page's cells count it. For whatever hook sees the block. Any thread, any signal handler.
 *
 * A block counts in the process that allocated it. One that a forked child inherited is its
 * parent's: its end counts nothing in the child.
 */
#ifndef SOAK_PRELOAD_BLOCKS_H
#define SOAK_PRELOAD_BLOCKS_H

#include "block_table.h"
#include "fork.h"
#include "preload.h"

/* The generation of this process, as entries have it. */
extern uint64_t blocks_own;

/* Called at each block of OpenSSL's while PAGE_EPOCH_TURNS is set; NULL: nobody cares. At those of
 * malloc's too where there are no others. */
extern void (*blocks_on_turn)(void);
extern bool blocks_turn_by_malloc;

/* This process is a forked child. */
void blocks_forked(void);

/* Who counts: a thread without a place gets one, and a child that was forked finds out. */
struct place blocks_place_slow(void);

HOT struct place blocks_place(void)
{
    struct page_thread *slot = slot_own;
    if (LIKELY(slot && fork_unchanged()))
        return (struct place){slot, true};
    return blocks_place_slow();
}

void blocks_born_rare(void *block, size_t size, uint32_t site, enum block_origin origin);

/* A block of `size` bytes, at least BLOCK_LEAST of them its own, was born at a site. */
HOT void blocks_born(void *block, size_t size, uint32_t site, enum block_origin origin)
{
    struct place at = blocks_place();
    block_entry *entry = block_find(block);
    uint64_t word = epoch_word(preload_page);
    if (UNLIKELY(!entry || block_load(entry) || word >= PAGE_EPOCH_END || size >= BLOCK_BIG)) {
        blocks_born_rare(block, size, site, origin);
        return;
    }
    uint32_t cell = cell_of((uint32_t)word, site);
    block_store(entry, block_word(cell, blocks_own, origin, size));
    count_born(at, cell, size);
}

/* The block is about to be given back: takes its entry and counts its end. Returns whose it is;
 * BLOCK_NONE when nothing is known of it. */
enum block_origin blocks_end_rare(block_entry *entry, const void *block);

HOT enum block_origin blocks_end(const void *block)
{
    struct place at = blocks_place();
    block_entry *entry = block_find(block);
    uint64_t word = entry ? block_load(entry) : 0;
    enum block_origin origin = block_origin_of(word);
    if (UNLIKELY((word & (BLOCK_STACK_MASK | BLOCK_GENERATION_MASK)) != blocks_own ||
                 origin == BLOCK_NONE || word >> BLOCK_SIZE_AT == BLOCK_BIG))
        return blocks_end_rare(entry, block);
    block_store(entry, 0);
    count_freed(at, block_cell(word), word >> BLOCK_SIZE_AT);
    return origin;
}

/* Reallocation in two steps, because the old address may be another thread's as soon as the
 * allocator has it: what is known of the block is taken off, and put back in place when the
 * allocator refused, or where the block now lies. */
struct lifted {
    uint64_t word; /* 0: nothing was known */
    uint64_t size;
};

struct lifted blocks_lift(const void *block);
void blocks_put_back(const void *block, struct lifted was);
/* A block keeps its birth epoch and moves to the site of the call; one that isn't this process's
 * own begins to count. */
void blocks_moved(void *block, struct lifted was, size_t size, uint32_t site,
                  enum block_origin origin);

HOT enum block_origin blocks_lifted_origin(struct lifted was)
{
    return block_origin_of(was.word);
}

/* The site where a block was allocated; 0: nothing is known of it. */
uint32_t blocks_site_of(const void *block);
/* Whether a block is known and is an ancestor's of this process. */
bool blocks_is_inherited(const void *block);

#endif

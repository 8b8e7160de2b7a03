/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting a block, whatever knows its size, site and epoch afterwards: a header before it (the
 * ledger of our own programs) or a table apart (programs that we don't build). Inlined into the
 * path of every block.
 */
#ifndef SOAK_PROBE_COUNT_H
#define SOAK_PROBE_COUNT_H

#include "page/page.h"
#include "probe/slot.h"
#include "probe/stacks.h"

#include <stddef.h>

#define HOT  static inline __attribute__((always_inline))
#define COLD static __attribute__((noinline, cold)) STACKS_OWN

/* Where one call counts: the thread's own slot, or the shared one by atomic adds. */
struct place {
    struct page_thread *slot;
    bool own;
};

/* A block, as it counts. */
struct counted {
    uint32_t cell;
    size_t size;
};

/* A cell is named by its distance from a slot's first one, in bytes: of an epoch's word without
 * flags and a site. */
HOT uint32_t cell_of(uint32_t word, uint32_t site)
{
    return word + site * (uint32_t)sizeof(struct page_cell);
}

/* The word of a cell's epoch. */
HOT uint32_t cell_epoch_word(uint32_t cell)
{
    return cell & ~(uint32_t)(PAGE_EPOCH_BYTES - 1);
}

HOT uint32_t cell_epoch(uint32_t cell)
{
    return cell / (uint32_t)PAGE_EPOCH_BYTES;
}

HOT uint32_t cell_site(uint32_t cell)
{
    return cell % (uint32_t)PAGE_EPOCH_BYTES / (uint32_t)sizeof(struct page_cell);
}

_Static_assert((PAGE_EPOCH_BYTES & (PAGE_EPOCH_BYTES - 1)) == 0, "cells are split by shifts");
_Static_assert(PAGE_EPOCH_END < PAGE_EPOCH_CAPTURES, "an epoch leaves room for the flags");

/* So many bytes from the slot's beginning. */
HOT page_u64 *counter_at(struct place at, size_t bytes)
{
    return (page_u64 *)((char *)at.slot + bytes);
}

/* From a cell's counter of blocks to that of their bytes. */
#define CELL_BYTES_AFTER      (2 * sizeof(page_u64))
#define CELL_COUNTER(counter) offsetof(struct page_thread, cell[0][0].counter)
_Static_assert(CELL_COUNTER(made_bytes) - CELL_COUNTER(made) == CELL_BYTES_AFTER &&
                   CELL_COUNTER(freed_bytes) - CELL_COUNTER(freed) == CELL_BYTES_AFTER,
               "blocks and bytes lie alike");

/* `counter`: the CELL_COUNTER of blocks. Each of the two is reached by an address of its own,
 * because the compiler would compute the cell's address first, an instruction more. */
HOT void cell_add(struct place at, size_t cell, size_t counter, uint64_t blocks, uint64_t bytes)
{
    slot_add_u(at.own, counter_at(at, cell + counter), blocks);
    __asm__("" : "+r"(cell));
    slot_add_u(at.own, counter_at(at, cell + counter + CELL_BYTES_AFTER), bytes);
}

HOT void count_born(struct place at, size_t cell, size_t size)
{
    cell_add(at, cell, CELL_COUNTER(made), 1, size);
}

/* Takes back a birth: the block came to nothing. */
HOT void count_unborn(struct place at, size_t cell, size_t size)
{
    cell_add(at, cell, CELL_COUNTER(made), (uint64_t)-1, -(uint64_t)size);
}

HOT void count_freed(struct place at, size_t cell, size_t size)
{
    cell_add(at, cell, CELL_COUNTER(freed), 1, size);
}

HOT void count_moved(struct place at, struct counted from, struct counted to)
{
    count_freed(at, from.cell, from.size);
    count_born(at, to.cell, to.size);
    slot_add_u(at.own, &at.slot->moved[cell_site(to.cell)], 1);
}

/* The page's word: an epoch's below PAGE_EPOCH_END, or anything that takes the rare path. */
HOT uint64_t epoch_word(const struct page *page)
{
    return atomic_load_explicit(&page->epoch, memory_order_relaxed);
}

/* That of the epoch alone: of a word with flags, or beyond the table. */
static inline uint32_t epoch_alone(struct page *page, uint64_t word)
{
    uint64_t epoch = page_epoch(word);
    if (epoch >= PAGE_EPOCHS) {
        atomic_store_explicit(&page->epochs_late, 1, memory_order_relaxed);
        epoch = PAGE_EPOCHS - 1;
    }
    return (uint32_t)page_epoch_word(epoch);
}

#endif

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

#define HOT  static inline __attribute__((always_inline))
#define COLD static __attribute__((noinline, cold)) STACKS_OWN

_Static_assert((PAGE_SITES & (PAGE_SITES - 1)) == 0, "cell numbers are split by shifts");

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

/* The number of a cell within a slot. */
HOT uint32_t cell_of(uint32_t epoch, uint32_t site)
{
    return epoch * PAGE_SITES + site;
}

HOT uint32_t cell_epoch(uint32_t cell)
{
    return cell / PAGE_SITES;
}

HOT uint32_t cell_site(uint32_t cell)
{
    return cell % PAGE_SITES;
}

HOT void cell_add(struct place at, uint32_t cell, int64_t blocks, int64_t bytes)
{
    struct page_cell *c = (struct page_cell *)at.slot->cell + cell;
    slot_add_i(at.own, &c->blocks, blocks);
    slot_add_i(at.own, &c->bytes, bytes);
}

/* The three below: `totals` says whether the thread's totals, which are OpenSSL's alone, count the
 * call too. */
HOT void count_born(struct place at, bool totals, uint32_t cell, size_t size)
{
    cell_add(at, cell, 1, (int64_t)size);
    if (totals) {
        slot_add_u(at.own, &at.slot->allocs, 1);
        slot_add_u(at.own, &at.slot->made[cell_site(cell)], 1);
        slot_add_u(at.own, &at.slot->alloc_bytes, size);
    }
}

HOT void count_freed(struct place at, bool totals, uint32_t cell, size_t size)
{
    cell_add(at, cell, -1, -(int64_t)size);
    if (totals)
        slot_add_u(at.own, &at.slot->frees, 1);
}

HOT void count_moved(struct place at, bool totals, struct counted from, struct counted to)
{
    cell_add(at, from.cell, -1, -(int64_t)from.size);
    cell_add(at, to.cell, 1, (int64_t)to.size);
    if (totals) {
        slot_add_u(at.own, &at.slot->reallocs, 1);
        slot_add_u(at.own, &at.slot->alloc_bytes, to.size);
    }
}

/* The page's word: an epoch below PAGE_EPOCHS, or anything that takes the rare path. */
HOT uint64_t epoch_word(const struct page *page)
{
    return atomic_load_explicit(&page->epoch, memory_order_relaxed);
}

/* Of a word with flags, or beyond the table. */
static inline uint32_t epoch_number(struct page *page, uint64_t word)
{
    uint64_t epoch = page_epoch(word);
    if (epoch < PAGE_EPOCHS)
        return (uint32_t)epoch;
    atomic_store_explicit(&page->epochs_late, 1, memory_order_relaxed);
    return PAGE_EPOCHS - 1;
}

#endif

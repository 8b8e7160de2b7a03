/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include "row.h"
#include "shared.h"

uint64_t blocks_own;
void (*blocks_on_turn)(void);
bool blocks_turn_by_malloc;

void blocks_forked(void)
{
    blocks_own = block_generation(fork_generation());
}

COLD struct place place_of(struct page_thread *slot)
{
    return slot ? (struct place){slot, true} : (struct place){slot_shared(), false};
}

__attribute__((noinline, cold)) STACKS_OWN struct place blocks_place_slow(void)
{
    return place_of(fork_enter());
}

static bool is_own(uint64_t word)
{
    uint64_t generation = word & BLOCK_GENERATION_MASK;
    return word && (generation == blocks_own || generation == BLOCK_ANYBODYS);
}

static block_entry *entry_of(const void *block)
{
    return shared_has(block) ? shared_entry(block) : block_find(block);
}

static block_entry *make_entry(const void *block)
{
    return shared_has(block) ? shared_entry(block) : block_make(block);
}

/* ---- entries that have more than fits ---- */

static bool is_big(uint64_t word)
{
    return word >> BLOCK_SIZE_AT == BLOCK_BIG;
}

static block_entry *second_entry(const void *block)
{
    return make_entry((const char *)block + BLOCK_LEAST);
}

/* Takes an entry off, with its block's size. */
static struct lifted take(block_entry *entry, const void *block)
{
    struct lifted was = {.word = block_load(entry)};
    was.size = was.word >> BLOCK_SIZE_AT;
    if (is_big(was.word)) {
        block_entry *second = second_entry(block);
        was.size = block_load(second);
        block_store(second, 0);
    }
    block_store(entry, 0);
    return was;
}

/* Writes an entry whose word has no size yet. Returns false when there is no place for it. */
static bool put(const void *block, uint64_t word, uint64_t size)
{
    block_entry *entry = make_entry(block);
    block_entry *second = entry && size >= BLOCK_BIG ? second_entry(block) : entry;
    if (!second) {
        atomic_fetch_add_explicit(&preload_page->blocks_lost, 1, memory_order_relaxed);
        return false;
    }
    if (size >= BLOCK_BIG)
        block_store(second, size);
    word |= shared_has(block) ? BLOCK_ANYBODYS : 0;
    block_store(entry, word | (size < BLOCK_BIG ? size : BLOCK_BIG) << BLOCK_SIZE_AT);
    return true;
}

/* ---- births and ends off the usual way ---- */

static void end_counts(struct lifted was)
{
    uint32_t stack = block_stack(was.word), cell = block_cell(was.word);
    if (!is_own(was.word))
        return;
    if (stack)
        stacks_count(stack, cell_epoch(cell), -1, -(int64_t)was.size);
    count_freed(blocks_place(), cell, was.size);
}

static bool is_captured(uint32_t site)
{
    return (epoch_word(preload_page) & PAGE_EPOCH_CAPTURES) && stacks_wanted(site, row_pid());
}

/* Gives a block the present call stack if its site's stacks are wanted. */
static STACKS_OWN void stack_attach(const void *block, uint32_t cell, size_t size)
{
    uint32_t stack = is_captured(cell_site(cell)) ? stacks_take(cell_site(cell)) : 0;
    if (!stack)
        return;
    block_entry *entry = entry_of(block);
    stacks_count(stack, cell_epoch(cell), 1, (int64_t)size);
    block_store(entry, block_load(entry) | (uint64_t)stack << BLOCK_STACK_AT);
}

/* A block was given back unseen, by free(), and its address is another's: its end counts now. */
static void end_unseen(const void *block)
{
    block_entry *entry = entry_of(block);
    if (entry && block_load(entry))
        end_counts(take(entry, block));
}

__attribute__((noinline, cold)) STACKS_OWN void
blocks_born_rare(void *block, size_t size, uint32_t site, enum block_origin origin)
{
    struct place at = blocks_place();
    uint64_t word = epoch_word(preload_page);
    uint32_t cell = cell_of(epoch_alone(preload_page, word), site);
    end_unseen(block);
    if (!put(block, block_word(cell, blocks_own, origin, 0), size))
        return;
    count_born(at, cell, size);
    stack_attach(block, cell, size);
    bool turn = origin != BLOCK_MALLOC || blocks_turn_by_malloc;
    if (word & PAGE_EPOCH_TURNS && turn && blocks_on_turn)
        blocks_on_turn();
}

__attribute__((noinline, cold)) enum block_origin blocks_end_rare(block_entry *entry,
                                                                  const void *block)
{
    if (shared_has(block))
        entry = shared_entry(block);
    if (!entry || !block_load(entry))
        return BLOCK_NONE;
    struct lifted was = take(entry, block);
    end_counts(was);
    return block_origin_of(was.word);
}

/* ---- reallocation ---- */

struct lifted blocks_lift(const void *block)
{
    blocks_place(); /* a forked child finds out before it asks what is its own */
    block_entry *entry = entry_of(block);
    return entry ? take(entry, block) : (struct lifted){0};
}

void blocks_put_back(const void *block, struct lifted was)
{
    if (was.word)
        put(block, was.word & ((UINT64_C(1) << BLOCK_SIZE_AT) - 1), was.size);
}

STACKS_OWN void blocks_moved(void *block, struct lifted was, size_t size, uint32_t site,
                             enum block_origin origin)
{
    if (!is_own(was.word)) {
        blocks_born_rare(block, size, site, origin);
        return;
    }
    struct place at = blocks_place();
    uint32_t from = block_cell(was.word), stack = block_stack(was.word);
    uint32_t cell = cell_of(cell_epoch_word(from), site);
    if (stack)
        stacks_count(stack, cell_epoch(from), -1, -(int64_t)was.size);
    end_unseen(block);
    if (!put(block, block_word(cell, blocks_own, origin, 0), size)) {
        count_freed(at, from, was.size);
        return;
    }
    count_moved(at, (struct counted){from, was.size}, (struct counted){cell, size});
    stack_attach(block, cell, size);
}

/* ---- questions ---- */

static uint64_t word_of(const void *block)
{
    block_entry *entry = entry_of(block);
    return entry ? block_load(entry) : 0;
}

uint32_t blocks_site_of(const void *block)
{
    uint64_t word = word_of(block);
    return word ? cell_site(block_cell(word)) : 0;
}

bool blocks_is_inherited(const void *block)
{
    blocks_place();
    uint64_t word = word_of(block);
    return word && !is_own(word);
}

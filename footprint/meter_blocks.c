/* SPDX-License-Identifier: Apache-2.0 */
#include "meter_blocks.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static struct {
    size_t limit;
    struct meter_block *block; /* [1..limit]; number 0 is none */
    uint32_t *bucket;          /* [limit]: the first of each chain */
    uint32_t used;             /* numbers given out so far */
    uint32_t spare;            /* those dropped, joined by `chain` */
    uint32_t newest;
} table;

/* Shared, so that it isn't part of the process's anonymous private memory, which is measured. */
static void *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

int meter_blocks_open(size_t limit, struct err *e)
{
    table.block = map((limit + 1) * sizeof *table.block);
    table.bucket = map(limit * sizeof *table.bucket);
    if (!table.block || !table.bucket || limit >= UINT32_MAX)
        return err_set(e, "no memory for a table of %zu blocks: %s", limit, strerror(errno));
    table.limit = limit;
    return 0;
}

static uint32_t number_of(const struct meter_block *block)
{
    return (uint32_t)(block - table.block);
}

static struct meter_block *block_at(uint32_t number)
{
    return number ? &table.block[number] : NULL;
}

/* murmur3's finaliser: addresses differ in their middle bits only. */
static uint32_t *bucket_of(const void *at)
{
    uint64_t hash = (uint64_t)(uintptr_t)at;
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 33;
    return &table.bucket[hash % table.limit];
}

static void chain_in(struct meter_block *block, const void *at)
{
    uint32_t *bucket = bucket_of(at);
    block->at = at;
    block->chain = *bucket;
    *bucket = number_of(block);
}

static void chain_out(struct meter_block *block)
{
    uint32_t *link = bucket_of(block->at);
    while (*link != number_of(block))
        link = &table.block[*link].chain;
    *link = block->chain;
}

static void list_out(struct meter_block *block)
{
    if (!block->of_present)
        return;
    if (block->older)
        table.block[block->older].newer = block->newer;
    if (block->newer)
        table.block[block->newer].older = block->older;
    else
        table.newest = block->older;
}

struct meter_block *meter_blocks_add(const void *at)
{
    uint32_t number = table.spare;
    if (!number && table.used == table.limit)
        return NULL;
    if (number)
        table.spare = table.block[number].chain;
    else
        number = ++table.used;
    struct meter_block *block = &table.block[number];
    *block = (struct meter_block){.of_present = true, .older = table.newest};
    if (table.newest)
        table.block[table.newest].newer = number;
    table.newest = number;
    chain_in(block, at);
    return block;
}

struct meter_block *meter_blocks_find(const void *at)
{
    struct meter_block *block = block_at(*bucket_of(at));
    while (block && block->at != at)
        block = block_at(block->chain);
    return block;
}

void meter_blocks_move(struct meter_block *block, const void *to)
{
    chain_out(block);
    chain_in(block, to);
}

void meter_blocks_drop(struct meter_block *block)
{
    chain_out(block);
    list_out(block);
    block->at = NULL;
    block->chain = table.spare;
    table.spare = number_of(block);
}

struct meter_block *meter_blocks_newest(void)
{
    return block_at(table.newest);
}

struct meter_block *meter_blocks_older(const struct meter_block *block)
{
    return block_at(block->older);
}

void meter_blocks_begin(void)
{
    for (struct meter_block *b = meter_blocks_newest(); b; b = meter_blocks_older(b))
        b->of_present = false;
    table.newest = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live blocks of the meter, by address, and in a list those of the present connection. In
 * shared memory of a fixed size. Private to the meter; one thread.
 */
#ifndef SOAK_FOOTPRINT_METER_BLOCKS_H
#define SOAK_FOOTPRINT_METER_BLOCKS_H

#include "base/err.h"
#include "base/footprint_names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct meter_block {
    const void *at;
    uint64_t size;
    uint32_t site;
    uint32_t end;                            /* of birth */
    bool of_present;                         /* made since the last meter_blocks_begin */
    uint32_t chain, older, newer;            /* numbers of blocks, 0 for none */
    uint64_t size_at[FOOTPRINT_STAGE_COUNT]; /* 0: not alive then */
};

/* Returns 0 or -1. */
int meter_blocks_open(size_t limit, struct err *e);

/* Adds a block of the present connection. NULL when the table is full. */
struct meter_block *meter_blocks_add(const void *at);
/* The block at an address, or NULL. Borrowed until it is dropped. */
struct meter_block *meter_blocks_find(const void *at);
/* Gives a block its new address. */
void meter_blocks_move(struct meter_block *block, const void *to);
void meter_blocks_drop(struct meter_block *block);

/* The newest block of the present connection, and the next older one; NULL at the end. */
struct meter_block *meter_blocks_newest(void);
struct meter_block *meter_blocks_older(const struct meter_block *block);
/* Those that are alive belong to no present connection any more. */
void meter_blocks_begin(void);

#endif

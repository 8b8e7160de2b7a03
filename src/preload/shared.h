/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that the processes of a program share. Its own memory functions may give OpenSSL blocks of
 * one MAP_SHARED mapping, in which one process frees what another has allocated (kamailio). What is
 * known of these blocks lies in shared memory too, so that it is known to all of them.
 */
#ifndef SOAK_PRELOAD_SHARED_H
#define SOAK_PRELOAD_SHARED_H

#include "block_table.h"

extern struct shared_range {
    uintptr_t low;
    block_entry *entry;
    _Atomic size_t bytes; /* written last; 0: there is no such memory */
} shared_range;

/* At the first block that a program's own functions give: whether it lies in a shared mapping, of
 * which later children are told. Reads /proc/self/maps; allocates nothing, leaves errno alone, and
 * is no cancellation point. Returns what shared_has says from then on. */
bool shared_look(const void *block);

static inline bool shared_has(const void *block)
{
    size_t bytes = atomic_load_explicit(&shared_range.bytes, memory_order_acquire);
    return (uintptr_t)block - shared_range.low < bytes;
}

/* The entry of a block for which shared_has is true. */
static inline block_entry *shared_entry(const void *block)
{
    return &shared_range.entry[((uintptr_t)block - shared_range.low) >> BLOCK_GRANULE_BITS];
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What snapshot.c and process.c share. */
#ifndef SOAK_PAGE_SNAPSHOT_INTERNAL_H
#define SOAK_PAGE_SNAPSHOT_INTERNAL_H

#include "page/snapshot.h"

#include <stdbool.h>

static inline uint64_t load_u(const page_u64 *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static inline int64_t load_i(const page_i64 *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

/* Copies a name that another process wrote: bounded, terminated, printable. */
void snapshot_copy_name(char *to, const char *from, size_t size);

/* How many epochs, sites of the page's tables have been used. */
size_t snapshot_epochs(const struct page *page);
size_t snapshot_sites(const struct page *page);

#endif

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

/* In a row's pid: somebody is about to fill it. */
#define PAGE_PROCESS_TAKEN UINT64_MAX

/* The number of the process that a row is of; 0: of none. */
static inline uint64_t page_process_pid(const struct page_process *row)
{
    uint64_t pid = atomic_load_explicit(&row->pid, memory_order_acquire);
    return pid == PAGE_PROCESS_TAKEN ? 0 : pid;
}

static inline bool page_process_has_ended(const struct page_process *row)
{
    return load_u(&row->flags) & PAGE_PROCESS_ENDED;
}

/* What of the page's tables has been used: the epochs from the first up to, not with, `epochs`. */
struct snapshot_scope {
    size_t first_epoch, epochs, sites;
    bool told[PAGE_SITES]; /* whether totals have the site */
};
struct snapshot_scope snapshot_scope(const struct page *page);

struct snapshot_totals {
    uint64_t allocs, frees, reallocs, alloc_bytes;
};
/* Adds what a thread did since start. */
void snapshot_totals_add(const struct page_thread *thread, const struct snapshot_scope *scope,
                         struct snapshot_totals *to);
/* Allocations of a thread at a site since start. */
uint64_t snapshot_made(const struct page_thread *thread, const struct snapshot_scope *scope,
                       size_t site);

#endif

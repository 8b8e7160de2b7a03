/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of a probe page as plain numbers. The page is another process's memory: names and counts
 * are checked and bounded here. What is read is exact only when the subject is quiescent.
 */
#ifndef SOAK_PAGE_SNAPSHOT_H
#define SOAK_PAGE_SNAPSHOT_H

#include "base/err.h"
#include "page.h"

#include <stddef.h>

#define SNAPSHOT_COUNTER(counter, moves) uint64_t counter;

/* The page's sums. Owned by the caller: snapshot_free. */
struct snapshot_site {
    char file[PAGE_FILE_BYTES]; /* cleaned: leading ../ removed, always terminated */
    uint32_t line;
    uint64_t made;                    /* allocations since start, of OpenSSL's sites */
    int64_t blocks, bytes;            /* all epochs */
    int64_t born_blocks[PAGE_EPOCHS]; /* live, by birth epoch */
    int64_t born_bytes[PAGE_EPOCHS];
};
struct snapshot_class {
    char name[24];
    int64_t live;
    uint32_t site; /* index in sites, 0 = not known */
};
struct snapshot_cache {
    char name[32];
    uint64_t population, capacity;
};
struct snapshot {
    uint64_t mode;
    uint64_t allocs, frees, reallocs, alloc_bytes;
    int64_t blocks, bytes; /* the ledger's totals, OpenSSL's sites only (not libuv's) */
    int64_t uv_blocks, uv_bytes;
    uint64_t sites_lost, threads_shared, epochs_late, bad_frees, blocks_lost, processes_lost,
        processes_apart;
    size_t sites; /* entries of site[]; index = the page's site number; 0 is "unknown" */
    struct snapshot_site *site;              /* owned; the self-check's sites are empty here */
    struct snapshot_site plant[PAGE_PLANTS]; /* what the self-check planted; in no sum above */
    size_t classes;
    struct snapshot_class class_[PAGE_CLASSES];
    struct snapshot_cache cache[PAGE_CACHES]; /* name[0] == 0: unused */
    struct {
        uint64_t present, allocated, active, resident, mapped, retained, metadata;
        uint64_t class_size[PAGE_SIZE_CLASSES], class_regions[PAGE_SIZE_CLASSES];
    } heap;
    struct {
        PAGE_APP_FIELDS(SNAPSHOT_COUNTER)
    } app;
};
/* Reads the page into `ret`. Exact only when the subject is quiescent. Returns 0, or -1 when out of
 * memory. */
int snapshot_read(const struct page *page, struct snapshot *ret, struct err *e);
void snapshot_free(struct snapshot *s);

/* A copy of the captured call stacks. Owned by the caller: snapshot_stacks_free. */
struct snapshot_stack {
    uint32_t site; /* below PAGE_SITES */
    size_t frames; /* 1 to PAGE_STACK_FRAMES */
    uint64_t frame[PAGE_STACK_FRAMES];
    int64_t born_blocks[PAGE_EPOCHS]; /* live, by birth epoch */
    int64_t born_bytes[PAGE_EPOCHS];
};
struct snapshot_stacks {
    uint64_t taken, lost; /* blocks whose stack was taken, and those that found no place */
    size_t count;
    struct snapshot_stack *stack; /* owned; NULL when there is none */
};
/* Reads the stacks of the page, those without frames left out. As exact as snapshot_read. Returns
 * 0, or -1 when out of memory. */
int snapshot_stacks_read(const struct page *page, struct snapshot_stacks *ret, struct err *e);
void snapshot_stacks_free(struct snapshot_stacks *s);

/* Allocations of all processes, those that have gone too. */
uint64_t snapshot_allocs(const struct page *page);
/* allocs + frees + reallocs + app counters: two equal readings mean that nothing moved between. */
uint64_t snapshot_activity(const struct page *page);

/* Which behaviour ended how many connections of which epoch, out of the client's page. No heap; the
 * struct is large (64 KiB), so it is kept and not put on a stack. */
struct behaviour_table {
    size_t count; /* at most PAGE_BEHAVIOURS; index = the client's number of the behaviour */
    char name[PAGE_BEHAVIOURS][24]; /* printable, terminated */
    uint64_t weight[PAGE_BEHAVIOURS];
    uint64_t begun[PAGE_EPOCHS][PAGE_BEHAVIOURS];
    uint64_t ended[PAGE_EPOCHS][PAGE_BEHAVIOURS];
};

void behaviour_table_read(const struct page *page, struct behaviour_table *ret);

/* Adds the times of handshakes; several threads and processes may. */
void page_times_add(struct page_times *to, const struct hist *times);
void page_times_read(const struct page_times *from, struct hist *ret);

#endif

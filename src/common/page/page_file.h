/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, mapping and reading a probe page from outside the subject (the orchestrator, tests). No
 * hooks here: this target doesn't link OpenSSL.
 */
#ifndef SOAK_PROBE_PAGE_FILE_H
#define SOAK_PROBE_PAGE_FILE_H

#include "base/err.h"
#include "page.h"

#include <stddef.h>

/* Makes an anonymous memory file that holds an empty page. Returns the descriptor (close-on-exec;
 * the caller closes it) and the mapping (page_file_unmap). Returns 0 or -1. */
int page_file_make(int *ret_fd, struct page **ret_page, struct err *e);
/* Maps an existing page after checking magic, version and size. Returns 0 or -1. */
int page_file_map(int fd, struct page **ret_page, struct err *e);
void page_file_unmap(struct page *page);

/* A copy of the page's sums, as plain numbers. Owned by the caller: snapshot_free. */
struct snapshot_site {
    char file[PAGE_FILE_BYTES]; /* cleaned: leading ../ removed, always terminated */
    uint32_t line;
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
    uint64_t mode, epoch;
    uint64_t allocs, frees, reallocs, alloc_bytes;
    int64_t blocks, bytes; /* the ledger's totals, OpenSSL's sites only (not libuv's) */
    int64_t uv_blocks, uv_bytes;
    uint64_t sites_lost, threads_shared, epochs_late, bad_frees;
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
        uint64_t opened, closed, established, in_flight, handshakes, resumed, failed, intended;
        uint64_t due, replaced, p50_ns, p90_ns, p99_ns, max_ns;
        uint64_t fail_connect, fail_handshake, fail_echo, fail_timeout, fail_lost, operations;
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

/* allocs + frees + reallocs + app counters: two equal readings mean that nothing moved between. */
uint64_t snapshot_activity(const struct page *page);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a subject on its page: who has the probe, what one of them holds, and what
 * becomes of the figures of one that has gone. Its memory went back to the kernel with it, so its
 * live blocks and objects no longer count; what it did in its life still does (page.gone).
 *
 * The orchestrator knows a process by pid and start time (/proc/PID/stat) and reaps it once that
 * process has gone. The probe reaps before it takes a row, because what a page says of its own pid
 * is then of an image before exec, or of an earlier process that had the number.
 */
#ifndef SOAK_PAGE_PROCESS_H
#define SOAK_PAGE_PROCESS_H

#include "base/err.h"
#include "page/snapshot.h"

#include <sys/types.h>

/* A row, as plain data. */
struct snapshot_process {
    pid_t pid, parent;
    enum page_mode mode;
    uint64_t flags; /* PAGE_PROCESS_* */
    char name[16];
    char libcrypto[PAGE_FILE_BYTES];
};

/* Copies the rows in use, `ret` having room for PAGE_PROCESSES. Returns how many there are. */
size_t snapshot_processes(const struct page *page, struct snapshot_process *ret);

/* What the threads of one process have allocated since they started, in blocks. */
uint64_t snapshot_process_allocs(const struct page *page, pid_t pid);

/* As snapshot_read, but the threads' counters are those of one process alone: blocks, bytes and
 * objects are what `pid` holds and allocated itself, the heap is its own, and its totals have the
 * self-check's blocks in them. Sites, caches and the application's counters are the subject's. A
 * process without a slot holds nothing. */
int snapshot_read_process(const struct page *page, pid_t pid, struct snapshot *ret, struct err *e);

/* `pid` has gone: its totals go to page.gone, its live counts are cleared, its thread slots and its
 * row are free, and what one process does for all (page.check) is another's. Blocks that
 * it counted in the last slot, which all threads without an own one share, and on captured stacks
 * stay counted. Once it has gone for certain, and by one at a time.
 */
void page_reap(struct page *page, pid_t pid);

/* Takes a row for this process, written but for its pid; page_process_enter shows it. When none is
 * free it is that of a process that has ended. Returns NULL when there is none (counted). */
struct page_process *page_process_take(struct page *page, pid_t parent);
void page_process_enter(struct page_process *row, pid_t pid);

/* This process is about to end: as page_reap, but its row (NULL: it has none) stays until the
 * orchestrator has seen it, or another process needs it. */
void page_process_leave(struct page *page, struct page_process *row, pid_t pid);

#endif

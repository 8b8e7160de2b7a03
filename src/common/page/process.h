/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a subject on its page: who has the probe, what one of them holds, and what
 * becomes of the figures of one that has gone. Its memory went back to the kernel with it, so its
 * live blocks and objects no longer count; what it did in its life still does (page.gone).
 *
 * The orchestrator reaps what a process that has gone left in its name, in rows or in slots: a
 * process may have slots and no row. A number may be another's by then, which is told by the time:
 * what began before the start of the process that has the number now (/proc/PID/stat) isn't its.
 * The probe reaps before it takes a row, because what a page says of its own pid is then of an
 * image before exec, or of an earlier process that had the number. A process of another PID or time
 * namespace is known by neither: it says so (PAGE_PROCESS_APART).
 */
#ifndef SOAK_PAGE_PROCESS_H
#define SOAK_PAGE_PROCESS_H

#include "base/err.h"
#include "page/snapshot.h"

#include <sys/types.h>

/* A row, as plain data. */
struct snapshot_process {
    pid_t pid;
    enum page_mode mode;
    uint64_t flags; /* PAGE_PROCESS_* */
    char name[16];
    char libcrypto[PAGE_FILE_BYTES];
};

/* Copies the rows in use, `ret` having room for PAGE_PROCESSES. Returns how many there are. */
size_t snapshot_processes(const struct page *page, struct snapshot_process *ret);

/* The numbers of all that have a row or a slot, each once. `ret` has room for PAGE_OWNERS. Returns
 * how many there are. */
enum { PAGE_OWNERS = PAGE_PROCESSES + PAGE_THREADS };
size_t page_process_all(const struct page *page, pid_t *ret);

/* The clock of processes' starts: nanoseconds since the machine's. */
uint64_t page_process_now_ns(void);

/* What the threads of one process have allocated since they started, in blocks. */
uint64_t snapshot_process_allocs(const struct page *page, pid_t pid);

/* As snapshot_read, but the threads' counters are those of one process alone: blocks, bytes and
 * objects are what `pid` holds and allocated itself, the heap is its own, and its totals have the
 * self-check's blocks in them. Sites, caches and the application's counters are the subject's. A
 * process without a slot holds nothing. */
int snapshot_read_process(const struct page *page, pid_t pid, struct snapshot *ret, struct err *e);

struct page_reap {
    pid_t pid;
    uint64_t before_ns; /* what began later is another's; UINT64_MAX: all of it */
    pid_t by;           /* this process */
};

/* `pid` has gone: its totals go to page.gone, its live counts are cleared, its thread slots and its
 * row are free, and what one process does for all (page.check) is another's. Blocks on captured
 * stacks stay counted, and those in the last slot, which all threads without an own one share: then
 * it counts as lost. */
void page_reap(struct page *page, const struct page_reap *what);

/* Takes a row for this process, written but for its pid; page_process_enter shows it. When none is
 * free it is that of a process that has ended. Returns NULL when there is none (counted). */
struct page_process *page_process_take(struct page *page, pid_t parent);
void page_process_enter(struct page_process *row, pid_t pid);

/* This process is about to end: as page_reap, but its row (NULL: it has none) stays until the
 * orchestrator has seen it, or another process needs it. */
void page_process_leave(struct page *page, struct page_process *row, pid_t pid);

#endif

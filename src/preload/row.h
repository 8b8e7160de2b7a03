/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of this process in the page: who it is, and how its allocations are seen. A process that
 * found no row counts all the same, but nobody learns how.
 */
#ifndef SOAK_PRELOAD_ROW_H
#define SOAK_PRELOAD_ROW_H

#include "page/page.h"

#include <stdbool.h>
#include <sys/types.h>

/* Once, when the page has come. */
void row_start(struct page *page);
/* This process is a forked child, its number `pid`: a row of its own, like its parent's. */
void row_forked(pid_t pid);

/* The process's number, without asking the kernel. */
pid_t row_pid(void);
/* Where jemalloc's figures of this process go; NULL: nowhere. */
struct page_heap *row_heap(void);
/* What this process holds stays counted when it ends (page.keeper). */
bool row_keeps(void);
/* This process is about to end and holds nothing any more. */
void row_leave(void);

/* The mode that was reached, for the row and for the page. One takes the place of malloc's; a
 * second one, of another library, is a flag of the first; of the same, loaded again, is its own. */
void row_show_mode(enum page_mode mode);
/* Sets or clears flags (PAGE_PROCESS_*). */
void row_show(uint64_t flags, bool on);
/* A thread of this process counts in the slot that all share. Cheap when that is known. */
void row_show_sharing(void);
/* A libcrypto has been found. */
void row_show_libcrypto(const char path[PAGE_FILE_BYTES]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jemalloc's own figures, by mallctl. The functions are weak symbols: a build without jemalloc
 * links, and heap_present is then false. It is false too when jemalloc is loaded but malloc() is
 * another allocator's (soak --malloc libc).
 */
#ifndef SOAK_PROBE_HEAP_H
#define SOAK_PROBE_HEAP_H

#include "page/page.h"

#include <stdbool.h>

bool heap_present(void);

/* Such as "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c", or NULL without jemalloc. Static. */
const char *heap_version(void);

/* Empties this thread's cache. */
void heap_thread_flush(void);

/* The heap profile. Starting forgets what an earlier one kept; every allocation counts. Returns
 * whether this jemalloc can do it. Dumping writes the format of profile/heap_dump.h. */
bool heap_profile_start(void);
bool heap_profile_dump(const char *path);
void heap_profile_stop(void);

/* Refreshes the figures in `heap`; `classes`: the live regions per size class too. One at a time.
 */
void heap_publish(struct page_heap *heap, bool classes);

/*
 * jemalloc's heap profile, ruled by the `settle` line (docs/reference/protocol.md):
 *
 *   heap=start            from here on every allocation's stack is kept
 *   heap=dump file=PATH   writes the live ones to PATH
 *   heap=stop file=PATH   the same, and the end of it
 *
 * Without jemalloc, or one built without profiling, nothing is done and PATH stays empty.
 */
/* Before the threads are told to flush: starts the profile if `line` asks for it, and keeps what it
 * asks for. One thread. */
void profile_begin(const char *line);
/* After all threads have flushed, on the same thread: dumps. */
void profile_end(void);
/* Each thread, at its flush: makes the profile exact from here on. */
void profile_thread_flush(void);

#endif

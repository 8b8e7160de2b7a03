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
#include <stddef.h>

int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
    __attribute__((weak));

bool heap_present(void);

/* Such as "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c", or NULL without jemalloc. Static. */
const char *heap_version(void);

/* Empties this thread's cache. */
void heap_thread_flush(void);

/* Refreshes the figures in `heap`; `classes`: the live regions per size class too. One at a time.
 */
void heap_publish(struct page_heap *heap, bool classes);

#endif

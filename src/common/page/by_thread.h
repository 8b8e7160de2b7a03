/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which thread keeps which blocks, out of a probe page: only the sums over all threads are exact
 * for every block, but what a thread itself made and nobody else freed is told for each.
 */
#ifndef SOAK_PAGE_BY_THREAD_H
#define SOAK_PAGE_BY_THREAD_H

#include "page.h"

#include <stddef.h>

struct by_thread {
    size_t threads, sites;
    uint64_t makes[PAGE_THREADS]; /* a bit per epoch in which a thread made blocks of OpenSSL's */
    uint64_t *kept; /* owned; [sites][threads]: a bit per epoch of birth of which it keeps any.
                     * Where others freed some of an epoch, whose are left isn't known: 0 */
};

/* Threads that found no place of their own are in none of it. Exact only when the subject is
 * quiescent. Fills `ret`, which by_thread_free empties; no threads when out of memory. */
void by_thread_read(const struct page *page, struct by_thread *ret);
void by_thread_free(struct by_thread *b);

#endif

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
    uint64_t *kept; /* owned; [sites][threads]: a bit per epoch of birth of which it keeps any */
    uint64_t passed_on[PAGE_SITES]; /* a bit per epoch of which another thread freed some: whose are
                                     * left isn't known */
};

/* Exact only when the subject is quiescent. Fills `ret`, which by_thread_free empties; with no
 * threads where nothing is known: when out of memory, and when some threads had to share a place.
 */
void by_thread_read(const struct page *page, struct by_thread *ret);
void by_thread_free(struct by_thread *b);

#endif

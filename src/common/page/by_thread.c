/* SPDX-License-Identifier: Apache-2.0 */
#include "by_thread.h"

#include "page/snapshot_internal.h"

#include <stdlib.h>

/* The last slot is shared by all that found no own one. */
enum { SLOTS = PAGE_THREADS - 1 };

/* Returns how many; 0 where not all threads have one. */
static size_t slots_of(const struct page *page, size_t ret[SLOTS])
{
    size_t count = 0;
    if (load_u(&page->slot[SLOTS].used))
        return 0;
    for (size_t i = 0; i < SLOTS; i++) {
        if (load_u(&page->slot[i].used))
            ret[count++] = i;
    }
    return count;
}

/* A bit per epoch of whose blocks the thread keeps some, and of those of others it freed some. */
struct of_site {
    uint64_t kept, freed;
};

static struct of_site of_site(const struct page_thread *thread, size_t epochs, size_t site)
{
    struct of_site s = {0};
    for (size_t epoch = 0; epoch < epochs; epoch++) {
        const struct page_cell *cell = &thread->cell[epoch][site];
        int64_t blocks = (int64_t)(load_u(&cell->made) - load_u(&cell->freed));
        s.kept |= (uint64_t)(blocks > 0) << epoch;
        s.freed |= (uint64_t)(blocks < 0) << epoch;
    }
    return s;
}

static uint64_t made_of(const struct page_thread *thread, const struct snapshot_scope *scope)
{
    uint64_t made = 0;
    for (size_t epoch = scope->first_epoch; epoch < scope->epochs; epoch++) {
        for (size_t i = 0; i < scope->sites; i++)
            made |= (uint64_t)(scope->told[i] && load_u(&thread->cell[epoch][i].made)) << epoch;
    }
    return made;
}

static void read_site(const struct page *page, const size_t *slot, size_t epochs, size_t site,
                      struct by_thread *ret)
{
    uint64_t *kept = &ret->kept[site * ret->threads], freed = 0;
    for (size_t t = 0; t < ret->threads; t++) {
        struct of_site s = of_site(&page->thread[slot[t]], epochs, site);
        kept[t] = s.kept;
        freed |= s.freed;
    }
    ret->passed_on[site] = freed;
}

void by_thread_read(const struct page *page, struct by_thread *ret)
{
    const struct snapshot_scope scope = snapshot_scope(page);
    size_t slot[SLOTS], threads = slots_of(page, slot);
    *ret = (struct by_thread){.kept = calloc(threads * scope.sites + 1, sizeof *ret->kept)};
    if (!ret->kept)
        return;
    ret->threads = threads;
    ret->sites = scope.sites;
    for (size_t t = 0; t < threads; t++)
        ret->makes[t] = made_of(&page->thread[slot[t]], &scope);
    for (size_t i = 0; i < scope.sites; i++)
        read_site(page, slot, scope.epochs, i, ret);
}

void by_thread_free(struct by_thread *b)
{
    free(b->kept);
    *b = (struct by_thread){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe page of a hostile program under test: an empty page with words written into it. The
 * input is a list of (place, value), four and eight bytes: a place says which table, entry and word
 * of it, so that the tables that are read are met more often than the holes between them.
 */
#include "fuzz.h"
#include "page/page_file.h"
#include "page/process.h"
#include "page/snapshot.h"

enum { WORD = 8, ENTRY = 4 + WORD, MOST = 200 };

#define TABLE(member)                                                                              \
    {                                                                                              \
        offsetof(struct page, member), sizeof(((struct page *)0)->member)                          \
    }
static const struct {
    size_t at, bytes;
} table[] = {{0, offsetof(struct page, gone)},
             TABLE(gone),
             TABLE(process),
             TABLE(app),
             TABLE(check),
             TABLE(times),
             TABLE(cache),
             TABLE(class_),
             TABLE(site),
             TABLE(capture),
             TABLE(slot),
             TABLE(thread),
             TABLE(behaviours),
             TABLE(behaviour),
             TABLE(fail),
             TABLE(crash)};

_Static_assert(sizeof table / sizeof *table == 16, "four bits say which");

static void put(uint8_t *page, const uint8_t *entry)
{
    uint32_t where;
    memcpy(&where, entry, sizeof where);
    size_t which = where & 15;
    /* Near a table's begin, or anywhere in it. */
    uint64_t word = where >> 5;
    if (where & 16)
        word *= 257;
    memcpy(page + table[which].at + word * WORD % (table[which].bytes - WORD + 1), entry + 4, WORD);
}

static void read_all(struct page *page)
{
    static struct snapshot_process process[PAGE_PROCESSES];
    static struct behaviour_table behaviours;
    static pid_t owner[PAGE_OWNERS];
    struct snapshot s;
    struct snapshot_stacks stacks;
    struct err e = {{0}};
    if (snapshot_read(page, &s, &e) == 0)
        snapshot_free(&s);
    if (snapshot_stacks_read(page, &stacks, &e) == 0)
        snapshot_stacks_free(&stacks);
    behaviour_table_read(page, &behaviours);
    snapshot_allocs(page);
    snapshot_activity(page);
    size_t owners = page_process_all(page, owner);
    for (size_t i = 0; i < owners && i < 4; i++) {
        snapshot_process_allocs(page, owner[i]);
        if (snapshot_read_process(page, owner[i], &s, &e) == 0)
            snapshot_free(&s);
        page_reap(page, &(struct page_reap){owner[i], UINT64_MAX, 1});
    }
    snapshot_processes(page, process);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct page *page;
    if (!page)
        page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (page == MAP_FAILED)
        abort();
    for (size_t i = 0; i < count / ENTRY && i < MOST; i++)
        put((uint8_t *)page, bytes + i * ENTRY);
    read_all(page);
    madvise(page, sizeof *page, MADV_DONTNEED);
    return 0;
}

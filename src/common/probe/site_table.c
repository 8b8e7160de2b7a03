/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/site_table.h"

#include <stdbool.h>
#include <string.h>

struct site_key site_table[SITE_SLOTS];

static struct page *site_page;
static atomic_size_t site_keys;
/* In an entry's file: somebody fills it. A forked child may keep such an entry for good. */
static const char site_taken[] = "";

/* The page keeps the tail of a long path: the end tells more than the beginning. */
static const char *name_tail(const char *file)
{
    size_t length = strlen(file);
    size_t room = PAGE_FILE_BYTES - 1;
    return length > room ? file + (length - room) : file;
}

/* FNV-1a of the name, then the line. Two sites with one hash of 64 bits are taken for one: among
 * 2048 it won't happen. */
static uint64_t site_key_of(const char *name, int line)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3ull;
    hash = (hash ^ (unsigned int)line) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

static void site_fill(size_t index, const char *name, int line)
{
    struct page_site *site = &site_page->site[index];
    site->line = (uint64_t)(unsigned int)line;
    memcpy(site->file, name, strlen(name) + 1);
    atomic_store_explicit(&site->ready, 1, memory_order_release);
    uint64_t sites = atomic_load_explicit(&site_page->sites, memory_order_relaxed);
    while (sites <= index && !atomic_compare_exchange_weak(&site_page->sites, &sites, index + 1))
        ;
}

void site_table_init(struct page *page)
{
    uint64_t none = 0;
    site_page = page;
    if (atomic_compare_exchange_strong(&page->site[0].key, &none, 1))
        site_fill(0, "unknown", 0);
}

void site_set_apart(uint32_t site)
{
    atomic_store_explicit(&site_page->site[site].apart, 1, memory_order_relaxed);
}

/* The site of that name and line, added when there is room; 0 when there is none. Entries are taken
 * in their order, so who comes to a free one has seen all others; and who loses it to another that
 * wants the same site need not wait until that has filled it. */
static uint32_t site_by_name(const char *name, int line)
{
    uint64_t key = site_key_of(name, line);
    for (size_t i = 1; i < PAGE_SITES; i++) {
        page_u64 *at = &site_page->site[i].key;
        uint64_t has = atomic_load_explicit(at, memory_order_relaxed);
        if (has == 0 && atomic_compare_exchange_strong(at, &has, key)) {
            site_fill(i, name, line);
            return (uint32_t)i;
        }
        if (has == key)
            return (uint32_t)i;
    }
    return 0;
}

/* The entry of (file, line), or the empty one where it belongs. A quarter of the table is always
 * empty, so the walk ends. */
static struct site_key *key_seek(const char *file, int line, bool *ret_found)
{
    for (uint32_t i = site_hash(file, line);; i = (i + 1) % SITE_SLOTS) {
        struct site_key *key = &site_table[i];
        const char *has = atomic_load_explicit(&key->file, memory_order_acquire);
        *ret_found = has == file && key->line == line;
        if (*ret_found || !has)
            return key;
    }
}

/* An entry for (file, line): taken by this thread, or found after all. NULL when the table is full.
 */
static struct site_key *key_take(const char *file, int line, bool *ret_found)
{
    if (atomic_fetch_add_explicit(&site_keys, 1, memory_order_relaxed) >= SITE_SLOTS / 4 * 3) {
        atomic_fetch_sub_explicit(&site_keys, 1, memory_order_relaxed);
        return NULL;
    }
    for (;;) {
        struct site_key *key = key_seek(file, line, ret_found);
        const char *none = NULL;
        if (*ret_found || atomic_compare_exchange_strong(&key->file, &none, site_taken))
            return key;
    }
}

/* Two threads may enter the same (file, line) twice: both entries lead to one site. */
static uint32_t site_insert(const char *file, int line)
{
    bool found;
    uint32_t site = site_by_name(name_tail(file), line);
    struct site_key *key = site ? key_take(file, line, &found) : NULL;
    if (!key || found)
        return site;
    key->line = line;
    key->cell = cell_of(0, site);
    atomic_store_explicit(&key->file, file, memory_order_release);
    return site;
}

__attribute__((noinline)) uint32_t site_find_slow(const char *file, int line)
{
    bool found;
    if (!file)
        file = "";
    struct site_key *key = key_seek(file, line, &found);
    uint32_t site = found ? cell_site(key->cell) : site_insert(file, line);
    if (site == 0)
        atomic_fetch_add_explicit(&site_page->sites_lost, 1, memory_order_relaxed);
    return site;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/site_table.h"

#include <sched.h>
#include <stdbool.h>
#include <string.h>

struct site_key site_table[SITE_SLOTS];

static struct page *site_page;
static atomic_flag site_lock = ATOMIC_FLAG_INIT;
static size_t site_keys; /* under site_lock */

/* The page keeps the tail of a long path: the end tells more than the beginning. */
static const char *name_tail(const char *file)
{
    size_t length = strlen(file);
    size_t room = PAGE_FILE_BYTES - 1;
    return length > room ? file + (length - room) : file;
}

static uint32_t site_append(size_t index, const char *name, int line)
{
    struct page_site *site = &site_page->site[index];
    site->line = (uint64_t)(unsigned int)line;
    memcpy(site->file, name, strlen(name) + 1);
    atomic_store_explicit(&site->ready, 1, memory_order_release);
    atomic_store_explicit(&site_page->sites, index + 1, memory_order_release);
    return (uint32_t)index;
}

void site_table_init(struct page *page)
{
    site_page = page;
    site_append(0, "unknown", 0);
}

/* The site of that name and line, added when there is room; 0 when there is none. Needs site_lock.
 */
static uint32_t site_by_name(const char *name, int line)
{
    size_t count = (size_t)atomic_load_explicit(&site_page->sites, memory_order_relaxed);
    for (size_t i = 1; i < count && i < PAGE_SITES; i++) {
        const struct page_site *site = &site_page->site[i];
        if (site->line == (uint64_t)(unsigned int)line && strcmp(site->file, name) == 0)
            return (uint32_t)i;
    }
    return count < PAGE_SITES ? site_append(count, name, line) : 0;
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

static uint32_t site_insert(const char *file, int line)
{
    bool found;
    struct site_key *key = key_seek(file, line, &found);
    if (found)
        return key->site;
    if (site_keys >= SITE_SLOTS / 4 * 3)
        return 0;
    uint32_t site = site_by_name(name_tail(file), line);
    if (site == 0)
        return 0;
    key->line = line;
    key->site = site;
    atomic_store_explicit(&key->file, file, memory_order_release);
    site_keys++;
    return site;
}

__attribute__((noinline)) uint32_t site_find_slow(const char *file, int line)
{
    bool found;
    if (!file)
        file = "";
    struct site_key *key = key_seek(file, line, &found);
    if (found)
        return key->site;
    while (atomic_flag_test_and_set_explicit(&site_lock, memory_order_acquire))
        sched_yield();
    uint32_t site = site_insert(file, line);
    atomic_flag_clear_explicit(&site_lock, memory_order_release);
    if (site == 0)
        atomic_fetch_add_explicit(&site_page->sites_lost, 1, memory_order_relaxed);
    return site;
}

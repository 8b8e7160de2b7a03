/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the (file, line) that OpenSSL passes to the hooks to the number of a site in the page. The
 * key is the pointer, not the text: comparing text on every allocation would cost more than all
 * the rest. Several pointers with equal text (one header, many objects) lead to the same site. The
 * table is the process's own, only ever grows, and has no lock, nor has the page's list of sites,
 * which several processes may fill: a signal handler or a forked child may come at any moment.
 */
#ifndef SOAK_PROBE_SITE_TABLE_H
#define SOAK_PROBE_SITE_TABLE_H

#include "page/page.h"
#include "probe/count.h"

#include <stdbool.h>
#include <stdint.h>

enum { SITE_SLOTS = 8192 };

/* `file` is written last; until then the entry is nobody's. An empty entry reads as (NULL, 0) ->
 * site 0. */
struct site_key {
    _Atomic(const char *) file;
    int line;
    uint32_t cell; /* the site's, in the first epoch: cell_of */
};

extern struct site_key site_table[SITE_SLOTS];

/* Names site 0 in `page` and makes it the place of new sites. Once, before the hooks. */
void site_table_init(struct page *page);

/* The blocks of `site` are in no total. */
void site_set_apart(uint32_t site);

/* Finds or adds what isn't at its first place in the table. 0 when there is no room. */
uint32_t site_find_slow(const char *file, int line);

/* Spreads the lines of a file by an odd factor. The lowest four bits are left out: names are longer
 * than that, and the entry's address is then the masked sum itself. */
static inline uint32_t site_hash(const char *file, int line)
{
    uint32_t sum = (uint32_t)(uintptr_t)file + (uint32_t)line * 0x9e3779b1u;
    return sum / (uint32_t)sizeof(struct site_key) % SITE_SLOTS;
}

/* Where (file, line) is in the table as a rule, and whether it is. */
static inline const struct site_key *site_key_at(const char *file, int line)
{
    return &site_table[site_hash(file, line)];
}

static inline bool site_key_is(const struct site_key *key, const char *file, int line)
{
    return LIKELY(atomic_load_explicit(&key->file, memory_order_acquire) == file &&
                  key->line == line);
}

static inline uint32_t site_find(const char *file, int line)
{
    const struct site_key *key = site_key_at(file, line);
    return site_key_is(key, file, line) ? cell_site(key->cell) : site_find_slow(file, line);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "torture_ledger.h"

#include <stdlib.h>
#include <string.h>

static bool is_libuv(const struct snapshot_site *site)
{
    return site->line == 0 && strcmp(site->file, "libuv") == 0;
}

static bool is_larger(const struct kept_site *a, const struct kept_site *b)
{
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->blocks > b->blocks;
}

/* Keeps the largest, in order. */
static void add_site(struct kept *k, const struct kept_site *site)
{
    size_t at = k->sites;
    while (at > 0 && is_larger(site, &k->site[at - 1]))
        at--;
    if (k->sites == KEPT_SITES)
        k->more_sites++;
    else
        k->sites++;
    if (at == KEPT_SITES)
        return;
    memmove(&k->site[at + 1], &k->site[at], (k->sites - 1 - at) * sizeof *site);
    k->site[at] = *site;
}

void kept_compare(const struct snapshot *before, const struct snapshot *after, struct kept *ret)
{
    *ret = (struct kept){0};
    for (size_t i = 1; i < after->sites; i++) {
        const struct snapshot_site *now = &after->site[i];
        const struct snapshot_site none = {.line = 0};
        const struct snapshot_site *then = i < before->sites ? &before->site[i] : &none;
        struct kept_site more = {.site = i,
                                 .line = now->line,
                                 .blocks = now->blocks - then->blocks,
                                 .bytes = now->bytes - then->bytes};
        if (is_libuv(now) || (more.blocks == 0 && more.bytes == 0))
            continue;
        ret->blocks += more.blocks;
        ret->bytes += more.bytes;
        memcpy(more.file, now->file, sizeof more.file);
        if (more.blocks > 0 || more.bytes > 0)
            add_site(ret, &more);
    }
}

bool kept_any(const struct kept *k)
{
    return k->blocks > 0 || (k->blocks == 0 && k->bytes > 0);
}

bool kept_same(const struct kept *a, const struct kept *b)
{
    if (a->blocks != b->blocks || a->sites != b->sites || a->more_sites != b->more_sites)
        return false;
    for (size_t i = 0; i < a->sites; i++) {
        bool found = false;
        for (size_t j = 0; j < b->sites; j++)
            found |= a->site[i].site == b->site[j].site && a->site[i].blocks == b->site[j].blocks;
        if (!found)
            return false;
    }
    return true;
}

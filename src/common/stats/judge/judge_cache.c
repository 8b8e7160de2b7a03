/* SPDX-License-Identifier: Apache-2.0 */
/* Caches that the subject declares: a population, a capacity. */
#include "judge_internal.h"

#include <stdlib.h>

static int64_t population_at(const struct judge_cache *k, size_t checkpoint)
{
    return checkpoint == SIZE_MAX ? 0 : (int64_t)k->population[checkpoint];
}

static int64_t population_growth(const struct judge_context *h, const struct judge_cache *k)
{
    return population_at(k, h->last) - population_at(k, h->base);
}

/* k entries to a block or k blocks to an entry, k a whole number: TLS 1.3 puts two sessions of one
 * connection into the cache, allocated at two different places. */
static bool whole_ratio(int64_t growth, int64_t population, int64_t slack)
{
    int64_t large = growth > population ? growth : population;
    int64_t small = growth > population ? population : growth;
    int64_t k = (large + small / 2) / small;
    return llabs(large - k * small) <= slack * k;
}

static bool follows(const struct judge_context *h, const struct judge_site *s,
                    const struct judge_cache *k)
{
    int64_t growth = growth_of(h, s->blocks), population = population_growth(h, k);
    int64_t slack = growth / 50 > 2 ? growth / 50 : 2;
    if (growth <= 0 || population <= 0 || !whole_ratio(growth, population, slack))
        return false;
    for (size_t c = h->base == SIZE_MAX ? 0 : h->base; c <= h->last; c++) {
        double grown = (double)(s->blocks[c] - at_base(h, s->blocks));
        double share =
            (double)(population_at(k, c) - population_at(k, h->base)) / (double)population;
        if (llabs((int64_t)(grown - share * (double)growth)) > slack)
            return false;
    }
    return true;
}

enum cache_fit cache_fits(const struct judge_context *h, const struct judge_site *s,
                          size_t *ret_cache)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        if (!follows(h, s, k))
            continue;
        *ret_cache = i;
        if (k->capacity == 0)
            return CACHE_FITS_UNBOUNDED;
        return k->population[h->last] > k->capacity ? CACHE_FITS_OVER : CACHE_FITS;
    }
    return CACHE_NONE;
}

/* OpenSSL's hash table (crypto/lhash/lhash.c) doubles an array of pointers and has one to two
 * entries for each in use: 4 to 8 bytes an entry. What loses more per entry isn't the table of the
 * cache. */
enum { INDEX_BYTES_PER_ENTRY = 16 };

bool cache_indexed_by(const struct judge_context *h, int64_t growth_bytes, size_t *ret_cache)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        bool within = k->capacity && k->population[h->last] <= k->capacity;
        *ret_cache = i;
        if (within && growth_bytes <= INDEX_BYTES_PER_ENTRY * population_growth(h, k))
            return true;
    }
    return false;
}

bool cache_beyond_capacity(const struct judge_context *h, size_t *ret_cache)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        int64_t middle = population_at(k, h->middle), last = population_at(k, h->last);
        *ret_cache = i;
        if (k->capacity && last > (int64_t)k->capacity && last > middle &&
            middle > population_at(k, h->base))
            return true;
    }
    return false;
}

bool cache_bounded_present(const struct judge_context *h)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        if (k->capacity && k->population[h->last] && k->population[h->last] <= k->capacity)
            return true;
    }
    return false;
}

/* OpenSSL 3 evicts a session as soon as there are as many as the cache may hold, so one less is the
 * most that it ever holds (SSL_CTX_add_session, ssl/ssl_sess.c). */
enum { NEVER_USED = 1 };

uint64_t cache_full_in(const struct judge_context *h, size_t cache)
{
    const struct judge_cache *k = &h->e->cache[cache];
    int64_t grown = population_growth(h, k),
            left = (int64_t)k->capacity - population_at(k, h->last);
    uint64_t begun = 0;
    for (size_t c = h->base == SIZE_MAX ? 0 : h->base + 1; c <= h->last; c++)
        begun += h->e->epoch[c].opened;
    if (!k->capacity || grown <= 0 || left <= NEVER_USED)
        return 0;
    return (uint64_t)((double)left * (double)begun / (double)grown + 0.5);
}

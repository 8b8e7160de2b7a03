/* SPDX-License-Identifier: Apache-2.0 */
#include "judge_ledger_share.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 16 }; /* of each block: probe/ledger.c */

/* The region that jemalloc gives for so many bytes: multiples of 16 up to 128, then four classes to
 * a doubling ("Size classes" in jemalloc(3)). */
static int64_t region_of(int64_t bytes)
{
    int64_t step = 16;
    while (bytes > 8 * step)
        step *= 2;
    return (bytes + step - 1) / step * step;
}

/* The size of all of a site's blocks; 0 when they aren't of one size, or there are none. A sum of
 * unlike blocks isn't the same multiple of their number at every checkpoint. */
static int64_t one_size(const struct judge_context *h, const struct judge_site *s)
{
    int64_t size = 0;
    for (size_t c = 0; c < h->e->epochs; c++) {
        if (s->blocks[c] == 0 && s->bytes[c] == 0)
            continue;
        if (s->blocks[c] <= 0 || s->bytes[c] % s->blocks[c] != 0)
            return 0;
        int64_t here = s->bytes[c] / s->blocks[c];
        if (size && here != size)
            return 0;
        size = here;
    }
    return size;
}

/* Unlike blocks waste between nothing and a fourth: the middle of it. */
static double heap_bytes(int64_t size, int64_t blocks, int64_t bytes)
{
    if (size)
        return (double)(blocks * region_of(size + HEADER_BYTES));
    return (double)(bytes + blocks * HEADER_BYTES) * 9 / 8;
}

/* A third more than the bytes, and 32 bytes for a block, is more than any block takes. */
static double slack_of(const struct judge_context *h, const struct judge_site *s, int64_t size)
{
    double blocks = (double)growth_of(h, s->blocks), bytes = (double)growth_of(h, s->bytes);
    double most = fabs(bytes) * 4 / 3 + fabs(blocks) * 32;
    double taken = fabs(heap_bytes(size, growth_of(h, s->blocks), growth_of(h, s->bytes)));
    return most - taken;
}

static void take_regions(struct ledger_share *share, const struct judge_context *h,
                         const struct judge_site *s, int64_t size)
{
    for (size_t i = 0; i < share->size_classes; i++) {
        if (h->e->size_class[i].size != (uint64_t)region_of(size + HEADER_BYTES))
            continue;
        for (size_t c = 0; c < h->e->epochs; c++)
            share->region[i][c] -= s->blocks[c];
    }
}

static void take_site(struct ledger_share *share, const struct judge_context *h,
                      const struct judge_site *s)
{
    int64_t size = one_size(h, s);
    for (size_t c = 0; c < h->e->epochs; c++)
        share->bytes[c] += heap_bytes(size, s->blocks[c], s->bytes[c]);
    share->slack += slack_of(h, s, size);
    if (size)
        take_regions(share, h, s, size);
}

static void take_sites(struct ledger_share *share, const struct judge_context *h)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < h->e->sites; i++) {
        const struct judge_site *s = &h->e->site[i];
        take_site(share, h, s);
        share->grown_blocks += growth_of(h, s->blocks);
        bytes += growth_of(h, s->bytes);
    }
    if (share->grown_blocks < 0 || bytes < 0)
        share->grown_blocks = 0;
}

void share_init(struct ledger_share *share, const struct judge_context *h)
{
    size_t epochs = h->e->epochs, classes = h->e->size_classes;
    *share = (struct ledger_share){.size_classes = classes};
    share->bytes = calloc(epochs + 1, sizeof *share->bytes);
    share->size_class = calloc(classes + 1, sizeof *share->size_class);
    share->region = calloc(classes + 1, sizeof *share->region);
    CHECK(share->bytes && share->size_class && share->region);
    for (size_t i = 0; i < classes; i++) {
        share->region[i] = calloc(epochs + 1, sizeof **share->region);
        CHECK(share->region[i]);
        memcpy(share->region[i], h->e->size_class[i].regions, epochs * sizeof **share->region);
        share->size_class[i] = (struct judge_size_class){.size = h->e->size_class[i].size,
                                                         .regions = share->region[i]};
    }
    if (rule_on(h, RULE_LEDGER_FIRST))
        take_sites(share, h);
}

void share_fini(struct ledger_share *share)
{
    for (size_t i = 0; i < share->size_classes; i++)
        free(share->region[i]);
    free(share->region);
    free(share->size_class);
    free(share->bytes);
}

const struct judge_gauge *share_beside_ledger(const struct ledger_share *share,
                                              const struct judge_context *h,
                                              const struct judge_gauge *g, double *value,
                                              struct judge_gauge *ret)
{
    if (!g)
        return NULL;
    size_t from = h->e->epochs > g->count ? h->e->epochs - g->count : 0;
    for (size_t i = 0; i < g->count; i++)
        value[i] = g->value[i] - (from + i < h->e->epochs ? share->bytes[from + i] : 0);
    *ret = *g;
    ret->value = value;
    return ret;
}

const struct judge_gauge *share_beside(const struct judge_gauge *g, const struct judge_gauge *less,
                                       double *value, struct judge_gauge *ret)
{
    if (!g || !less || g->count != less->count)
        return g;
    for (size_t i = 0; i < g->count; i++)
        value[i] = g->value[i] - less->value[i];
    *ret = *g;
    ret->value = value;
    return ret;
}

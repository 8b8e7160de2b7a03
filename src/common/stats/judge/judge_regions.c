/* SPDX-License-Identifier: Apache-2.0 */
/* Regions of jemalloc's size classes: what names growth outside of OpenSSL, and convicts by itself
 * where it is in proportion. */
#include "judge_share.h"

/* Clean runs move the regions of a size class by about 10 either way. */
enum { REGIONS_NOISE = 15, REGIONS_MIN = 100, REGIONS_EPOCH = 30, REGIONS_EPOCHS = 3 };

bool by_pace(const struct judge_context *h, double held, double churned)
{
    return held > REGIONS_NOISE && h->hold_seconds > 0 && h->seconds > 0 &&
           held / h->hold_seconds * 2 >= churned / h->seconds;
}

static bool in_proportion(const struct judge_context *h, const struct judge_size_class *k,
                          double rate)
{
    int full = 0;
    for (size_t c = h->base == SIZE_MAX ? 1 : h->base + 1; c <= h->last; c++) {
        const struct judge_epoch *e = &h->e->epoch[c];
        double expected = rate * (double)e->opened;
        double grown = (double)(k->regions[c] - k->regions[c - 1]), apart = grown - expected;
        double slack = expected * 0.35 > REGIONS_NOISE ? expected * 0.35 : REGIONS_NOISE;
        /* Growth by time goes on while the subject is held. */
        if (e->hold && rule_on(h, RULE_TIME) && by_pace(h, grown, rate * (double)h->opened))
            continue;
        if (apart > slack || apart < -slack)
            return false;
        full += expected >= REGIONS_EPOCH;
    }
    return full >= REGIONS_EPOCHS;
}

/* Regions that left other classes: blocks that only moved to this one aren't growth. */
static bool moved_from_others(const struct judge_context *h, const struct ledger_share *share,
                              int64_t bytes)
{
    int64_t shrunk = 0;
    for (size_t i = 0; i < share->size_classes; i++) {
        const struct judge_size_class *k = &share->size_class[i];
        int64_t grown = growth_of(h, k->regions);
        shrunk -= grown < 0 ? grown * (int64_t)k->size : 0;
    }
    return shrunk * 2 > bytes;
}

uint64_t begun(const struct judge_context *h)
{
    uint64_t sum = 0;
    for (size_t c = h->base == SIZE_MAX ? 0 : h->base + 1; c <= h->last; c++)
        sum += h->e->epoch[c].opened;
    return sum;
}

const struct judge_size_class *class_growing(const struct judge_context *h,
                                             const struct ledger_share *share, bool exact)
{
    const struct judge_size_class *most = NULL;
    int64_t most_bytes = 0, ledger = share->grown_blocks;
    for (size_t i = 0; i < share->size_classes && begun(h); i++) {
        const struct judge_size_class *k = &share->size_class[i];
        int64_t grown = growth_of(h, k->regions), bytes = grown * (int64_t)k->size;
        if (grown < JUDGE_MIN_BLOCKS || bytes <= most_bytes)
            continue;
        if (exact &&
            (grown < REGIONS_MIN || grown < 2 * ledger || moved_from_others(h, share, bytes) ||
             !in_proportion(h, k, (double)grown / (double)begun(h))))
            continue;
        most = k;
        most_bytes = bytes;
    }
    return most;
}

double held_regions(const struct judge_context *h, const struct judge_size_class *k)
{
    double sum = 0;
    for (size_t c = 1; c <= h->last; c++)
        sum += h->e->epoch[c].hold ? (double)(k->regions[c] - k->regions[c - 1]) : 0;
    return sum;
}

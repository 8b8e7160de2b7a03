/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hist.h"

#include <math.h>
#include <string.h>

/* Values below 2^HIST_SUB_BITS have a bucket each; above, the leading HIST_SUB_BITS + 1 bits
 * choose. */
unsigned hist_bucket(uint64_t value)
{
    if (value >> HIST_SUB_BITS == 0)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS;
    return (shift << HIST_SUB_BITS) + (unsigned)(value >> shift);
}

uint64_t hist_top(unsigned bucket)
{
    unsigned row = bucket >> HIST_SUB_BITS;
    if (row < 2)
        return bucket;
    unsigned shift = row - 1;
    uint64_t leading = bucket - (shift << HIST_SUB_BITS);
    return (leading << shift) + ((uint64_t)1 << shift) - 1;
}

void hist_add(struct hist *h, uint64_t value)
{
    h->bucket[hist_bucket(value)]++;
    h->count++;
    if (value > h->max)
        h->max = value;
}

uint64_t hist_quantile(const struct hist *h, double fraction)
{
    uint64_t wanted = (uint64_t)ceil(fraction * (double)h->count), seen = 0;
    if (wanted < 1)
        wanted = 1;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= wanted)
            return hist_top(i) < h->max ? hist_top(i) : h->max;
    }
    return h->max;
}

void hist_reset(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

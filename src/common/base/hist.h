/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log-linear histogram of durations: 64 sub-buckets per power of two, so a percentile is right to
 * 1.6 %. Fixed size, no heap, one writer. The shape is HdrHistogram's (Gil Tene,
 * https://hdrhistogram.org), which Debian doesn't package for C.
 */
#ifndef SOAK_BASE_HIST_H
#define SOAK_BASE_HIST_H

#include <stdint.h>

enum { HIST_SUB_BITS = 6, HIST_BUCKETS = (64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS };

struct hist {
    uint64_t count, max;
    uint64_t bucket[HIST_BUCKETS];
};

/* The bucket of a value, and a bucket's largest value: 1 less than the least of the next. */
unsigned hist_bucket(uint64_t value);
uint64_t hist_top(unsigned bucket);
void hist_add(struct hist *h, uint64_t value);
/* The value below or at which `fraction` (0..1) of the values lie; 0 when empty. Never above max.
 */
uint64_t hist_quantile(const struct hist *h, double fraction);
void hist_reset(struct hist *h);

#endif

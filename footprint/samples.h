/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of many connections: their median, and whether all were equal. Rows are figures, columns
 * connections. Pure, but for memory.
 */
#ifndef SOAK_FOOTPRINT_SAMPLES_H
#define SOAK_FOOTPRINT_SAMPLES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct samples; /* all zero at first */

/* Returns 0 or -1. Rows that are never written take no memory. */
int samples_new(size_t rows, size_t columns, struct samples **ret, struct err *e);
void samples_free(struct samples *s);

void samples_put(struct samples *s, size_t row, size_t column, uint64_t value);
/* Of an even number of columns, the lower one of the two in the middle. */
uint64_t samples_median(const struct samples *s, size_t row);
bool samples_equal(const struct samples *s, size_t row);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct samples {
    size_t rows, columns;
    uint64_t *sorted; /* owned: room for one row */
    uint64_t *value;  /* owned */
};

int samples_new(size_t rows, size_t columns, struct samples **ret, struct err *e)
{
    struct samples *s = malloc(sizeof *s);
    uint64_t *value = calloc(rows * columns, sizeof *value);
    uint64_t *sorted = calloc(columns, sizeof *sorted);
    if (!s || !value || !sorted) {
        free(s);
        free(value);
        free(sorted);
        return err_set(e, "no memory for %zu figures of %zu connections", rows, columns);
    }
    *s = (struct samples){.rows = rows, .columns = columns, .sorted = sorted, .value = value};
    *ret = s;
    return 0;
}

void samples_free(struct samples *s)
{
    if (!s)
        return;
    free(s->value);
    free(s->sorted);
    free(s);
}

void samples_put(struct samples *s, size_t row, size_t column, uint64_t value)
{
    CHECK(row < s->rows && column < s->columns);
    s->value[row * s->columns + column] = value;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t samples_median(const struct samples *s, size_t row)
{
    CHECK(row < s->rows);
    memcpy(s->sorted, s->value + row * s->columns, s->columns * sizeof *s->sorted);
    qsort(s->sorted, s->columns, sizeof *s->sorted, compare);
    return s->sorted[(s->columns - 1) / 2];
}

bool samples_equal(const struct samples *s, size_t row)
{
    CHECK(row < s->rows);
    const uint64_t *value = s->value + row * s->columns;
    for (size_t i = 1; i < s->columns; i++) {
        if (value[i] != value[0])
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mix of behaviours of an epoch: each connection's is drawn at its birth, by weights, from a
 * seeded generator. And the rows of the page in which they are counted. Pure.
 */
#ifndef SOAK_CLIENT_BEHAVIOUR_H
#define SOAK_CLIENT_BEHAVIOUR_H

#include "base/rng.h"
#include "options/behaviours.h"

#include <stddef.h>
#include <stdint.h>

/* The number of a connection that did none of the behaviours: it failed, or was cut off by the
 * client's own end. */
enum { BEHAVIOUR_FAILED = BEHAVIOUR_COUNT, BEHAVIOUR_ROWS_MAX = 63 };

/* "failed" for BEHAVIOUR_FAILED. */
const char *behaviour_name(int behaviour);

struct behaviour_mix {
    uint64_t weight[BEHAVIOUR_COUNT]; /* their sum is above 0 and below 2^64 */
};

/* The behaviours of a run, in the order of the list: each has a row of counters in the page, and
 * after them all others share one, "failed". */
struct behaviour_rows {
    size_t count; /* without "failed" */
    enum behaviour of[BEHAVIOUR_ROWS_MAX];
    size_t row[BEHAVIOUR_COUNT + 1]; /* of each behaviour; `count` for what has none */
};

/* Rows for those with a weight, and for `also`. Returns 0, or -1 when they are more than
 * BEHAVIOUR_ROWS_MAX. */
int behaviour_rows_make(const struct behaviour_mix *mix, enum behaviour also,
                        struct behaviour_rows *ret);

/* Reads weights `50,30,15,5`, one for each row. Returns 0, or -1 when they are too few or too many,
 * malformed, above 2^40, or all 0. */
int behaviour_mix_parse(const char *text, const struct behaviour_rows *rows,
                        struct behaviour_mix *ret);

enum behaviour behaviour_draw(const struct behaviour_mix *mix, struct rng *rng);

#endif

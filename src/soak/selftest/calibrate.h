/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clean runs behind `soak calibrate`: which mixes of peers and server there are, and what is
 * counted of each run. Pure.
 */
#ifndef SOAK_CALIBRATE_H
#define SOAK_CALIBRATE_H

#include "report/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CALIBRATE_OPTIONS = 10 };

struct calibrate_mix {
    const char *name;
    const char *options[CALIBRATE_OPTIONS + 1]; /* of the run, NULL-ended */
    /* OpenSSL's live blocks and bytes must be the same at every checkpoint: nothing in the mix
     * makes one connection's blocks differ from another's. */
    bool level;
};
const struct calibrate_mix *calibrate_mixes(size_t *ret_count);

/* The ledger of a run, checkpoint by checkpoint. Zeroed at the start. */
struct calibrate_ledger {
    size_t checkpoints;
    struct calibrate_figures {
        int64_t blocks, bytes;
    } first[2]; /* server, client: after the two epochs of warm-up */
    bool moved;
};
/* Takes one line of samples.jsonl; what isn't a checkpoint is passed over. */
void calibrate_ledger_add(struct calibrate_ledger *l, const json_t *sample);
/* Whether there was something to compare and it was the same. */
bool calibrate_ledger_level(const struct calibrate_ledger *l);

struct calibrate_tally {
    uint64_t runs, verdict[4]; /* by enum verdict */
    uint64_t level;            /* runs whose ledger was the same at every checkpoint */
};
/* Counts a run; one without a result (NULL) is INVALID. Returns its verdict. */
enum verdict calibrate_count(struct calibrate_tally *t, const struct result *r, bool level);

/* The first sentence that says why the verdict is what it is, or the run broke; borrowed. */
const char *calibrate_reason(const struct result *r);

#endif

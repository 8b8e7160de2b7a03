/* SPDX-License-Identifier: Apache-2.0 */
#include "defect_records.h"

#include "base/check.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_BYTES = 128,
    RECORD_GROUP = 32, /* a 4 KiB slab of them */
    RECORD_KEPT_EVERY = 8,
    RECORD_GROUPS = 8192,
    RECORD_CONNECTIONS = 16, /* a compaction every so many, so that the store outlasts a run */
    MERGED_BYTES = (RECORD_GROUP - RECORD_GROUP / RECORD_KEPT_EVERY) * RECORD_BYTES
};

struct records {
    atomic_uint_fast64_t connections, merged;
    void *record[RECORD_GROUPS * RECORD_GROUP]; /* in order of their making */
};

static void *filled(size_t size, int byte)
{
    void *block = malloc(size);
    CHECK(block);
    return memset(block, byte, size);
}

struct records *records_new(void)
{
    struct records *r = calloc(1, sizeof *r);
    CHECK(r);
    for (size_t i = 0; i < (size_t)RECORD_GROUPS * RECORD_GROUP; i++)
        r->record[i] = filled(RECORD_BYTES, 'r');
    return r;
}

/* Puts most records of a group into one of their common size. As many bytes are in use as before,
 * but the few records that stay keep the old pages from being used for anything larger. */
void records_add(struct records *r)
{
    if (atomic_fetch_add(&r->connections, 1) % RECORD_CONNECTIONS != 0)
        return;
    uint64_t group = atomic_fetch_add(&r->merged, 1);
    if (group >= RECORD_GROUPS)
        return;
    void **record = r->record + group * RECORD_GROUP;
    for (int i = 0; i < RECORD_GROUP; i++) {
        if (i % RECORD_KEPT_EVERY == 0)
            continue;
        free(record[i]);
        record[i] = NULL;
    }
    record[1] = filled(MERGED_BYTES, 'm');
}

void records_free(struct records *r)
{
    for (size_t i = 0; r && i < (size_t)RECORD_GROUPS * RECORD_GROUP; i++)
        free(r->record[i]);
    free(r);
}

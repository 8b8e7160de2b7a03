/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection has left behind: the ledger of one side before it and after it, compared
 * exactly. libuv's blocks are no part of it. Pure.
 */
#ifndef SOAK_TORTURE_LEDGER_H
#define SOAK_TORTURE_LEDGER_H

#include "page/snapshot.h"

#include <stdbool.h>

enum { KEPT_SITES = 8 };

struct kept_site {
    size_t site; /* the page's number */
    char file[PAGE_FILE_BYTES];
    uint32_t line;
    int64_t blocks, bytes;
};

struct kept {
    int64_t blocks, bytes;             /* more than before, over all sites */
    size_t sites, more_sites;          /* those that grew; and those without a place here */
    struct kept_site site[KEPT_SITES]; /* most bytes first */
};

void kept_compare(const struct snapshot *before, const struct snapshot *after, struct kept *ret);
/* Something stays: a block, or a larger one in a block's place. What moves from one site to another
 * doesn't. */
bool kept_any(const struct kept *k);
/* The same sites with as many blocks. Bytes may differ: some blocks hold text. */
bool kept_same(const struct kept *a, const struct kept *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several shards' suites as one: the totals are those that one machine would have had. Pure.
 */
#ifndef SOAK_SUITE_MERGE_H
#define SOAK_SUITE_MERGE_H

#include "base/err.h"
#include "suite.h"

/* A suite that was read, and where from. */
struct suite_part {
    const char *path;
    struct suite suite;
};

/* Joins `count` parts, 1 or more, into an empty suite, which they outlive: it has their texts.
 * Refuses what isn't one suite: another list of scenarios, another number of shards, a shard or a
 * scenario that is there twice. Returns 0 or -1. */
int suite_merge(struct suite *ret, const struct suite_part *part, size_t count, struct err *e);

enum { SUITE_NOTE = 512 };
/* The sentence number i about what isn't as in a single run: shards that are missing or weren't
 * finished, versions, machines and options that differ. Returns buf, or NULL after the last. */
const char *suite_note(const struct suite *s, size_t i, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocation sites that explain a difference between two versions. Pure: no I/O, heap only
 * inside the call.
 *
 * Lines drift from version to version, so sites are aligned by file and function. Where a file has
 * a site whose function isn't known, on either side, the whole file is one group. Within a group
 * the lines of both sides are paired in their order, so that the figures differ by as little as
 * can be: what is left are the lines that explain the difference.
 */
#ifndef SOAK_STATS_COMPARE_SITES_H
#define SOAK_STATS_COMPARE_SITES_H

#include "base/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPARE_SITES = 1024, COMPARE_LINES = 6, COMPARE_GROUPS = 8 };

/* X(ENUM, word in JSON, words for people) */
#define COMPARE_MEASURE_LIST(X)                                                                    \
    X(COMPARE_BY_ALLOCS, "allocs", "allocations per handshake, both ends")                         \
    X(COMPARE_BY_HELD, "held_bytes", "bytes held per idle connection")                             \
    X(COMPARE_BY_ALLOCS_SERVER, "allocs_server", "allocations per handshake, server")              \
    X(COMPARE_BY_ALLOCS_CLIENT, "allocs_client", "allocations per handshake, client")

enum compare_measure { COMPARE_MEASURE_LIST(ENUM_ID) COMPARE_MEASURES };
const char *compare_measure_name(enum compare_measure measure);
const char *compare_measure_text(enum compare_measure measure);

struct compare_site {
    const char *file, *function; /* borrowed; function NULL: not known */
    uint32_t line;
    double allocs;     /* per handshake, at its end */
    double held_bytes; /* by the server, idle */
};

struct compare_sites {
    const struct compare_site *site; /* borrowed; at most COMPARE_SITES */
    size_t count;
};

/* A pair of lines; 0: it isn't known, or there is none on that side. */
struct compare_line_pair {
    uint32_t before, after;
    bool was, is; /* whether there is one */
    double difference;
};

struct compare_group {
    const char *file, *function; /* as in the sites; function NULL: the whole file */
    double before, after;
    struct compare_line_pair line[COMPARE_LINES]; /* that differ, the largest first */
    size_t lines, lines_total;
};

struct compare_explanation {
    double before, after; /* sums over all sites */
    struct compare_group group[COMPARE_GROUPS];
    size_t groups, groups_total; /* groups_total: all that differ */
    double explained;            /* share of all that changed, up and down, that the groups have */
};

/* Share of what changed that is explained, if COMPARE_GROUPS can. */
#define COMPARE_ENOUGH 0.9

/* The path without `./` and `../` before it: builds differ in them. */
const char *compare_file(const char *file);

void compare_explain(const struct compare_sites *before, const struct compare_sites *after,
                     enum compare_measure measure, struct compare_explanation *ret);

#endif

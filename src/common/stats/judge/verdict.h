/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a judgement: verdicts and kinds of growth, each one list. */
#ifndef SOAK_STATS_VERDICT_H
#define SOAK_STATS_VERDICT_H

#include "base/exit_codes.h"
#include "base/names.h"

/* X(ENUM, word printed and in JSON, word of an expectation, exit code, gravity, ink). The gravest
 * of several is the one that counts; the ink is one of report/screen.h. */
#define VERDICT_LIST(X)                                                                            \
    X(VERDICT_PASS, "PASS", "pass", EXIT_PASS, 0, GOOD)                                            \
    X(VERDICT_LEAK, "LEAK", "leak", EXIT_FOUND, 3, BAD)                                            \
    X(VERDICT_INCONCLUSIVE, "INCONCLUSIVE", "inconclusive", EXIT_INCONCLUSIVE, 1, DOUBT)           \
    X(VERDICT_INVALID, "INVALID", "invalid", EXIT_BROKEN, 2, DOUBT)

/* What a run counts, and what all its figures are per. X(ENUM, name, its connections are ..., what
 * has happened when its memory must be gone, what goes on while it is counted, plural, axis) */
#define UNIT_LIST(X)                                                                               \
    X(UNIT_CONNECTION, "connection", "open", "connection had closed", "connections churn",         \
      "connections", "connections closed")                                                         \
    X(UNIT_OPERATION, "operation", "held", "operation was done", "connections churn",              \
      "operations", "operations done")                                                             \
    X(UNIT_RELOAD, "reload", "open", "configuration had been replaced", "it is reloaded",          \
      "reloads", "reloads done")

/* What a kind's amount rests on, and so what a headline says of it. */
enum measured_by {
    BY_BLOCKS, /* blocks counted by the ledger */
    BY_TIME,   /* the same or the heap's regions, by the second instead of by connection */
    BY_HEAP,   /* the allocator's figures: blocks that nobody counted */
    BY_PAGES,  /* the allocator's or the kernel's: no block at all */
    BY_COUNT   /* files or threads, counted by the kernel */
};

/* X(ENUM, name in JSON, sentence for people, measured by, what a headline says of it: what is still
 * reachable is kept, the rest is lost; what it means) */
#define KIND_LIST(X)                                                                               \
    X(KIND_NONE, "none", "nothing grows", BY_BLOCKS, "kept", "nothing stays")                      \
    X(KIND_OBJECT, "object-retained", "object retained", BY_BLOCKS, "kept",                        \
      "the object itself is never freed, with all that it holds")                                  \
    X(KIND_DEFERRED, "free-deferred", "free deferred", BY_BLOCKS, "kept",                          \
      "freed only when no connection is open any more")                                            \
    X(KIND_HELD, "held-by-connection", "grows on the held connection", BY_BLOCKS, "kept",          \
      "it grows while the connection is open, and goes with it")                                   \
    X(KIND_SIDE, "side-allocation-lost", "side allocation lost", BY_BLOCKS, "lost",                \
      "the objects around it are freed, this block never is")                                      \
    X(KIND_CACHE_FILLING, "cache-filling", "cache filling", BY_BLOCKS, "kept",                     \
      "a cache that isn't full yet")                                                               \
    X(KIND_CACHE_BOUNDED, "cache-bounded", "bounded cache or table", BY_BLOCKS, "kept",            \
      "a cache or table that has a bound")                                                         \
    X(KIND_CACHE_OVER, "cache-over-capacity", "cache over capacity", BY_BLOCKS, "kept",            \
      "a cache that has gone beyond its capacity")                                                 \
    X(KIND_ONE_TIME, "one-time", "one-time allocation", BY_BLOCKS, "kept",                         \
      "allocated once, for all connections")                                                       \
    X(KIND_TABLE, "table-growing", "table growing without bound", BY_BLOCKS, "kept",               \
      "a table that is enlarged again and again")                                                  \
    X(KIND_TIME, "time-based", "time-based, not connection-based", BY_TIME, "kept",                \
      "it grows while nothing connects, too")                                                      \
    X(KIND_OUTSIDE, "outside-openssl", "outside OpenSSL", BY_HEAP, "lost",                         \
      "memory that OpenSSL's allocator doesn't know of")                                           \
    X(KIND_FRAGMENTATION, "fragmentation", "fragmentation", BY_PAGES, "kept",                      \
      "pages that can't be returned for the blocks in use on them")                                \
    X(KIND_UNPURGED, "unpurged-pages", "unpurged allocator pages", BY_PAGES, "kept",               \
      "pages that the allocator keeps for later")                                                  \
    X(KIND_MAPPING, "mapping", "mapping, stack or file", BY_PAGES, "kept",                         \
      "memory that the allocator doesn't account for")                                             \
    X(KIND_DESCRIPTORS, "descriptors", "descriptor not closed", BY_COUNT, "lost",                  \
      "an open file stays")                                                                        \
    X(KIND_THREADS, "threads", "thread not ended", BY_COUNT, "never ended", "a thread stays")      \
    X(KIND_UNKNOWN, "unknown", "kind unknown", BY_BLOCKS, "kept",                                  \
      "the run was too short to tell whose it is")

enum unit { UNIT_LIST(ENUM_ID) };
enum verdict { VERDICT_LIST(ENUM_ID) };
enum kind { KIND_LIST(ENUM_ID) };
enum { VERDICT_COUNT = ENUM_COUNT(VERDICT_LIST), KIND_COUNT = ENUM_COUNT(KIND_LIST) };

const char *unit_name(enum unit u);
const char *unit_holds(enum unit u);     /* "open", "held" */
const char *unit_over(enum unit u);      /* "connection had closed" */
const char *unit_under_way(enum unit u); /* "connections churn" */
const char *unit_plural(enum unit u);
const char *unit_axis(enum unit u); /* "connections closed" */

const char *verdict_name(enum verdict v);
bool verdict_from_name(const char *name, enum verdict *ret);
int verdict_exit_code(enum verdict v);
int verdict_gravity(enum verdict v);
const char *kind_name(enum kind k);
bool kind_from_name(const char *name, enum kind *ret);
const char *kind_text(enum kind k);
enum measured_by kind_measured_by(enum kind k);
const char *kind_headline(enum kind k); /* "kept", "lost", "never ended" */
const char *kind_meaning(enum kind k);  /* a clause for who hasn't met the word yet */

/* What became of a metric. X(ENUM, `state` in JSON, `verdict` in JSON: the words of before,
 * gravity, ink) */
#define METRIC_STATE_LIST(X)                                                                       \
    X(METRIC_LEVEL, "level", "ok", 0, GOOD)                                                        \
    X(METRIC_GROWS, "grows", "grows", 4, BAD)                                                      \
    X(METRIC_UNSURE, "unsure", "unsure", 3, DOUBT)                                                 \
    X(METRIC_EXPLAINED, "explained", "explained", 2, NONE)                                         \
    X(METRIC_NOT_JUDGED, "not-judged", "unsure", 1, DIM)

enum metric_state { METRIC_STATE_LIST(ENUM_ID) };
enum { METRIC_STATE_COUNT = ENUM_COUNT(METRIC_STATE_LIST) };
const char *metric_state_name(enum metric_state s);
const char *metric_state_verdict(enum metric_state s);
int metric_state_gravity(enum metric_state s);

#endif

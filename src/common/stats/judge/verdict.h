/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a judgement: verdicts and kinds of growth, each one list. */
#ifndef SOAK_STATS_VERDICT_H
#define SOAK_STATS_VERDICT_H

#include "base/exit_codes.h"
#include "base/names.h"

/* X(ENUM, word printed and in JSON, exit code) */
#define VERDICT_LIST(X)                                                                            \
    X(VERDICT_PASS, "PASS", EXIT_PASS)                                                             \
    X(VERDICT_LEAK, "LEAK", EXIT_FOUND)                                                            \
    X(VERDICT_INCONCLUSIVE, "INCONCLUSIVE", EXIT_INCONCLUSIVE)                                     \
    X(VERDICT_INVALID, "INVALID", EXIT_BROKEN)

/* X(ENUM, name in JSON, sentence for people) */
#define KIND_LIST(X)                                                                               \
    X(KIND_NONE, "none", "nothing grows")                                                          \
    X(KIND_OBJECT, "object-retained", "object retained")                                           \
    X(KIND_DEFERRED, "free-deferred", "free deferred")                                             \
    X(KIND_HELD, "held-by-connection", "grows on the held connection")                             \
    X(KIND_SIDE, "side-allocation-lost", "side allocation lost")                                   \
    X(KIND_CACHE_FILLING, "cache-filling", "cache filling")                                        \
    X(KIND_CACHE_BOUNDED, "cache-bounded", "bounded cache or table")                               \
    X(KIND_CACHE_OVER, "cache-over-capacity", "cache over capacity")                               \
    X(KIND_ONE_TIME, "one-time", "one-time allocation")                                            \
    X(KIND_TABLE, "table-growing", "table growing without bound")                                  \
    X(KIND_TIME, "time-based", "time-based, not connection-based")                                 \
    X(KIND_OUTSIDE, "outside-openssl", "outside OpenSSL")                                          \
    X(KIND_FRAGMENTATION, "fragmentation", "fragmentation")                                        \
    X(KIND_UNPURGED, "unpurged-pages", "unpurged allocator pages")                                 \
    X(KIND_MAPPING, "mapping", "mapping, stack or file")                                           \
    X(KIND_DESCRIPTORS, "descriptors", "descriptor not closed")                                    \
    X(KIND_THREADS, "threads", "thread not ended")                                                 \
    X(KIND_UNKNOWN, "unknown", "kind unknown")

enum verdict { VERDICT_LIST(ENUM_ID) };
enum kind { KIND_LIST(ENUM_ID) };
enum { VERDICT_COUNT = ENUM_COUNT(VERDICT_LIST), KIND_COUNT = ENUM_COUNT(KIND_LIST) };

const char *verdict_name(enum verdict v);
bool verdict_from_name(const char *name, enum verdict *ret);
int verdict_exit_code(enum verdict v);
const char *kind_name(enum kind k);
bool kind_from_name(const char *name, enum kind *ret);
const char *kind_text(enum kind k);

/* What became of a metric. X(ENUM, `state` in JSON, `verdict` in JSON: the words of before) */
#define METRIC_STATE_LIST(X)                                                                       \
    X(METRIC_LEVEL, "level", "ok")                                                                 \
    X(METRIC_GROWS, "grows", "grows")                                                              \
    X(METRIC_UNSURE, "unsure", "unsure")                                                           \
    X(METRIC_EXPLAINED, "explained", "explained")                                                  \
    X(METRIC_NOT_JUDGED, "not-judged", "unsure")

enum metric_state { METRIC_STATE_LIST(ENUM_ID) };
enum { METRIC_STATE_COUNT = ENUM_COUNT(METRIC_STATE_LIST) };
const char *metric_state_name(enum metric_state s);
const char *metric_state_verdict(enum metric_state s);

#endif

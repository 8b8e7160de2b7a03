/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every metric, once: what the checkpoints record (evidence/history.c), what the judge does with
 * it, and what reports call it. A new gauge is a row here, and whatever reads its source.
 */
#ifndef SOAK_STATS_METRIC_H
#define SOAK_STATS_METRIC_H

#include "base/names.h"

/* X(ENUM, name in JSON): what a metric decides. */
#define METRIC_ROLE_LIST(X)                                                                        \
    X(ROLE_COUNT, "exact")     /* an exact integer: decides by itself */                           \
    X(ROLE_HEAP, "heap")       /* decides when the ledger is flat and the evidence strong */       \
    X(ROLE_WITNESS, "witness") /* supports or contradicts, never convicts alone */

/* When a metric has a row in the table of a report. */
enum metric_row {
    ROW_ALWAYS, /* unless something else leaks and this is level */
    ROW_MOVED,  /* when it isn't level; a word in the line of what is level */
    ROW_FOUND   /* only when it grows or may grow; result.json has it always */
};

/* X(ENUM, id in JSON, unit, role, row, label, word for narrow screens and the line of what is
 * level, value, present, limit) The last three are expressions of the history, C types as in
 * evidence/history.h: `value` in a sample `s`; whether the last snapshot `last` has it; the bytes
 * per connection that it may grow by, in a question `q`. `rss` and what isn't named in a rule is
 * shown and not judged. */
#define GAUGE_LIST(X)                                                                              \
    X(METRIC_OPEN_FILES, "open_files", "files", ROLE_COUNT, ROW_MOVED, "open files", "files",      \
      s->proc.open_files, true, 0)                                                                 \
    X(METRIC_THREADS, "threads", "threads", ROLE_COUNT, ROW_MOVED, "threads", "threads",           \
      s->proc.threads, true, 0)                                                                    \
    X(METRIC_HEAP_ALLOCATED, "heap_allocated", "bytes", ROLE_HEAP, ROW_ALWAYS, "heap, allocated",  \
      "heap", s->snapshot.heap.allocated, last->heap.present, q->limit_heap)                       \
    X(METRIC_HEAP_ACTIVE, "heap_active", "bytes", ROLE_HEAP, ROW_ALWAYS, "heap, pages", "pages",   \
      s->snapshot.heap.active, last->heap.present, q->limit_rss)                                   \
    X(METRIC_HEAP_RESIDENT, "heap_resident", "bytes", ROLE_WITNESS, ROW_FOUND, "heap, resident",   \
      "resident", s->snapshot.heap.resident, last->heap.present, q->limit_rss)                     \
    X(METRIC_RSS_ANON, "rss_anon", "bytes", ROLE_WITNESS, ROW_FOUND, "RSS, anonymous",             \
      "anonymous", s->proc.rss_anon_bytes, true, q->limit_rss)                                     \
    X(METRIC_RSS_SHARED, "rss_shared", "bytes", ROLE_WITNESS, ROW_FOUND, "RSS, shared", "shared",  \
      history_shared_bytes(s), true, q->limit_rss)                                                 \
    X(METRIC_RSS, "rss", "bytes", ROLE_WITNESS, ROW_ALWAYS, "RSS", "RSS", s->proc.rss_bytes, true, \
      q->limit_rss)

/* Those that the judge makes of the ledger's sites and classes; the rest of a row as above. */
#define METRIC_LIST(X)                                                                             \
    X(METRIC_OPENSSL_BLOCKS, "openssl_blocks", "blocks", ROLE_COUNT, ROW_ALWAYS, "OpenSSL blocks", \
      "blocks")                                                                                    \
    X(METRIC_OPENSSL_BYTES, "openssl_bytes", "bytes", ROLE_COUNT, ROW_ALWAYS, "OpenSSL bytes",     \
      "bytes")                                                                                     \
    X(METRIC_SSL_OBJECTS, "ssl_objects", "objects", ROLE_COUNT, ROW_MOVED, "SSL objects", "SSL")   \
    GAUGE_LIST(X)                                                                                  \
    X(METRIC_LIBUV_BLOCKS, "libuv_blocks", "blocks", ROLE_COUNT, ROW_MOVED, "libuv blocks", "libuv")

enum metric_role { METRIC_ROLE_LIST(ENUM_ID) };
const char *metric_role_name(enum metric_role role);

enum metric { METRIC_NONE, METRIC_LIST(ENUM_ID) METRICS };
/* Its id. */
const char *metric_name(enum metric m);
bool metric_from_name(const char *id, enum metric *ret);

struct metric_info {
    const char *unit, *label, *word;
    enum metric_role role;
    enum metric_row row;
};
const struct metric_info *metric_info(enum metric m);

#endif

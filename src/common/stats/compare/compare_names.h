/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a comparison: rows and their roles, units and sides; changes; outcomes. */
#ifndef SOAK_STATS_COMPARE_NAMES_H
#define SOAK_STATS_COMPARE_NAMES_H

#include "base/exit_codes.h"
#include "base/names.h"

#include <stdbool.h>

/* X(ENUM, key in JSON, role, unit, side, group of the table, title). The unit is that of the
 * figure: COUNT, BYTES, NS, US or RATIO. The side is the program whose figure it is: only rows of
 * the one that is judged decide; those of a run as a whole (RUN) always do, if their role does. */
#define COMPARE_ROW_LIST(X)                                                                        \
    X(COMPARE_GROWTH_BYTES, "growth_bytes", VERDICT, BYTES, RUN, "Growth per connection", "bytes") \
    X(COMPARE_GROWTH_BLOCKS, "growth_blocks", VERDICT, COUNT, RUN, "Growth per connection",        \
      "blocks")                                                                                    \
    X(COMPARE_ALLOCS, "allocs", EXACT, COUNT, BOTH, "Allocations per handshake", "both ends")      \
    X(COMPARE_ALLOCS_SERVER, "allocs_server", EXACT, COUNT, SERVER, "Allocations per handshake",   \
      "server")                                                                                    \
    X(COMPARE_ALLOCS_CLIENT, "allocs_client", EXACT, COUNT, CLIENT, "Allocations per handshake",   \
      "client")                                                                                    \
    X(COMPARE_REALLOCS, "reallocs", EXACT, COUNT, BOTH, "Allocations per handshake",               \
      "reallocations")                                                                             \
    X(COMPARE_ALLOC_BYTES, "alloc_bytes", EXACT, BYTES, BOTH, "Allocations per handshake",         \
      "bytes")                                                                                     \
    X(COMPARE_REALLOCS_SERVER, "reallocs_server", EXACT, COUNT, SERVER,                            \
      "Allocations per handshake", "reallocations, server")                                        \
    X(COMPARE_ALLOC_BYTES_SERVER, "alloc_bytes_server", EXACT, BYTES, SERVER,                      \
      "Allocations per handshake", "bytes, server")                                                \
    X(COMPARE_REALLOCS_CLIENT, "reallocs_client", EXACT, COUNT, CLIENT,                            \
      "Allocations per handshake", "reallocations, client")                                        \
    X(COMPARE_ALLOC_BYTES_CLIENT, "alloc_bytes_client", EXACT, BYTES, CLIENT,                      \
      "Allocations per handshake", "bytes, client")                                                \
    X(COMPARE_PEAK, "peak", EXACT, BYTES, SERVER, "Bytes held by the server", "handshake's peak")  \
    X(COMPARE_HELD_NEW, "held_new", EXACT, BYTES, SERVER, "Bytes held by the server",              \
      "after SSL_new")                                                                             \
    X(COMPARE_HELD_HANDSHAKE, "held_handshake", EXACT, BYTES, SERVER, "Bytes held by the server",  \
      "after handshake")                                                                           \
    X(COMPARE_HELD_DATA, "held_data", EXACT, BYTES, SERVER, "Bytes held by the server",            \
      "after first data")                                                                          \
    X(COMPARE_HELD_IDLE, "held", EXACT, BYTES, SERVER, "Bytes held by the server", "idle")         \
    X(COMPARE_BLOCKS_NEW, "blocks_new", EXACT, COUNT, SERVER, "Blocks held by the server",         \
      "after SSL_new")                                                                             \
    X(COMPARE_BLOCKS_HANDSHAKE, "blocks_handshake", EXACT, COUNT, SERVER,                          \
      "Blocks held by the server", "after handshake")                                              \
    X(COMPARE_BLOCKS_DATA, "blocks_data", EXACT, COUNT, SERVER, "Blocks held by the server",       \
      "after first data")                                                                          \
    X(COMPARE_BLOCKS_IDLE, "blocks", EXACT, COUNT, SERVER, "Blocks held by the server", "idle")    \
    X(COMPARE_CENSUS_SSL, "census_ssl", COUNTED, COUNT, SERVER, "Objects per open connection",     \
      "SSL")                                                                                       \
    X(COMPARE_CENSUS_SESSION, "census_ssl_session", COUNTED, COUNT, SERVER,                        \
      "Objects per open connection", "SSL_SESSION")                                                \
    X(COMPARE_CENSUS_X509, "census_x509", COUNTED, COUNT, SERVER, "Objects per open connection",   \
      "X509")                                                                                      \
    X(COMPARE_CENSUS_PKEY, "census_evp_pkey", COUNTED, COUNT, SERVER,                              \
      "Objects per open connection", "EVP_PKEY")                                                   \
    X(COMPARE_CENSUS_BIO, "census_bio", COUNTED, COUNT, SERVER, "Objects per open connection",     \
      "BIO")                                                                                       \
    X(COMPARE_CPU, "cpu", MEASURED, US, SERVER, "Server CPU per connection", "median")             \
    X(COMPARE_RSS, "rss", WITNESS, BYTES, SERVER, "Not judged", "RSS, idle conn.")                 \
    X(COMPARE_KEPT, "kept_after_churn", WITNESS, BYTES, SERVER, "Not judged", "kept after churn")  \
    X(COMPARE_HEAP_RATIO, "heap_active_ratio", WITNESS, RATIO, SERVER, "Not judged",               \
      "active/allocated")                                                                          \
    X(COMPARE_P50, "handshake_p50", WITNESS, NS, RUN, "Not judged", "handshake p50")               \
    X(COMPARE_P99, "handshake_p99", WITNESS, NS, RUN, "Not judged", "handshake p99")

enum compare_row { COMPARE_ROW_LIST(ENUM_ID) COMPARE_ROWS };

/* X(ENUM, word) */
#define COMPARE_ROLE_LIST(X)                                                                       \
    X(COMPARE_VERDICT, "verdict")                                                                  \
    X(COMPARE_EXACT, "exact")                                                                      \
    X(COMPARE_COUNTED, "counted")                                                                  \
    X(COMPARE_MEASURED, "measured")                                                                \
    X(COMPARE_WITNESS, "witness")
enum compare_role { COMPARE_ROLE_LIST(ENUM_ID) };
const char *compare_role_name(enum compare_role role);

/* X(ENUM, word) */
#define COMPARE_UNIT_LIST(X)                                                                       \
    X(COMPARE_COUNT, "count")                                                                      \
    X(COMPARE_BYTES, "bytes")                                                                      \
    X(COMPARE_NS, "ns")                                                                            \
    X(COMPARE_US, "us")                                                                            \
    X(COMPARE_RATIO, "ratio")
enum compare_unit { COMPARE_UNIT_LIST(ENUM_ID) };
const char *compare_unit_name(enum compare_unit unit);

/* X(ENUM, word): whose figures decide. A figure of both ends decides only where both are judged. */
#define COMPARE_SIDE_LIST(X)                                                                       \
    X(COMPARE_SIDE_SERVER, "server")                                                               \
    X(COMPARE_SIDE_CLIENT, "client")                                                               \
    X(COMPARE_SIDE_BOTH, "both")                                                                   \
    X(COMPARE_SIDE_RUN, "run") /* of no program: not one that can be judged */

enum compare_side { COMPARE_SIDE_LIST(ENUM_ID) };
const char *compare_side_name(enum compare_side side);
bool compare_side_from_name(const char *name, enum compare_side *ret);

struct compare_row_info {
    const char *key, *group, *title;
    enum compare_side side;
    enum compare_role role;
    enum compare_unit unit;
};
const struct compare_row_info *compare_row_info(enum compare_row row);
/* Whether a figure of the row counts when `judged` is judged. */
bool compare_row_counts(enum compare_row row, enum compare_side judged);
/* Whether the row is exact or counted. */
bool compare_row_exact(enum compare_row row);

/* X(ENUM, word): a figure beside the first version's. */
#define COMPARE_CHANGE_LIST(X)                                                                     \
    X(COMPARE_CHANGE_NONE, "none") /* the first version, a witness, or a row that nobody has */    \
    X(COMPARE_CHANGE_EQUAL, "=")   /* the same figure */                                           \
    X(COMPARE_CHANGE_SAME, "same") /* measured, and inside the margin */                           \
    X(COMPARE_CHANGE_MORE, "more")                                                                 \
    X(COMPARE_CHANGE_LESS, "less")                                                                 \
    X(COMPARE_CHANGE_UNSURE, "can't tell")                                                         \
    X(COMPARE_CHANGE_MISSING, "missing")

enum compare_change { COMPARE_CHANGE_LIST(ENUM_ID) };
const char *compare_change_name(enum compare_change change);

/* X(ENUM, word in JSON, word that opens a line, exit code): what it comes to. */
#define COMPARE_OUTCOME_LIST(X)                                                                    \
    X(COMPARE_SAME, "same", "SAME", EXIT_PASS)                                                     \
    X(COMPARE_BETTER, "better", "BETTER", EXIT_PASS)                                               \
    X(COMPARE_MIXED, "mixed", "MIXED", EXIT_PASS) /* a LEAK is gone, and a row is worse */         \
    X(COMPARE_UNSURE, "can't tell", "CAN'T TELL", EXIT_INCONCLUSIVE)                               \
    X(COMPARE_WORSE, "worse", "WORSE", EXIT_FOUND)

enum compare_outcome { COMPARE_OUTCOME_LIST(ENUM_ID) };
const char *compare_outcome_name(enum compare_outcome outcome);
const char *compare_outcome_text(enum compare_outcome outcome);
int compare_outcome_exit_code(enum compare_outcome outcome);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of a library against one another: the figures of their runs in, judgement out. Pure: no
 * clock, no I/O, no heap. docs/decision.md states every rule; each has a control in
 * tests/unit/stats/test_compare.c.
 *
 * Words. A version is a column of the table; its runs are the repeats. Every version is compared
 * with the first. A row has a role:
 * - verdict rows come from the runs' own verdicts;
 * - exact rows are counts, the same in every repeat, and any difference in them is real;
 * - counted rows are exact too, but of the run itself: where they aren't, something grows, which is
 *   the verdict's matter; and not every version can count every class;
 * - measured rows have noise: they are judged by pairs of runs that stood beside one another;
 * - witness rows are shown and never decide.
 */
#ifndef SOAK_STATS_COMPARE_H
#define SOAK_STATS_COMPARE_H

#include "stats/judge/judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPARE_VERSIONS = 16, COMPARE_RUNS = 64 };

/* X(ENUM, key in JSON, role, unit, side, group of the table, title). The unit is that of the
 * figure: COUNT, BYTES, NS, US or RATIO. The side is the program whose figure it is: only rows of
 * the one that is judged decide; those of a run as a whole (RUN) always do, if their role does. */
#define COMPARE_ROW_LIST(X)                                                                        \
    X(GROWTH_BYTES, "growth_bytes", VERDICT, BYTES, RUN, "Growth per connection", "bytes")         \
    X(GROWTH_BLOCKS, "growth_blocks", VERDICT, COUNT, RUN, "Growth per connection", "blocks")      \
    X(ALLOCS, "allocs", EXACT, COUNT, BOTH, "Allocations per handshake", "both ends")              \
    X(ALLOCS_SERVER, "allocs_server", EXACT, COUNT, SERVER, "Allocations per handshake", "server") \
    X(ALLOCS_CLIENT, "allocs_client", EXACT, COUNT, CLIENT, "Allocations per handshake", "client") \
    X(REALLOCS, "reallocs", EXACT, COUNT, BOTH, "Allocations per handshake", "reallocations")      \
    X(ALLOC_BYTES, "alloc_bytes", EXACT, BYTES, BOTH, "Allocations per handshake", "bytes")        \
    X(REALLOCS_SERVER, "reallocs_server", EXACT, COUNT, SERVER, "Allocations per handshake",       \
      "reallocations, server")                                                                     \
    X(ALLOC_BYTES_SERVER, "alloc_bytes_server", EXACT, BYTES, SERVER, "Allocations per handshake", \
      "bytes, server")                                                                             \
    X(REALLOCS_CLIENT, "reallocs_client", EXACT, COUNT, CLIENT, "Allocations per handshake",       \
      "reallocations, client")                                                                     \
    X(ALLOC_BYTES_CLIENT, "alloc_bytes_client", EXACT, BYTES, CLIENT, "Allocations per handshake", \
      "bytes, client")                                                                             \
    X(PEAK, "peak", EXACT, BYTES, SERVER, "Bytes held by the server", "handshake's peak")          \
    X(HELD_NEW, "held_new", EXACT, BYTES, SERVER, "Bytes held by the server", "after SSL_new")     \
    X(HELD_HANDSHAKE, "held_handshake", EXACT, BYTES, SERVER, "Bytes held by the server",          \
      "after handshake")                                                                           \
    X(HELD_DATA, "held_data", EXACT, BYTES, SERVER, "Bytes held by the server",                    \
      "after first data")                                                                          \
    X(HELD_IDLE, "held", EXACT, BYTES, SERVER, "Bytes held by the server", "idle")                 \
    X(BLOCKS_NEW, "blocks_new", EXACT, COUNT, SERVER, "Blocks held by the server",                 \
      "after SSL_new")                                                                             \
    X(BLOCKS_HANDSHAKE, "blocks_handshake", EXACT, COUNT, SERVER, "Blocks held by the server",     \
      "after handshake")                                                                           \
    X(BLOCKS_DATA, "blocks_data", EXACT, COUNT, SERVER, "Blocks held by the server",               \
      "after first data")                                                                          \
    X(BLOCKS_IDLE, "blocks", EXACT, COUNT, SERVER, "Blocks held by the server", "idle")            \
    X(CENSUS_SSL, "census_ssl", COUNTED, COUNT, SERVER, "Objects per open connection", "SSL")      \
    X(CENSUS_SESSION, "census_ssl_session", COUNTED, COUNT, SERVER, "Objects per open connection", \
      "SSL_SESSION")                                                                               \
    X(CENSUS_X509, "census_x509", COUNTED, COUNT, SERVER, "Objects per open connection", "X509")   \
    X(CENSUS_PKEY, "census_evp_pkey", COUNTED, COUNT, SERVER, "Objects per open connection",       \
      "EVP_PKEY")                                                                                  \
    X(CENSUS_BIO, "census_bio", COUNTED, COUNT, SERVER, "Objects per open connection", "BIO")      \
    X(CPU, "cpu", MEASURED, US, SERVER, "Server CPU per connection", "median")                     \
    X(RSS, "rss", WITNESS, BYTES, SERVER, "Witnesses", "RSS, idle conn.")                          \
    X(KEPT, "kept_after_churn", WITNESS, BYTES, SERVER, "Witnesses", "kept after churn")           \
    X(HEAP_RATIO, "heap_active_ratio", WITNESS, RATIO, SERVER, "Witnesses", "active/allocated")    \
    X(P50, "handshake_p50", WITNESS, NS, RUN, "Witnesses", "handshake p50")                        \
    X(P99, "handshake_p99", WITNESS, NS, RUN, "Witnesses", "handshake p99")

enum compare_row {
#define X(id, ...) COMPARE_##id,
    COMPARE_ROW_LIST(X)
#undef X
        COMPARE_ROWS
};

enum compare_role {
    COMPARE_VERDICT,
    COMPARE_EXACT,
    COMPARE_COUNTED,
    COMPARE_MEASURED,
    COMPARE_WITNESS
};
enum compare_unit { COMPARE_COUNT, COMPARE_BYTES, COMPARE_NS, COMPARE_US, COMPARE_RATIO };

/* X(ENUM, word): whose figures decide. A figure of both ends decides only where both are judged. */
#define COMPARE_SIDE_LIST(X)                                                                       \
    X(SERVER, "server")                                                                            \
    X(CLIENT, "client")                                                                            \
    X(BOTH, "both")                                                                                \
    X(RUN, "run") /* of no program: not one that can be judged */

enum compare_side {
#define X(id, word) COMPARE_SIDE_##id,
    COMPARE_SIDE_LIST(X)
#undef X
};
const char *compare_side_word(enum compare_side side);

struct compare_row_info {
    const char *key, *group, *title;
    enum compare_side side;
    enum compare_role role;
    enum compare_unit unit;
};
const struct compare_row_info *compare_row_info(enum compare_row row);
const char *compare_role_word(enum compare_role role);
/* Whether a figure of the row counts when `judged` is judged. */
bool compare_row_counts(enum compare_row row, enum compare_side judged);
/* Whether the row is exact or counted. */
bool compare_row_exact(enum compare_row row);

/* X(ENUM, word): a figure beside the first version's. */
#define COMPARE_CHANGE_LIST(X)                                                                     \
    X(NONE, "none") /* the first version, a witness, or a row that nobody has */                   \
    X(EQUAL, "=")   /* the same figure */                                                          \
    X(SAME, "same") /* measured, and inside the margin */                                          \
    X(MORE, "more")                                                                                \
    X(LESS, "less")                                                                                \
    X(UNSURE, "can't tell")                                                                        \
    X(MISSING, "missing")

enum compare_change {
#define X(id, word) COMPARE_CHANGE_##id,
    COMPARE_CHANGE_LIST(X)
#undef X
};
const char *compare_change_word(enum compare_change change);

/* X(ENUM, word in JSON, word that opens a line, exit code): what it comes to. */
#define COMPARE_OUTCOME_LIST(X)                                                                    \
    X(SAME, "same", "SAME", 0)                                                                     \
    X(BETTER, "better", "BETTER", 0)                                                               \
    X(MIXED, "mixed", "MIXED", 0) /* a LEAK is gone, and a row is worse */                         \
    X(UNSURE, "can't tell", "CAN'T TELL", 3)                                                       \
    X(WORSE, "worse", "WORSE", 1)

enum compare_outcome {
#define X(id, word, opens, code) COMPARE_##id,
    COMPARE_OUTCOME_LIST(X)
#undef X
};
const char *compare_outcome_word(enum compare_outcome outcome);
const char *compare_outcome_opening(enum compare_outcome outcome);
int compare_outcome_exit_code(enum compare_outcome outcome);

/* What one run says. */
struct compare_run {
    enum verdict verdict;
    enum kind kind;
    const char *file; /* of the site to blame; NULL: none. Borrowed */
    uint32_t line;
    uint64_t round;           /* runs of the same round stood beside one another */
    double sensitivity;       /* one lost block per so many connections would have shown; 0: none */
    double row[COMPARE_ROWS]; /* NAN: it doesn't say */
    bool inexact[COMPARE_ROWS]; /* an exact row that wasn't exact in it */
};

struct compare_version {
    const struct compare_run *run; /* borrowed */
    size_t runs;
};

/* Ratio of two series by pairs. */
struct compare_ratio {
    size_t pairs;
    double median, low, high; /* NAN without pairs */
    double level;             /* share of such intervals that hold the true median */
};

struct compare_cell {
    double value; /* NAN: nobody says. Measured and witness rows: the median over the runs */
    bool exact;   /* an exact row that was exact, and the same in every repeat */
    enum compare_change change;
    enum compare_outcome outcome; /* SAME unless the row decides otherwise */
    struct compare_ratio ratio;   /* measured rows */
};

struct compare_column {
    size_t runs;
    enum verdict verdict; /* the worst; of no meaning without runs */
    enum kind kind;       /* of the first run with that verdict, and where */
    const char *file;
    uint32_t line;
    double sensitivity;                 /* the least of its runs */
    enum compare_change verdict_change; /* MORE: it turned into a LEAK; LESS: the LEAK is gone */
    enum compare_outcome verdict_outcome;
    struct compare_cell cell[COMPARE_ROWS];
    enum compare_outcome outcome; /* against the first version; SAME for that itself */
};

struct compare_judgement {
    size_t columns;
    struct compare_column column[COMPARE_VERSIONS];
    enum compare_outcome outcome; /* the gravest of all columns */
};

struct compare_input {
    const struct compare_version *version; /* borrowed; 1 to COMPARE_VERSIONS */
    size_t versions;
    double tolerance;       /* share by which an exact row may be more */
    enum compare_side side; /* that is judged: SERVER, CLIENT or BOTH */
    bool footprint;         /* it was asked for: without exact rows nobody can tell */
};

/* Share by which the server's CPU may differ and be called the same. */
#define COMPARE_CPU_MARGIN 0.03
/* The least level of an interval that decides. Six pairs are the fewest that reach it. */
#define COMPARE_LEVEL 0.95
enum { COMPARE_PAIRS = 6 };

void compare_judge(const struct compare_input *input, struct compare_judgement *ret);

/* Median of the ratios b/a and its interval from their order statistics, which supposes nothing of
 * their distribution: between the k-th smallest and k-th largest of n lies the median with
 * 1 - 2 * sum(C(n, i), i < k) / 2^n; k is the largest that keeps COMPARE_LEVEL, or 1. Sorts
 * `ratio` in place; 0 to COMPARE_RUNS of them. */
struct compare_ratio compare_ratio_of(double *ratio, size_t count);
/* The median; NAN of none. Sorts `value` in place. */
double compare_median(double *value, size_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of a library against one another: the figures of their runs in, judgement out. Pure: no
 * clock, no I/O, no heap. docs/decision.md states every rule; each has a control in
 * tests/unit/stats/compare/test_compare.c.
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

#include "compare_names.h"
#include "stats/judge/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPARE_VERSIONS = 16, COMPARE_RUNS = 64, COMPARE_PLACES = 24 };

/* Where a run leaks. */
struct compare_place {
    const char *file;     /* NULL: outside OpenSSL, and the kind is all that is known. Borrowed */
    const char *function; /* NULL: not known. Borrowed */
    const char *object;   /* class of the objects that are kept; NULL: not known. Borrowed */
    uint32_t line;
    enum kind kind;
    double bytes; /* per connection; NAN: not known */
};

/* What one run says. */
struct compare_run {
    enum verdict verdict;
    enum kind kind;
    struct compare_place place[COMPARE_PLACES]; /* of a LEAK; the one to blame comes first */
    size_t places;
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
    const struct compare_place
        *another;       /* a LEAK where the first has none, as it has others; NULL */
    double sensitivity; /* the least of its runs */
    enum compare_change verdict_change; /* MORE: a LEAK came; LESS: the LEAK is gone */
    enum compare_outcome verdict_outcome;
    struct compare_cell cell[COMPARE_ROWS];
    enum compare_outcome outcome; /* against the first version; SAME for that itself */
};

struct compare_judgement {
    struct compare_column column[COMPARE_VERSIONS]; /* of the input's versions */
    enum compare_outcome outcome;                   /* the gravest of all columns */
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

/* A place where a version leaks and no run of the first does; NULL: there is none. */
const struct compare_place *compare_another_leak(const struct compare_version *first,
                                                 const struct compare_version *v);

/* Median of the ratios b/a and its interval from their order statistics, which supposes nothing of
 * their distribution: between the k-th smallest and k-th largest of n lies the median with
 * 1 - 2 * sum(C(n, i), i < k) / 2^n; k is the largest that keeps COMPARE_LEVEL, or 1. Sorts
 * `ratio` in place; 0 to COMPARE_RUNS of them. */
struct compare_ratio compare_ratio_of(double *ratio, size_t count);

/*
 * Search for the first of several versions, in order, that is like the last and not like the first.
 * Pure. It takes for granted that there is one turn; with several it finds one of them.
 */
struct bisect {
    size_t low, high; /* low is like the first version, high like the last */
};

/* `versions` is 2 or more; the ends are known to differ. */
struct bisect bisect_of(size_t versions);
/* The version to look at next; false when there is none left: `high` is the first that turned. */
bool bisect_next(const struct bisect *b, size_t *ret);
/* What `version` turned out to be. */
void bisect_take(struct bisect *b, size_t version, bool like_last);
/* Versions that are looked at, at most, the two ends among them. */
size_t bisect_most(size_t versions);

/* Whether the ends differ by more than a share of the first's figure. */
bool bisect_differs(double first, double last, double tolerance);
/* Whether a figure is nearer to the last's than to the first's. */
bool bisect_like_last(double value, double first, double last);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each of the server's bugs must be called, at each rate: the table behind `soak selftest`.
 * Judges the result of one run against one row. Pure.
 */
#ifndef SOAK_SELFTEST_H
#define SOAK_SELFTEST_H

#include "base/names.h"
#include "report/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SELFTEST_OPTIONS = 10 };

struct selftest_case {
    const char *defect; /* NULL: the clean server */
    uint64_t one_in;    /* connections that could be hit, per one that is; 1 = each of them */
    const char *options[SELFTEST_OPTIONS + 1]; /* of the run, NULL-ended */
    enum verdict verdict;
    enum kind kind;   /* of the verdict, or of one of the explained findings */
    const char *file; /* of the site to blame, NULL = none is expected */
    double blocks;    /* per connection at that site; 0 = any */
    bool quick;       /* part of --quick */
    /* The function of ours to find in the stack, NULL = the bug leaves no allocation to trace. A
     * bug that allocates is found among the first frames. One that only forgets to release isn't
     * there when its block is made, so whoever makes it is accepted anywhere in the stack. */
    const char *function;
    bool anywhere;
    const char *not_asked; /* why this rate can't be demanded: no run is made. NULL = it is */
};

/* The table and its length. */
const struct selftest_case *selftest_cases(size_t *ret_count);

/* X(identifier, word in the table) */
#define SELFTEST_OUTCOME_LIST(X)                                                                   \
    X(SELFTEST_CAUGHT, "caught")                                                                   \
    X(SELFTEST_QUIET, "quiet")             /* no leak, and not called one */                       \
    X(SELFTEST_MISSED, "MISSED")           /* PASS for a leak */                                   \
    X(SELFTEST_FALSE_ALARM, "FALSE ALARM") /* LEAK where there is none */                          \
    X(SELFTEST_WRONG_KIND, "WRONG KIND")                                                           \
    X(SELFTEST_WRONG_SITE, "WRONG SITE")                                                           \
    X(SELFTEST_WRONG_STACK, "WRONG STACK")                                                         \
    X(SELFTEST_UNDECIDED, "UNDECIDED") /* INCONCLUSIVE */                                          \
    X(SELFTEST_BROKEN, "BROKEN")       /* no result, INVALID, or the client was accused */

enum selftest_outcome { SELFTEST_OUTCOME_LIST(ENUM_ID) SELFTEST_OUTCOMES };
const char *selftest_outcome_name(enum selftest_outcome o);
bool selftest_as_expected(enum selftest_outcome o);

/* What the run said, for the table: borrowed from the result. */
struct selftest_said {
    const char *verdict, *kind, *file;
    const char
        *function; /* the one expected if it is where it must be; else the first; "" = none */
    long line;
    double blocks;
    int64_t count; /* of blocks */
};

/* `r` may be NULL (the run left none). Always fills `said`. */
enum selftest_outcome selftest_judge(const struct selftest_case *c, const struct result *r,
                                     struct selftest_said *said);

#endif

/*
 * What each of the server's bugs must be called: the table behind `soak selftest`. Judges the
 * soak/1 document of one run against one row. Pure.
 */
#ifndef SOAK_SELFTEST_H
#define SOAK_SELFTEST_H

#include "stats/judge.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct selftest_case {
    const char *defect;     /* NULL: the clean server */
    const char *rate;       /* such as "1/100", NULL = every connection */
    const char *options[6]; /* more options of the run, NULL-ended */
    enum verdict verdict;
    enum kind kind;   /* of the verdict, or of one of the explained findings */
    const char *file; /* of the site to blame, NULL = none is expected */
    double blocks;    /* per connection at that site, to four places; 0 = any */
    bool quick;       /* part of --quick */
};

/* The table and its length. */
const struct selftest_case *selftest_cases(size_t *ret_count);

enum selftest_outcome {
    SELFTEST_AS_EXPECTED,
    SELFTEST_MISSED,      /* a leak that wasn't called one */
    SELFTEST_FALSE_ALARM, /* a LEAK where there is none */
    SELFTEST_WRONG_KIND,
    SELFTEST_WRONG_SITE,
    SELFTEST_BROKEN /* no document, INVALID or INCONCLUSIVE */
};
const char *selftest_outcome_text(enum selftest_outcome o);

/* What the run said, for the table: borrowed from `document`. */
struct selftest_said {
    const char *verdict, *kind, *file;
    long line;
    double blocks;
};

/* `document` may be NULL (the run left none). Always fills `said`. */
enum selftest_outcome selftest_judge(const struct selftest_case *c, const json_t *document,
                                     struct selftest_said *said);

#endif

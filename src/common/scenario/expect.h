/*
 * What a suite expects of a scenario: `pass`, `leak`, `inconclusive` or `invalid`, and if wanted
 * the kind and the place of what is found:
 *
 *   expect = pass
 *   expect = leak kind=side-allocation-lost|object-retained site=server/defect.c
 *   expect = pass kind=cache-filling
 *
 * The words are those of result.json: verdicts in lower case, kinds as they are. A site is a file
 * or file:line; fewer folders than the whole path will do. Pure.
 */
#ifndef SOAK_SCENARIO_EXPECT_H
#define SOAK_SCENARIO_EXPECT_H

#include "base/err.h"
#include "stats/judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPECT_SITE = 160 };

struct expect {
    enum verdict verdict;
    uint32_t kinds;         /* a bit for each enum kind that is right; 0 = any, or none at all */
    char site[EXPECT_SITE]; /* "" = any, or none at all */
};

/* A finding of a run, as an entry of `sites` in result.json. Borrowed. */
struct expect_finding {
    const char *verdict, *kind; /* "LEAK", "side-allocation-lost" */
    const char *file;           /* NULL: it has no place in the code */
    uint32_t line;
};

/* Returns 0, or -1 with a sentence that doesn't repeat `text`. NULL or "" is `pass`. */
int expect_parse(const char *text, struct expect *ret, struct err *e);

/* Prints it in the form that expect_parse reads back. Returns buf. */
char *expect_print(const struct expect *expect, char *buf, size_t size);

/* Whether a run came out as expected: its `verdict` ("PASS", or NULL when there was none) is the
 * one, and, where a kind or a site is asked for, one finding of that same verdict has both. */
bool expect_met(const struct expect *expect, const char *verdict,
                const struct expect_finding *finding, size_t count);

#endif

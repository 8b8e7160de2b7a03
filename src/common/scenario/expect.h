/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a suite expects of a scenario: `pass`, `leak`, `inconclusive` or `invalid`, and if wanted
 * whose it is, and the kind and the place of what is found:
 *
 *   expect = pass
 *   expect = leak kind=side-allocation-lost|object-retained site=server/defect.c
 *   expect = leak subject=client
 *   expect = pass kind=cache-filling
 *
 * The words are those of result.json: verdicts in lower case, kinds as they are. A site is a file
 * or file:line; fewer folders than the whole path will do. A leak is that of the program under test
 * unless a subject is named, and nobody else's: a load generator that leaks is news. Pure.
 */
#ifndef SOAK_SCENARIO_EXPECT_H
#define SOAK_SCENARIO_EXPECT_H

#include "base/err.h"
#include "stats/judge/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPECT_SITE = 160 };

/* Whose verdict it is: bits. X(ENUM, name in result.json and after subject=) */
#define EXPECT_SUBJECT_LIST(X)                                                                     \
    X(EXPECT_SERVER, "server")                                                                     \
    X(EXPECT_CLIENT, "client")                                                                     \
    X(EXPECT_BOTH, "both")

enum expect_subject {
    EXPECT_UNSAID, /* of a leak the program under test, of any other verdict the run as a whole */
    EXPECT_SUBJECT_LIST(ENUM_ID)
};

struct expect {
    enum verdict verdict;
    enum expect_subject subject;
    uint32_t kinds;         /* a bit for each enum kind that is right; 0 = any, or none at all */
    char site[EXPECT_SITE]; /* "" = any, or none at all */
};

/* A finding of a run, as an entry of `sites` in result.json. Borrowed. */
struct expect_finding {
    enum expect_subject subject; /* EXPECT_SERVER or EXPECT_CLIENT */
    const char *verdict, *kind;  /* "LEAK", "side-allocation-lost" */
    const char *file;            /* NULL: it has no place in the code */
    uint32_t line;
};

/* What a run came to. Borrowed. */
struct expect_run {
    const char *verdict;         /* "PASS", or NULL when there was none */
    const char *server, *client; /* theirs; NULL: it had none */
    enum expect_subject tested;  /* the program under test; EXPECT_UNSAID: the server */
    const struct expect_finding *finding;
    size_t count;
};

/* Returns 0, or -1 with a sentence that doesn't repeat `text`. NULL or "" is `pass`. */
int expect_parse(const char *text, struct expect *ret, struct err *e);

/* Prints it in the form that expect_parse reads back. Returns buf. */
char *expect_print(const struct expect *expect, char *buf, size_t size);

/* EXPECT_SERVER, EXPECT_CLIENT or EXPECT_BOTH by its name; EXPECT_UNSAID for any other, or NULL. */
enum expect_subject expect_subject_of(const char *name);

/* "server", "client" or "both"; "any" of EXPECT_UNSAID. */
const char *expect_subject_name(enum expect_subject subject);

/* Whose verdict is meant, as bits; 0: that of the run as a whole. */
unsigned expect_named(const struct expect *expect, enum expect_subject tested);

/* Whether a run came out as expected: its verdict is the one, and that of the subjects it is
 * expected of; a leak is of no other subject; and, where a kind or a site is asked for, one finding
 * of theirs of that same verdict has both. */
bool expect_met(const struct expect *expect, const struct expect_run *run);

#endif

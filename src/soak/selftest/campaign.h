/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `soak selftest --campaign`: the verdict under many runs. Run `number` of a campaign is drawn by
 * its seed and that number alone, so a campaign goes on where it was interrupted. Pure.
 *
 * clean: a server without a bug, by mixes of peers, allocators, workers and OpenSSL versions, or
 * scenarios of good programs. leaks: each bug of soak-server at rates from 1 to the rarest that
 * `soak selftest` asks for, evenly by their logarithm, in changing surroundings. sensitivity: a
 * leak at exactly the rate that a clean run of the same options prints as what it would have shown.
 */
#ifndef SOAK_CAMPAIGN_H
#define SOAK_CAMPAIGN_H

#include "selftest.h"

/* X(identifier, word of --campaign) */
#define CAMPAIGN_LIST(X)                                                                           \
    X(CAMPAIGN_CLEAN, "clean")                                                                     \
    X(CAMPAIGN_LEAKS, "leaks")                                                                     \
    X(CAMPAIGN_SENSITIVITY, "sensitivity")

enum campaign_of { CAMPAIGN_LIST(ENUM_ID) CAMPAIGNS };
const char *campaign_of_name(enum campaign_of which);
bool campaign_of_from_name(const char *name, enum campaign_of *ret);

enum { CAMPAIGN_WORDS = 24, CAMPAIGN_TEXT = 384, CAMPAIGN_ROW = 64, CAMPAIGN_PROGRAMS = 16 };

struct campaign_choice {
    enum campaign_of which;
    uint64_t seed;
    /* Versions of OpenSSL, or scenarios, one of which is drawn for each run; 0: none is named. */
    const char *openssl[CAMPAIGN_PROGRAMS], *scenario[CAMPAIGN_PROGRAMS];
    size_t versions, scenarios;
};

struct campaign_case {
    const char *word[CAMPAIGN_WORDS + 1]; /* of the run, NULL-ended; static or in text */
    size_t words, used;
    char text[CAMPAIGN_TEXT];
    char row[CAMPAIGN_ROW];        /* of the table: what the runs beside it have in common */
    struct selftest_case expected; /* what is right of it */
};

void campaign_draw(const struct campaign_choice *c, uint64_t number, struct campaign_case *ret);
/* Adds the bug at one in `one_in` connections to a case, and expects it to be found. */
void campaign_plant(struct campaign_case *c, const char *defect, uint64_t one_in);

/* X(identifier, word in the table, of clean runs, of leaks): what came of a run, and where it can.
 */
#define CAMPAIGN_OUTCOME_LIST(X)                                                                   \
    X(CAMPAIGN_RIGHT, "right", true, true)                                                         \
    X(CAMPAIGN_KIND, "wrong kind", false, true)                                                    \
    X(CAMPAIGN_PLACE, "wrong place", false, true) /* of the site or in the stack */                \
    X(CAMPAIGN_DOUBT, "in doubt", true, true)     /* INCONCLUSIVE */                               \
    X(CAMPAIGN_BELOW, "too rare", false, true)    /* PASS, with a sensitivity below its rate */    \
    X(CAMPAIGN_MISSED, "MISSED", false, true)     /* PASS, with one that reaches it */             \
    X(CAMPAIGN_ALARM, "FALSE ALARM", true, true)  /* of a clean server, or of the client */        \
    X(CAMPAIGN_BROKEN, "BROKEN", true, true)      /* INVALID, or no result */

enum campaign_outcome { CAMPAIGN_OUTCOME_LIST(ENUM_ID) CAMPAIGN_OUTCOMES };
const char *campaign_outcome_name(enum campaign_outcome o);
bool campaign_outcome_from_name(const char *name, enum campaign_outcome *ret);
/* Whether a campaign's table has a column for it. */
bool campaign_has(enum campaign_of which, enum campaign_outcome o);

/* What came of a run; `r` NULL: it left no result. */
enum campaign_outcome campaign_judge(const struct campaign_case *c, const struct result *r);
/* The same of the first of two runs of CAMPAIGN_SENSITIVITY, which prints the sensitivity: the
 * second asks for what it printed only where this is CAMPAIGN_RIGHT. */
enum campaign_outcome campaign_judge_first(const struct result *r);

/* Whether so many runs are as the campaign must be: none missed, no false alarm, none broken; in
 * doubt aren't surely more than 1 in 200 of the clean runs, in doubt or too rare than 1 in 100 of
 * the leaks, nor of the wrong kind or place than 1 in 100 of those that were found. Exactly at the
 * sensitivity 1 in 1,000 isn't called a LEAK, by its definition: not surely more may be in doubt or
 * missed. */
bool campaign_good(enum campaign_of which, const uint64_t outcome[CAMPAIGN_OUTCOMES]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A suite for people: a line per scenario as it ends, then whether all came out as expected, what
 * to do about each that didn't, and the totals.
 */
#ifndef SOAK_SUITE_TEXT_H
#define SOAK_SUITE_TEXT_H

#include "suite.h"

#include <stdio.h>

enum { SUITE_BLOCK = 3 * SUITE_TEXT };

/* The row of entry i: its place, name, verdict, outcome, connections, time. */
void suite_text_row(const struct suite *s, size_t i, FILE *out);
/* `FAILED  1 of 2 scenarios is not as expected (27s)` */
void suite_text_headline(const struct suite *s, FILE *out);
/* What is to be known of an entry that isn't as expected, `key  text` in lines, the first of them
 * what it said; each begins with `indent` blanks but the first. Returns buf. */
char *suite_text_block(const struct suite *s, const struct suite_entry *entry, int indent,
                       char *buf, size_t size);
struct suite_ending {
    bool quiet, joined; /* joined: of several, with notes on what they lack and differ in */
    int exit;
    const char *junit; /* the file that is written too, or NULL */
};
/* The headline; unless quiet also each failure, the notes, and the totals. */
void suite_text_summary(const struct suite *s, const struct suite_ending *ending, FILE *out);

/*
 * A suite on GitHub Actions: an annotation per failed scenario, and a table in the job's summary.
 * Does nothing where the environment has no GITHUB_ACTIONS and no GITHUB_STEP_SUMMARY.
 */
/* `::error file=...,title=...::sentence` for each scenario that failed. */
void suite_github_errors(const struct suite *s, FILE *out);
/* The table, at the end of the file GITHUB_STEP_SUMMARY. Says on stderr when that can't be. */
void suite_github_summary(const struct suite *s);

/* A suite as a Markdown table, a row for each scenario, and the notes. */
void suite_markdown(const struct suite *s, FILE *out);

/*
 * A suite as JUnit XML, which CI servers read: a testsuite per scenario, in it a testcase for the
 * verdict and one per metric. Not as expected is a failure, broken an error; what decides nothing
 * (inconclusive, interrupted, not run, an unsure metric) is skipped.
 */
void suite_junit(const struct suite *s, FILE *out);

#endif

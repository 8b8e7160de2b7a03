/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result as a page for a browser: one file that needs nothing beside it and asks for nothing
 * over a network. All texts of the result are somebody else's: none is taken for markup, and the
 * page's own policy (Content-Security-Policy) runs and shows nothing but its own script and style.
 * Its bytes depend on what is handed over alone. Pure but for the stream.
 */
#ifndef SOAK_REPORT_HTML_HTML_H
#define SOAK_REPORT_HTML_HTML_H

#include "profile/profile.h"
#include "report/result.h"
#include "report/samples.h"

#include <stdio.h>

/* All borrowed for the call. */
struct html_fact {
    const char *name, *value;
};

/* Of a run under way: what stands in the verdict's place. The page then asks for itself anew, from
 * where it came, and puts in what has changed. */
struct html_live {
    const char *headline; /* "measuring, 12,345 connections closed" */
    const struct html_fact *fact;
    size_t facts;
    const char *report; /* where its report will be */
};

struct html_run {
    const struct result *result;
    const struct samples *samples; /* none: nothing is shown over time */
    const struct profile *stacks;  /* of the survivors; none: there is no flame graph */
    const struct html_live *live;  /* NULL: it has ended */
};

/* The stacks of a result's survivors, for a page and for other forms; profile_free. NULL with a
 * sentence. */
struct profile *html_stacks(const struct result *result, struct err *e);

/* The page of a run. What went wrong with the stream, ferror tells. */
void html_run(const struct html_run *run, FILE *out);

/*
 * The page of a suite, row by row: first the head, then a row per scenario, then the foot.
 */
struct html_suite {
    const char *word, *headline; /* "FAILED", "1 of 2 scenarios is not as expected" */
    const char *badge;           /* how the word looks: "pass", "leak" or "inconclusive" */
    const char *host, *started, *machine, *libs, *version; /* NULL: not known */
};
void html_suite_begin(const struct html_suite *suite, FILE *out);

struct html_scenario {
    const char *name, *outcome, *said, *link; /* link: of its own page; NULL: it has none */
    bool failed;
    const char *unit; /* of what is closed: "connection" */
    uint64_t closed;
    double seconds;
    const struct result *result; /* NULL: it left none */
};
void html_suite_row(const struct html_scenario *row, FILE *out);
void html_suite_end(FILE *out);

#endif

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
struct html_run {
    const struct result *result;
    const struct samples *samples; /* none: nothing is shown over time */
    const struct profile *stacks;  /* of the survivors; none: there is no flame graph */
};

/* The page of a run. What went wrong with the stream, ferror tells. */
void html_run(const struct html_run *run, FILE *out);

#endif

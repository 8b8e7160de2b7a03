/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A comparison as people read it: on a terminal, and as Markdown for a pull request.
 */
#ifndef SOAK_COMPARE_TEXT_H
#define SOAK_COMPARE_TEXT_H

#include "compare_set.h"
#include "report/report.h"
#include "report/screen.h"

#include <stdio.h>

/* The verdict lines, one for each version after the first; `quiet` ends there. Then the table, the
 * leaks, what explains the differences, the libraries and what to type next. */
void compare_text(const struct compare_set *s, const struct report_style *style, bool quiet,
                  FILE *out);
void compare_markdown(const struct compare_set *s, FILE *out);
/* The same as a page for a browser: versions as columns, and what explains their differences. Over
 * it stands the outcome, or the `answer` of a search that ran the versions, if only one; NULL: of
 * none, and there are two or more. */
void compare_html(const struct compare_set *s, const char *answer, FILE *out);

/* The forms, as archive/outputs.h writes them: their context is the set. */
void compare_put_json(const void *set, FILE *out);
void compare_put_markdown(const void *set, FILE *out);
void compare_put_html(const void *set, FILE *out);

/*
 * The table of a comparison: the few rows that people read. All are in the document and the
 * Markdown. Of two versions the last column says in words what each row comes to, on a terminal
 * that is wide enough.
 */
void compare_table_print(const struct compare_set *s, const struct screen *screen);
/* Whether a figure in it isn't exact. */
bool compare_table_inexact(const struct compare_set *s);
enum ink compare_ink(enum compare_outcome outcome);

#endif

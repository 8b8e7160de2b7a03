/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every page for a browser is made of: its head, with the style, the script and the policy
 * that lets them and nothing else run; sections; tables. Pure but for the stream.
 */
#ifndef SOAK_REPORT_HTML_ELEMENTS_H
#define SOAK_REPORT_HTML_ELEMENTS_H

#include <stddef.h>
#include <stdio.h>

/* All before the body's first element; `title`: of the page. */
void html_head(const char *title, FILE *out);
/* All behind its last. */
void html_foot(FILE *out);
/* The same of a page that renews itself. */
void html_live_head(const char *title, FILE *out);
void html_live_foot(FILE *out);
/* Whose page it is: `soak VERSION · WORD · ...`, without the words that are NULL. */
void html_origin(const char *version, const char *const *word, size_t words, FILE *out);
/* Text that is no markup. */
void html_text(const char *text, FILE *out);
/* `<section id=ID aria-labelledby=ID-h><h2 id=ID-h>TITLE</h2>`; closed by html_section_end. A
 * page's ids differ. */
void html_section(const char *id, const char *title, FILE *out);
void html_section_end(FILE *out);
/* A paragraph of the page's own words. */
void html_note(const char *text, FILE *out);

/* ---- tables: HEAD, then rows of cells, then END ---- */

/* `column`: `|name` for a column of text, `>name` for one of numbers. */
void html_table(const char *caption, const char *const *column, size_t columns, FILE *out);
void html_row(FILE *out); /* begins one, and ends the one before */
void html_head_cell(const char *text, FILE *out);
void html_cell(const char *text, FILE *out);
void html_number(const char *text, FILE *out);
void html_table_end(FILE *out);

#endif

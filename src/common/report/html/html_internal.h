/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a page share. */
#ifndef SOAK_REPORT_HTML_HTML_INTERNAL_H
#define SOAK_REPORT_HTML_HTML_INTERNAL_H

#include "elements.h"
#include "html.h"

/* page.css and page.js as they are, and the SHA-256 of each in base64, by which the page's policy
 * knows them: made by cmake/embed.cmake. */
extern const char html_style[], html_style_hash[], html_script[], html_script_hash[];
/* live.js, of the page of a run under way. */
extern const char html_live_script[], html_live_script_hash[];

/* Of a heat map: classes h1 to h8. */
enum { HTML_SHADES = 8 };

/* What epoch `e` of a subject was for. */
enum html_phase { PHASE_WARM, PHASE_MEASURED, PHASE_HOLD, PHASE_CONFIRM };
enum html_phase html_phase(const struct result_subject *subject, size_t e);
/* Of an epoch that wasn't measured: "w" of the warm-up, "c" confirming; else "". */
const char *html_phase_letter(const struct result_subject *subject, size_t e);
/* `+1,488`; `0`. Returns buf. */
char *html_change(char *buf, size_t size, int64_t change);

/* ---- sections; each writes nothing where the result has nothing for it ---- */

bool html_has_growth(const struct result_subject *subject);
void html_growth(const struct result *r, const struct result_subject *subject, FILE *out);
bool html_has_time(const struct html_run *run);
void html_time(const struct html_run *run, FILE *out);
bool html_has_survivors(const struct result *r);
void html_survivors(const struct result *r, FILE *out);
/* Its charts: course.c. */
void html_courses(const struct result *r, FILE *out);
bool html_has_flame(const struct html_run *run);
void html_flame(const struct html_run *run, FILE *out);
bool html_has_behaviours(const struct result *r);
void html_behaviours(const struct result *r, FILE *out);
bool html_has_sizes(const struct result *r);
void html_sizes(const struct result *r, FILE *out);
bool html_has_census(const struct result *r);
void html_census(const struct result *r, FILE *out);
bool html_has_handshakes(const struct result *r);
void html_handshakes(const struct result *r, FILE *out);
void html_load(const struct result *r, FILE *out);
void html_repeat(const struct html_run *run, FILE *out);
void html_data(const struct html_run *run, FILE *out);

#endif

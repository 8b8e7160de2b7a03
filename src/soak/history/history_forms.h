/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histories as text, Markdown, a page and `soak-history/1`; the words of a step from one place.
 */
#ifndef SOAK_HISTORY_FORMS_H
#define SOAK_HISTORY_FORMS_H

#include "history_series.h"
#include "report/screen.h"

#include <jansson.h>
#include <stdio.h>

enum { HISTORY_STEP_TEXT = 160, HISTORY_PLACE_TEXT = 512 };

/* `690 -> 691, +1 (+0.14 %)` */
char *history_step_text(const struct history_line *line, const struct step *s, char *buf,
                        size_t size);
/* The range that its bars are drawn in: noise within the guard doesn't fill it. */
struct screen_bars history_bars(const struct history_line *line, size_t nights);
/* `2026-11-20`, and the time where another night of the series has the same date. */
char *history_night_text(const struct history_series *s, size_t night, char *buf, size_t size);

/* `openssl 3.0.19 on night`, and where it isn't the only one there, a folder that has its options.
 */
char *history_place_text(const struct history_series *s, char *buf, size_t size);
/* Of a series: `openssl 3.0.19 on night; 30 runs, 2026-11-01 to 2026-11-30: 30 PASS`. */
char *history_series_text(const struct history_series *s, char *buf, size_t size);
/* `1 step in 2 histories`, or that there is none. */
char *history_headline(const struct histories *h, char *buf, size_t size);
/* Whether it is a growth that never was, and needs no line of its own. */
bool history_is_nothing(const struct history_line *line, size_t nights);
/* The figure of the last night that has one; NAN: none has. */
double history_newest(const struct history_line *line, size_t nights);

/* All figures of all series. */
void history_text(const struct histories *h, const struct screen *s);
/* The steps alone, or one line that there is none. */
void history_text_steps(const struct histories *h, const struct screen *s);

void history_markdown(const struct histories *h, FILE *out);
/* A page for a browser: the steps, and each history's figures with theirs marked. */
void history_html(const struct histories *h, FILE *out);
/* The document, a new reference; NULL when out of memory. */
json_t *history_json(const struct histories *h);

#endif

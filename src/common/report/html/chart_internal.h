/* SPDX-License-Identifier: Apache-2.0 */
/* What charts of all shapes share: their size, their frame, an axis. */
#ifndef SOAK_REPORT_HTML_CHART_INTERNAL_H
#define SOAK_REPORT_HTML_CHART_INTERNAL_H

#include "chart.h"

/* In pixels of a chart as wide as a phone's screen. */
enum { WIDTH = 380, HEIGHT = 230, LEFT = 56, RIGHT = 12, TOP = 24, BOTTOM = 38 };
enum { PLOT_WIDTH = WIDTH - LEFT - RIGHT, PLOT_HEIGHT = HEIGHT - TOP - BOTTOM, STEPS = 4 };

/* A figure from its title to the picture, and from there to its end; `text` is told below it. What
 * stands between is told point by point: each <circle>, and each element of class b or c, by its
 * <title> (page.js). */
void chart_begin(const char *title, const char *text, FILE *out);
void chart_end(const char *text, FILE *out);
/* The lines and labels of the y axis, and a value's place on it, from the plot's top. */
void chart_y_ticks(const struct chart_axis *a, FILE *out);
double chart_y(const struct chart_axis *a, double y);
/* What the axes count; `x_unit` "": none. */
void chart_titles(const char *x, const char *x_unit, const char *y, FILE *out);

#endif

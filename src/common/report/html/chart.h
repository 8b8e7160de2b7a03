/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Line charts as SVG: small, so that three stand side by side on a screen and one on a phone, in
 * letters of the same size. Colours and line styles are the page's (page.css). Pure but for the
 * stream.
 */
#ifndef SOAK_REPORT_HTML_CHART_H
#define SOAK_REPORT_HTML_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What an axis counts; CHART_NUMBER: fractions too. */
enum chart_unit { CHART_COUNT, CHART_BYTES, CHART_SECONDS, CHART_PERCENT, CHART_NUMBER };

/* An axis from a round number to a round number. */
struct chart_axis {
    double from, to, step;
    double per;       /* what a label counts in: 1024 for KiB */
    const char *name; /* "KiB", "k", "s"; "": none */
    int decimals;     /* of a label */
};

/* The axis that shows least..most in `steps` steps, or a few more. */
struct chart_axis chart_axis(double least, double most, int steps, enum chart_unit unit);

enum { CHART_POINTS = 160 }; /* of a line; more are thinned (stats/thinning.h) */

/* Where something happened: a dashed line, and in a chart what. */
struct chart_mark {
    double x;
    const char *text;
};

/* y over x in the order of x; NAN: none there. Borrowed. */
struct chart_line {
    size_t count;
    const double *x, *y;
    const bool *hollow;            /* points that are drawn as rings; NULL: none */
    const char *const *said;       /* what each point is told by; NULL: x and y */
    const struct chart_mark *mark; /* by x */
    size_t marks;
    double low, high; /* the range of y; the same: that of the points */
};

/* A straight line through a point, over the stretch that it was fitted to. */
struct chart_fit {
    bool there;
    double x, y, slope, half_width;
    double from, to;
    double limit;     /* the slope that is too steep, from the start on; NAN: none */
    bool whole_limit; /* the axis has room for it, however flat that makes the line */
};

struct chart {
    const char *title, *text; /* text: what is to be seen, for those who don't see it */
    const char *x_title;      /* "connections closed" */
    enum chart_unit x_unit, y_unit;
    struct chart_line line;
    struct chart_fit fit;
    double shaded_to; /* x up to which it is shaded; NAN: not at all */
    bool from_zero;   /* y begins at 0 */
    bool dense;       /* its points are told, not drawn */
};

/* The line alone, as small as a word: `text` says what is to be seen. Returns as chart_write. */
bool chart_spark(const struct chart_line *line, enum chart_unit unit, const char *text, FILE *out);

/* Returns whether there was anything to draw: a chart of fewer than two points isn't written. */
bool chart_write(const struct chart *c, FILE *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "chart_internal.h"

#include "base/check.h"
#include "base/markup.h"
#include "options/grammar.h"
#include "report/figures.h"
#include "stats/thinning.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A limit so far beyond the figures that it would flatten them is cut off instead. */
static const double LIMIT_SHARE = 4;

/* ---- axes ---- */

struct scale {
    double per;
    const char *name;
};

static struct scale scale_of(enum chart_unit unit, double most)
{
    static const struct scale bytes[] = {
        {1024.0 * 1024 * 1024, "GiB"}, {1024.0 * 1024, "MiB"}, {1024, "KiB"}, {1, "B"}};
    static const struct scale counts[] = {{1e9, "billions"}, {1e6, "millions"}, {1, ""}};
    static const struct scale seconds[] = {{3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    switch (unit) {
    case CHART_BYTES:
        while (i < 3 && most < bytes[i].per)
            i++;
        return bytes[i];
    case CHART_COUNT:
    case CHART_NUMBER:
        while (i < 2 && most < counts[i].per)
            i++;
        return counts[i];
    case CHART_SECONDS:
        while (i < 2 && most < 3 * seconds[i].per)
            i++;
        return seconds[i];
    case CHART_PERCENT:
        break;
    }
    return (struct scale){0.01, "%"};
}

/* The smallest of 1, 2 and 5 times a power of ten that is at least `value`. */
static double round_step(double value)
{
    double power = pow(10, floor(log10(value)));
    double digit = value / power;
    return (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
}

struct chart_axis chart_axis(double least, double most, int steps, enum chart_unit unit)
{
    struct scale scale = scale_of(unit, fmax(fabs(least), fabs(most)));
    double span = most > least ? most - least : fmax(fabs(most), 1);
    double step = round_step(span / scale.per / steps);
    if (unit == CHART_COUNT && step * scale.per < 1)
        step = 1 / scale.per;
    struct chart_axis a = {.per = scale.per,
                           .name = scale.name,
                           .step = step * scale.per,
                           .decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0};
    a.from = floor(least / a.step + 1e-9) * a.step;
    a.to = ceil(most / a.step - 1e-9) * a.step;
    if (a.to <= a.from)
        a.to = a.from + a.step;
    return a;
}

/* ---- what a chart shows ---- */

struct plot {
    const struct chart *c;
    const bool *kept; /* of the line's points, by number */
    FILE *out;
    struct chart_axis x, y;
};

static double at_x(const struct plot *p, double x)
{
    return (x - p->x.from) / (p->x.to - p->x.from) * PLOT_WIDTH;
}

double chart_y(const struct chart_axis *a, double y)
{
    return PLOT_HEIGHT - (y - a->from) / (a->to - a->from) * PLOT_HEIGHT;
}

static double at_y(const struct plot *p, double y)
{
    return chart_y(&p->y, y);
}

static double fitted(const struct chart_fit *f, double x)
{
    return f->y + f->slope * (x - f->x);
}

/* How far off the line may be there. */
static double band(const struct chart_fit *f, double x)
{
    return isfinite(f->half_width) ? f->half_width * fabs(x - f->x) : 0;
}

static double limit_at(const struct chart_fit *f, double x)
{
    return fitted(f, f->from) + f->limit * (x - f->from);
}

static void widen(double *least, double *most, double value)
{
    *least = fmin(*least, value);
    *most = fmax(*most, value);
}

/* What is level is drawn level, not as the noise of its last digit. */
static void widen_level(double *least, double *most, enum chart_unit unit)
{
    double middle = (*least + *most) / 2;
    double small = unit == CHART_BYTES     ? fmax(4096, fabs(middle) / 50)
                   : unit == CHART_PERCENT ? 0.02
                                           : fmax(8, fabs(middle) / 200);
    if (*most - *least >= small)
        return;
    *most = middle + small / 2;
    *least = *least >= 0 ? fmax(0, middle - small / 2) : middle - small / 2;
}

/* The points, then the fit where there is one, then its limit. */
static struct chart_axis y_axis(const struct chart *c)
{
    double least = INFINITY, most = -INFINITY;
    const struct chart_fit *f = &c->fit;
    if (c->line.low < c->line.high)
        return chart_axis(c->line.low, c->line.high, STEPS, c->y_unit);
    for (size_t i = 0; i < c->line.count; i++)
        if (isfinite(c->line.y[i]))
            widen(&least, &most, c->line.y[i]);
    if (f->there) {
        widen(&least, &most, fitted(f, f->from));
        widen(&least, &most, fitted(f, f->to));
    }
    if (c->from_zero)
        widen(&least, &most, 0);
    widen_level(&least, &most, c->y_unit);
    if (f->there && isfinite(f->limit) &&
        (f->whole_limit || limit_at(f, f->to) - least <= LIMIT_SHARE * (most - least)))
        widen(&least, &most, limit_at(f, f->to));
    return chart_axis(least, most, STEPS, c->y_unit);
}

static size_t points_of(const struct chart_line *l, double *ret_first, double *ret_last)
{
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (!isfinite(l->y[i]))
            continue;
        *ret_first = count++ ? *ret_first : l->x[i];
        *ret_last = l->x[i];
    }
    return count;
}

/* ---- drawing ---- */

void chart_y_ticks(const struct chart_axis *a, FILE *out)
{
    int lines = (int)lround((a->to - a->from) / a->step);
    for (int i = 0; i <= lines; i++) {
        double value = a->from + i * a->step, y = TOP + chart_y(a, value);
        char label[FIGURE_SIZE];
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
                "class=\"ty\">%s</text>",
                LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4,
                figure_grouped(label, sizeof label, value / a->per, a->decimals));
    }
}

static void write_ticks(const struct plot *p)
{
    chart_y_ticks(&p->y, p->out);
    int ticks = (int)lround((p->x.to - p->x.from) / p->x.step);
    for (int i = 0; i <= ticks; i++) {
        double value = p->x.from + i * p->x.step;
        char label[FIGURE_SIZE];
        /* The last one ends where the chart does. */
        fprintf(p->out, "<text x=\"%.1f\" y=\"%d\" class=\"%s\">%s</text>",
                i == ticks ? WIDTH - 2 : LEFT + at_x(p, value), HEIGHT - BOTTOM + 15,
                i == ticks ? "tt" : "tx",
                figure_grouped(label, sizeof label, value / p->x.per, p->x.decimals));
    }
}

void chart_titles(const char *x, const char *x_unit, const char *y, FILE *out)
{
    fprintf(out, "<text x=\"%d\" y=\"12\" class=\"ty\">", LEFT - 6);
    markup_put(y, SIZE_MAX, out);
    fprintf(out, "</text><text x=\"%d\" y=\"%d\" class=\"tt\">", WIDTH - RIGHT, HEIGHT - 6);
    markup_put(x, SIZE_MAX, out);
    if (x_unit[0]) {
        fputs(", ", out);
        markup_put(x_unit, SIZE_MAX, out);
    }
    fputs("</text>\n", out);
}

static void write_fit(const struct plot *p)
{
    const struct chart_fit *f = &p->c->fit;
    if (!f->there)
        return;
    double from = at_x(p, f->from), to = at_x(p, f->to), middle = at_x(p, f->x);
    double first = fitted(f, f->from), last = fitted(f, f->to);
    double a = band(f, f->from), b = band(f, f->to);
    fprintf(p->out,
            "<path class=\"band\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fV%.1fL%.1f %.1fL%.1f %.1fZ\"/>",
            from, at_y(p, first + a), middle, at_y(p, f->y), to, at_y(p, last + b),
            at_y(p, last - b), middle, at_y(p, f->y), from, at_y(p, first - a));
    fprintf(p->out, "<path class=\"fit\" d=\"M%.1f %.1fL%.1f %.1f\"/>", from, at_y(p, first), to,
            at_y(p, last));
    if (isfinite(f->limit))
        fprintf(p->out, "<path class=\"limit\" d=\"M%.1f %.1fL%.1f %.1f\"/>", from, at_y(p, first),
                to, at_y(p, limit_at(f, f->to)));
    fputc('\n', p->out);
}

/* The value as it is told at a point. */
static const char *value_text(char *buf, size_t size, double value, enum chart_unit unit)
{
    switch (unit) {
    case CHART_BYTES:
        return human_bytes(buf, size, value);
    case CHART_COUNT:
        return figure_grouped(buf, size, value, value == nearbyint(value) ? 0 : 1);
    case CHART_SECONDS:
        snprintf(buf, size, "%.1f s", value);
        return buf;
    case CHART_NUMBER:
        snprintf(buf, size, "%.4g", value);
        return buf;
    case CHART_PERCENT:
        break;
    }
    snprintf(buf, size, "%.1f %%", value * 100);
    return buf;
}

/* Which of the points are drawn; free. */
static bool *choose_points(const struct chart_line *l)
{
    double span = 1;
    bool *kept = calloc(l->count, sizeof *kept);
    const struct thinning t = {.count = l->count, .x = l->x, .figures = 1, .value = {l->y}};
    CHECK(kept);
    thinning_choose(&t, CHART_POINTS, &span, kept);
    for (size_t i = 0; i < l->count; i++)
        kept[i] = kept[i] && isfinite(l->y[i]);
    return kept;
}

static void write_path(const struct plot *p)
{
    const struct chart_line *l = &p->c->line;
    char command = 'M';
    fputs("<path class=\"line\" d=\"", p->out);
    for (size_t i = 0; i < l->count; i++) {
        if (!p->kept[i])
            continue;
        fprintf(p->out, "%c%.1f %.1f", command, at_x(p, l->x[i]), at_y(p, l->y[i]));
        command = 'L';
    }
    fputs("\"/>\n", p->out);
}

static void write_said(const struct plot *p, size_t i)
{
    char x[FIGURE_SIZE], y[FIGURE_SIZE];
    const struct chart_line *l = &p->c->line;
    if (l->said)
        markup_put(l->said[i], SIZE_MAX, p->out);
    else
        fprintf(p->out, "%s: %s", value_text(x, sizeof x, l->x[i], p->c->x_unit),
                value_text(y, sizeof y, l->y[i], p->c->y_unit));
}

static void write_points(const struct plot *p)
{
    const struct chart_line *l = &p->c->line;
    for (size_t i = 0; i < l->count; i++) {
        if (!p->kept[i])
            continue;
        fprintf(p->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>",
                p->c->dense                 ? "q"
                : l->hollow && l->hollow[i] ? "h"
                                            : "p",
                at_x(p, l->x[i]), at_y(p, l->y[i]));
        write_said(p, i);
        fputs("</title></circle>\n", p->out);
    }
}

enum { MARK_ROW = 14, MARK_ROWS = PLOT_HEIGHT / MARK_ROW - 1 };

/* Above the points, for what the marks say; of many marks at most half of the plot. */
static void leave_room(struct chart_axis *y, const struct chart_line *l)
{
    double most = y->from;
    double room = l->marks ? fmin((double)(l->marks + 1) * MARK_ROW, PLOT_HEIGHT / 2.0) : 0;
    for (size_t i = 0; i < l->count; i++)
        if (isfinite(l->y[i]))
            most = fmax(most, l->y[i]);
    while (chart_y(y, most) < room)
        y->to += y->step;
}

/* A row of its own for each text, as two may lie side by side; before its line where there is no
 * room behind it. */
static void write_marks(const struct plot *p)
{
    enum { LETTER = 7, GAP = 5 };
    const struct chart_line *l = &p->c->line;
    for (size_t i = 0; i < l->marks; i++) {
        double x = at_x(p, l->mark[i].x), room = PLOT_WIDTH - x - GAP;
        bool behind = room > LETTER * (double)strlen(l->mark[i].text);
        fprintf(p->out,
                "<path class=\"step\" d=\"M%.1f 0V%d\"/><text x=\"%.1f\" y=\"%d\" "
                "class=\"what%s\">",
                x, PLOT_HEIGHT, behind ? x + GAP : x - GAP, 11 + (int)(i % MARK_ROWS) * MARK_ROW,
                behind ? "" : " tt");
        markup_put(l->mark[i].text, SIZE_MAX, p->out);
        fputs("</text>\n", p->out);
    }
}

static void write_plot(const struct plot *p)
{
    double warm = isfinite(p->c->shaded_to) ? at_x(p, p->c->shaded_to) : 0;
    write_ticks(p);
    chart_titles(p->c->x_title, p->x.name, p->y.name, p->out);
    /* What is beyond the axes is cut off. */
    fprintf(p->out, "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\">\n", LEFT, TOP, PLOT_WIDTH,
            PLOT_HEIGHT);
    if (warm > 0)
        fprintf(p->out, "<rect class=\"warm\" width=\"%.1f\" height=\"%d\"/>\n", warm, PLOT_HEIGHT);
    write_fit(p);
    write_path(p);
    write_marks(p);
    fputs("</svg>\n", p->out);
    /* Points at the edges are drawn whole. */
    fprintf(p->out, "<g transform=\"translate(%d %d)\">\n", LEFT, TOP);
    write_points(p);
    fputs("</g>\n", p->out);
}

void chart_begin(const char *title, const char *text, FILE *out)
{
    fputs("<figure class=\"chart\"><figcaption>", out);
    markup_put(title, SIZE_MAX, out);
    fprintf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" tabindex=\"0\"", WIDTH,
            HEIGHT);
    markup_attribute("aria-label", text, out);
    fputs(">\n", out);
}

void chart_end(const char *text, FILE *out)
{
    fputs("</svg>\n<p class=\"told\" aria-live=\"polite\">", out);
    markup_put(text, SIZE_MAX, out);
    fputs("</p></figure>\n", out);
}

bool chart_write(const struct chart *c, FILE *out)
{
    double first = 0, last = 0;
    struct plot p = {.c = c, .out = out};
    if (points_of(&c->line, &first, &last) < 2 || first == last)
        return false;
    bool *kept = choose_points(&c->line);
    p.kept = kept;
    p.x = chart_axis(fmin(first, 0), last, STEPS, c->x_unit);
    p.y = y_axis(c);
    leave_room(&p.y, &c->line);
    chart_begin(c->title, c->text, out);
    write_plot(&p);
    chart_end(c->text, out);
    free(kept);
    return true;
}

/* ---- as small as a word ---- */

bool chart_spark(const struct chart_line *line, enum chart_unit unit, const char *text, FILE *out)
{
    enum { SPARK_WIDTH = 120, SPARK_HEIGHT = 26 };
    double first = 0, last = 0;
    const struct chart c = {.line = *line, .y_unit = unit};
    if (points_of(line, &first, &last) < 2 || first == last)
        return false;
    struct chart_axis y = y_axis(&c);
    bool *kept = choose_points(line);
    char command = 'M';
    fprintf(out, "<svg class=\"spark\" viewBox=\"0 0 %d %d\" role=\"img\"", SPARK_WIDTH,
            SPARK_HEIGHT);
    markup_attribute("aria-label", text, out);
    fputs("><path class=\"line\" d=\"", out);
    for (size_t i = 0; i < line->count; i++) {
        if (!kept[i])
            continue;
        fprintf(out, "%c%.1f %.1f", command, (line->x[i] - first) / (last - first) * SPARK_WIDTH,
                2 + (SPARK_HEIGHT - 4) * (y.to - line->y[i]) / (y.to - y.from));
        command = 'L';
    }
    free(kept);
    fputs("\"/>", out);
    for (size_t i = 0; i < line->marks; i++)
        fprintf(out, "<path class=\"step\" d=\"M%.1f 0V%d\"/>",
                (line->mark[i].x - first) / (last - first) * SPARK_WIDTH, SPARK_HEIGHT);
    fputs("</svg>", out);
    return true;
}

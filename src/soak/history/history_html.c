/* SPDX-License-Identifier: Apache-2.0 */
/* The histories as a page for a browser: what stepped first, then each history's figures. */
#include "history_forms.h"

#include "base/check.h"
#include "base/text.h"
#include "base/version.h"
#include "report/figures.h"
#include "report/html/chart.h"
#include "report/html/elements.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 256, ID = 32 };

/* ---- a figure, drawn ---- */

/* What an axis counts in: times are kept in units that no axis has. */
static double unit_of(const struct history_figure_info *info, enum chart_unit *ret,
                      const char **ret_name)
{
    *ret = strcmp(info->unit, "bytes") == 0 ? CHART_BYTES : CHART_NUMBER;
    bool ns = strcmp(info->unit, "ns") == 0, us = strcmp(info->unit, "us") == 0;
    *ret_name = ns ? ", ms" : us ? ", µs" : "";
    return ns ? 1e6 : 1;
}

struct drawn {
    double *x, *y; /* owned, as all that it is made of */
    char (*text)[TEXT];
    const char **said;
    char mark_text[STEPS_MAX][TEXT];
    struct chart_mark mark[STEPS_MAX];
    struct chart_line line;
    enum chart_unit unit;
    const char *unit_name;
};

static void say_points(struct drawn *d, const struct history_series *s,
                       const struct history_line *line)
{
    char night[FIGURE_SIZE], value[FIGURE_SIZE];
    for (size_t i = 0; i < s->nights; i++) {
        snprintf(d->text[i], TEXT, "%s: %s", history_night_text(s, i, night, sizeof night),
                 history_figure_text(&line->info, line->value[i], value, sizeof value));
        d->said[i] = d->text[i];
    }
}

/* Beside the night that it was seen first, as nothing is known of the time between. */
static void say_marks(struct drawn *d, const struct history_series *s,
                      const struct history_line *line)
{
    char night[FIGURE_SIZE], step[HISTORY_STEP_TEXT];
    for (size_t i = 0; i < line->steps; i++) {
        const char *by = strstr(history_step_text(line, &line->step[i], step, sizeof step), ", ");
        by = by ? by + 2 : step;
        const char *share = strstr(by, " (");
        snprintf(d->mark_text[i], TEXT, "%s %.*s",
                 history_night_text(s, line->step[i].at, night, sizeof night),
                 share ? (int)(share - by) : TEXT, by);
        d->mark[i] = (struct chart_mark){(double)line->step[i].at + 0.5, d->mark_text[i]};
    }
}

static void draw(struct drawn *d, const struct history_series *s, const struct history_line *line)
{
    struct screen_bars range = history_bars(line, s->nights);
    *d = (struct drawn){.x = calloc(s->nights, sizeof *d->x),
                        .y = calloc(s->nights, sizeof *d->y),
                        .text = calloc(s->nights, sizeof *d->text),
                        .said = calloc(s->nights, sizeof *d->said)};
    CHECK(d->x && d->y && d->text && d->said);
    double per = unit_of(&line->info, &d->unit, &d->unit_name);
    for (size_t i = 0; i < s->nights; i++) {
        d->x[i] = (double)i + 1;
        d->y[i] = line->value[i] / per;
    }
    say_points(d, s, line);
    say_marks(d, s, line);
    d->line = (struct chart_line){.count = s->nights,
                                  .x = d->x,
                                  .y = d->y,
                                  .said = d->said,
                                  .mark = d->mark,
                                  .marks = line->steps,
                                  .low = range.low / per,
                                  .high = range.high / per};
}

static void drawn_free(struct drawn *d)
{
    free(d->x);
    free(d->y);
    free(d->text);
    free((void *)d->said);
}

/* ---- a history ---- */

/* All steps of a figure: `2026-11-20: 690 -> 691, +1 (+0.145 %)`. */
static char *steps_text(const struct history_series *s, const struct history_line *line, char *buf,
                        size_t size)
{
    char night[FIGURE_SIZE], step[HISTORY_STEP_TEXT];
    struct text list = text_list(buf, size, "; ");
    for (size_t i = 0; i < line->steps; i++)
        text_item(&list, "%s: %s", history_night_text(s, line->step[i].at, night, sizeof night),
                  history_step_text(line, &line->step[i], step, sizeof step));
    return buf;
}

static void put_chart(const struct history_series *s, const struct history_line *line, FILE *out)
{
    struct drawn d;
    char title[TEXT], text[STEPS_MAX * HISTORY_STEP_TEXT];
    draw(&d, s, line);
    snprintf(title, sizeof title, "%s%s", line->info.label, d.unit_name);
    const struct chart c = {.title = title,
                            .text = steps_text(s, line, text, sizeof text),
                            .x_title = "runs, the oldest first",
                            .y_unit = d.unit,
                            .line = d.line,
                            .shaded_to = NAN};
    chart_write(&c, out);
    drawn_free(&d);
}

static void put_charts(const struct history_series *s, FILE *out)
{
    if (history_series_steps(s) == 0)
        return;
    fputs("<div class=\"charts\">\n", out);
    for (size_t i = 0; i < s->lines; i++)
        if (s->line[i].steps)
            put_chart(s, &s->line[i], out);
    fputs("</div>\n", out);
}

static void put_row(const struct history_series *s, const struct history_line *line, FILE *out)
{
    struct drawn d;
    char value[FIGURE_SIZE], text[STEPS_MAX * HISTORY_STEP_TEXT];
    draw(&d, s, line);
    html_row(out);
    html_head_cell(line->info.label, out);
    fputs("<td>", out);
    chart_spark(&d.line, d.unit, line->steps ? "stepped" : "no step", out);
    fputs("</td>", out);
    html_number(
        history_figure_text(&line->info, history_newest(line, s->nights), value, sizeof value),
        out);
    fputs(line->steps ? "<td class=\"bad\">" : "<td>", out);
    html_text(steps_text(s, line, text, sizeof text), out);
    fputs("</td>", out);
    drawn_free(&d);
}

static void put_figures(const struct history_series *s, bool open, FILE *out)
{
    static const char *const columns[] = {"|figure", "|runs", ">the last", "|stepped"};
    char text[TEXT];
    size_t nothing = 0;
    fprintf(out, "<details class=\"nights\"%s><summary>All figures</summary>\n",
            open ? " open" : "");
    html_table("Figures, run by run", columns, 4, out);
    for (size_t i = 0; i < s->lines; i++) {
        bool quiet = history_is_nothing(&s->line[i], s->nights);
        nothing += quiet;
        if (!quiet)
            put_row(s, &s->line[i], out);
    }
    html_table_end(out);
    if (nothing) {
        snprintf(text, sizeof text, "%zu other figures per connection: no growth in any run.",
                 nothing);
        html_note(text, out);
    }
    fputs("</details>\n", out);
}

static void put_series(const struct histories *h, size_t i, FILE *out)
{
    const struct history_series *s = &h->series[i];
    char id[ID], text[4 * TEXT];
    snprintf(id, sizeof id, "history-%zu", i);
    html_section(id, s->night->scenario, out);
    html_note(history_series_text(s, text, sizeof text), out);
    if (s->other) {
        snprintf(text, sizeof text,
                 "%zu left out: older, the only one with its options, or INVALID.", s->other);
        html_note(text, out);
    }
    put_charts(s, out);
    put_figures(s, h->count == 1, out);
    html_section_end(out);
}

/* ---- the page ---- */

static void put_step_row(const struct histories *h, size_t i, const struct history_line *line,
                         const struct step *step, FILE *out)
{
    const struct history_series *s = &h->series[i];
    char night[FIGURE_SIZE], text[HISTORY_STEP_TEXT];
    html_row(out);
    html_head_cell(history_night_text(s, step->at, night, sizeof night), out);
    fprintf(out, "<td><a href=\"#history-%zu\">", i);
    html_text(s->night->scenario, out);
    fputs("</a></td>", out);
    html_cell(line->info.label, out);
    html_cell(history_step_text(line, step, text, sizeof text), out);
    html_cell(s->night->library, out);
    html_cell(s->night->machine, out);
}

static void put_steps(const struct histories *h, FILE *out)
{
    static const char *const columns[] = {"|night", "|scenario", "|figure",
                                          "|step",  "|library",  "|machine"};
    if (histories_steps(h) == 0)
        return;
    html_section("steps", "What stepped", out);
    html_table("Steps", columns, sizeof columns / sizeof *columns, out);
    for (size_t i = 0; i < h->count; i++)
        for (size_t l = 0; l < h->series[i].lines; l++)
            for (size_t k = 0; k < h->series[i].line[l].steps; k++)
                put_step_row(h, i, &h->series[i].line[l], &h->series[i].line[l].step[k], out);
    html_table_end(out);
    html_section_end(out);
}

/* `2026-11-01T... to 2026-11-30T...` of all. */
static char *span_text(const struct histories *h, char *buf, size_t size)
{
    const char *first = NULL, *last = NULL;
    for (size_t i = 0; i < h->count; i++) {
        const struct history_series *s = &h->series[i];
        const char *began = s->night[0].time, *ended = s->night[s->nights - 1].time;
        first = !first || strcmp(began, first) < 0 ? began : first;
        last = !last || strcmp(ended, last) > 0 ? ended : last;
    }
    snprintf(buf, size, "%s to %s", first ? first : "", last ? last : "");
    return buf;
}

static void put_head(const struct histories *h, FILE *out)
{
    char headline[TEXT], span[TEXT];
    size_t steps = histories_steps(h);
    const char *const words[] = {h->count ? span_text(h, span, sizeof span) : NULL};
    history_headline(h, headline, sizeof headline);
    html_head(headline, out);
    fputs("<header>", out);
    html_origin(soak_version, words, 1, out);
    fprintf(out, "</header>\n<main>\n<h1><span class=\"badge %s\">%s</span> ",
            steps ? "leak" : "pass", steps ? "STEPPED" : "LEVEL");
    html_text(headline, out);
    fputs("</h1>\n", out);
    html_note("A history is the runs of one scenario on one library and machine, with the same "
              "options. Each figure has a scale of its own; a dashed line is a step.",
              out);
}

void history_html(const struct histories *h, FILE *out)
{
    put_head(h, out);
    put_steps(h, out);
    for (size_t i = 0; i < h->count; i++)
        put_series(h, i, out);
    fputs("</main>\n", out);
    html_foot(out);
}

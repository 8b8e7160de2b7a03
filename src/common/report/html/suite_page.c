/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a suite: a line per scenario, its figures small enough to be compared at a glance. */
#include "html_internal.h"

#include "base/check.h"
#include "base/markup.h"
#include "chart.h"
#include "options/grammar.h"
#include "report/figures.h"

#include <stdlib.h>
#include <string.h>

static const enum metric shown[] = {METRIC_OPENSSL_BLOCKS, METRIC_HEAP_ALLOCATED, METRIC_RSS};
enum { SHOWN = sizeof shown / sizeof *shown };

static const char *const columns[] = {"|scenario", "|outcome", "|verdict", ">connections",
                                      ">time",     "|blocks",  "|heap",    "|RSS"};
enum { CONNECTIONS = 3, TIME, FIRST_SHOWN };

/* A narrow page has no room for the columns' heads: a figure then says itself what it is. */
static void begin_figure(size_t column, FILE *out)
{
    fprintf(out, "<td%s", columns[column][0] == '>' ? " class=\"n\"" : "");
    markup_attribute("data-label", columns[column] + 1, out);
    fputc('>', out);
}

void html_suite_begin(const struct html_suite *suite, FILE *out)
{
    const char *const words[] = {suite->started, suite->host, suite->machine, suite->libs};
    html_head(suite->headline, out);
    fputs("<header>", out);
    html_origin(suite->version, words, sizeof words / sizeof *words, out);
    fprintf(out, "</header>\n<main>\n<h1><span class=\"badge %s\">%s</span> ", suite->badge,
            suite->word);
    html_text(suite->headline, out);
    fputs("</h1>\n", out);
    html_note("Of the program under test, from the first checkpoint to the last: OpenSSL's live "
              "blocks, what is allocated of the heap, and RSS, each on a scale of its own.",
              out);
    fputs("<div id=\"scenarios\">\n", out);
    html_table("Scenarios", columns, sizeof columns / sizeof *columns, out);
}

static const struct result_series *series_of(const struct result *r, enum metric metric)
{
    const struct result_subject *subject = r && r->subjects ? &r->subject[0] : NULL;
    for (size_t i = 0; subject && i < subject->series_count; i++)
        if (subject->series[i].id && strcmp(subject->series[i].id, metric_name(metric)) == 0)
            return &subject->series[i];
    return NULL;
}

static void write_spark(const struct result *r, size_t i, FILE *out)
{
    char text[128], from[FIGURE_SIZE], to[FIGURE_SIZE];
    const struct result_series *s = series_of(r, shown[i]);
    begin_figure(FIRST_SHOWN + i, out);
    if (s && s->count >= 2) {
        double *x = calloc(s->count, sizeof *x);
        CHECK(x);
        for (size_t c = 0; c < s->count; c++)
            x[c] = (double)s->closed[c];
        const struct chart_line line = {.count = s->count, .x = x, .y = s->value};
        snprintf(text, sizeof text, "%s to %s",
                 figure_level(from, sizeof from, s->value[0], s->unit),
                 figure_level(to, sizeof to, s->value[s->count - 1], s->unit));
        chart_spark(&line, figure_is_bytes(s->unit) ? CHART_BYTES : CHART_COUNT, text, out);
        free(x);
    }
    fputs("</td>", out);
}

/* What else is counted than the column says stands beside the count. */
static void write_closed(const struct html_scenario *row, FILE *out)
{
    char count[FIGURE_SIZE];
    human_count(count, sizeof count, (int64_t)row->closed);
    if (strcmp(row->unit, unit_name(UNIT_CONNECTION)) == 0) {
        begin_figure(CONNECTIONS, out);
        html_text(count, out);
    } else {
        fprintf(out, "<td class=\"n\">%s ", count);
        html_text(row->unit, out);
        fputs(row->closed == 1 ? "" : "s", out);
    }
    fputs("</td>", out);
}

void html_suite_row(const struct html_scenario *row, FILE *out)
{
    char text[FIGURE_SIZE];
    html_row(out);
    fputs("<th scope=\"row\">", out);
    if (row->link) {
        fputs("<a href=\"", out);
        html_text(row->link, out);
        fputs("\">", out);
    }
    html_text(row->name, out);
    fputs(row->link ? "</a></th>" : "</th>", out);
    fputs(row->failed ? "<td class=\"bad\">" : "<td>", out);
    html_text(row->outcome, out);
    fputs("</td><td class=\"said\">", out);
    html_text(row->said, out);
    fputs("</td>", out);
    write_closed(row, out);
    begin_figure(TIME, out);
    html_text(human_duration(text, sizeof text, (uint64_t)(row->seconds * 1e9)), out);
    fputs("</td>", out);
    for (size_t i = 0; i < SHOWN; i++)
        write_spark(row->result, i, out);
}

void html_suite_end(FILE *out)
{
    html_table_end(out);
    fputs("</div></main>\n", out);
    html_foot(out);
}

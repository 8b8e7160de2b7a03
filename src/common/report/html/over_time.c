/* SPDX-License-Identifier: Apache-2.0 */
/* The samples of a run over the clock. */
#include "html_internal.h"

#include "base/check.h"
#include "chart.h"
#include "options/grammar.h"
#include "report/sections.h"

#include <math.h>
#include <stdlib.h>

enum { SERVER, CLIENT };

/* The client counts the load, but for a client that isn't soak's. */
static int load_of(const struct samples *s)
{
    double closed = s->count ? s->sample[s->count - 1].figure[CLIENT][SAMPLE_CLOSED] : NAN;
    return closed > 0 ? CLIENT : SERVER;
}

bool html_has_time(const struct html_run *run)
{
    const struct samples *s = run->samples;
    return s && s->count >= 2 && s->sample[s->count - 1].seconds > s->sample[0].seconds;
}

/* What is drawn of a sample, and how. */
struct figure_row {
    const char *title;
    enum sample_figure figure;
    enum chart_unit unit;
    bool load;          /* of whichever makes the load, else of the subject under test */
    enum metric metric; /* it is a sample of */
    enum { AS_IT_IS, PER_SECOND, STILL_OPEN } as;
};

static const struct figure_row rows[] = {
    {"Connections closed per second", SAMPLE_CLOSED, CHART_COUNT, true, METRIC_NONE, PER_SECOND},
    {"Open connections, handshakes included", SAMPLE_OPENED, CHART_COUNT, true, METRIC_NONE,
     STILL_OPEN},
    {"Failed connections", SAMPLE_FAILED, CHART_COUNT, true, METRIC_NONE, AS_IT_IS},
    {"OpenSSL bytes", SAMPLE_BYTES, CHART_BYTES, false, METRIC_OPENSSL_BYTES, AS_IT_IS},
    {"heap, allocated", SAMPLE_ALLOCATED, CHART_BYTES, false, METRIC_HEAP_ALLOCATED, AS_IT_IS},
    {"RSS", SAMPLE_RSS, CHART_BYTES, false, METRIC_RSS, AS_IT_IS},
};

/* Samples may come within a moment of each other: a rate over less tells nothing. */
static const double SHORTEST = 0.2;

struct track {
    double *x, *y;
    size_t count;
};

static void take(struct track *t, const struct samples *s, const struct figure_row *row,
                 int subject)
{
    double before = 0, seconds = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double *figure = s->sample[i].figure[subject];
        double now = s->sample[i].seconds, value = figure[row->figure];
        if (row->as == STILL_OPEN)
            value -= figure[SAMPLE_CLOSED];
        if (!isfinite(value) || (row->as == PER_SECOND && now - seconds < SHORTEST))
            continue;
        t->x[t->count] = now;
        t->y[t->count++] =
            row->as == PER_SECOND ? fmax(0, value - before) / (now - seconds) : value;
        before = value;
        seconds = now;
    }
}

static bool is_unseen(const struct result *r, const struct figure_row *row)
{
    return r->subjects && row->metric != METRIC_NONE &&
           parts_unseen(judgement_metric(&r->subject[SERVER].judgement, row->metric));
}

static bool is_flat(const struct track *t, double value)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->y[i] != value)
            return false;
    return true;
}

static void draw(const struct track *t, const struct figure_row *row, FILE *out)
{
    char text[256], least[32], most[32];
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < t->count; i++) {
        low = fmin(low, t->y[i]);
        high = fmax(high, t->y[i]);
    }
    bool bytes = row->unit == CHART_BYTES;
    snprintf(text, sizeof text, "%s to %s",
             bytes ? human_bytes(least, sizeof least, low)
                   : human_count(least, sizeof least, (int64_t)(low + 0.5)),
             bytes ? human_bytes(most, sizeof most, high)
                   : human_count(most, sizeof most, (int64_t)(high + 0.5)));
    struct chart c = {.title = row->title,
                      .text = text,
                      .x_title = "time",
                      .x_unit = CHART_SECONDS,
                      .y_unit = row->unit,
                      .line = {.count = t->count, .x = t->x, .y = t->y},
                      .shaded_to = NAN,
                      .from_zero = row->load,
                      .dense = true};
    chart_write(&c, out);
}

void html_time(const struct html_run *run, FILE *out)
{
    const struct samples *s = run->samples;
    double *room = calloc(s->count * 2, sizeof *room);
    CHECK(room);
    html_section("time", "Over time", out);
    html_note("A sample per second and per checkpoint; of a long run those with the extremes of "
              "RSS. The figures of memory are those of the program under test; they jump while "
              "connections come and go, and only checkpoints, where nothing moves, are judged.",
              out);
    fputs("<div class=\"charts\">\n", out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct track t = {.x = room, .y = room + s->count};
        take(&t, s, &rows[i], rows[i].load ? load_of(s) : SERVER);
        /* No connection failed: the load's table says so. */
        if (t.count >= 2 && !is_unseen(run->result, &rows[i]) &&
            !(rows[i].figure == SAMPLE_FAILED && is_flat(&t, 0)))
            draw(&t, &rows[i], out);
    }
    fputs("</div>\n", out);
    html_section_end(out);
    free(room);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Each figure of a subject over the connections that have closed. */
#include "html_internal.h"

#include "base/text.h"
#include "chart.h"
#include "options/grammar.h"
#include "report/figures.h"
#include "report/sections.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { POINTS = 4096, TEXT = 512 };

/* The points of one series, as a chart takes them. */
struct points {
    size_t count, first; /* first: the checkpoint before the first measured epoch */
    double x[POINTS], y[POINTS];
    bool hold[POINTS];
};

/* What is drawn, in this order; the other metrics are drawn where they aren't level. */
static const enum metric drawn[] = {METRIC_OPENSSL_BLOCKS, METRIC_OPENSSL_BYTES,
                                    METRIC_HEAP_ALLOCATED, METRIC_HEAP_ACTIVE,
                                    METRIC_HEAP_RESIDENT,  METRIC_RSS};

static const struct result_series *series_of(const struct result_subject *subject, const char *id)
{
    for (size_t i = 0; i < subject->series_count; i++)
        if (subject->series[i].id && strcmp(subject->series[i].id, id) == 0 &&
            subject->series[i].count <= POINTS)
            return &subject->series[i];
    return NULL;
}

static const struct judge_metric *metric_of(const struct result_subject *subject, const char *id)
{
    enum metric metric;
    return id && metric_from_name(id, &metric) ? judgement_metric(&subject->judgement, metric)
                                               : NULL;
}

/* The checkpoint that the measuring began at; 0 where the document doesn't say. */
static size_t baseline(const struct result_subject *subject)
{
    for (size_t i = 0; i < subject->epochs; i++)
        if (subject->epoch[i].measured)
            return i ? i - 1 : 0;
    return subject->epochs ? subject->epochs - 1 : 0;
}

static void take(struct points *to, const struct result_subject *subject,
                 const struct result_series *s)
{
    to->count = s->count;
    to->first = baseline(subject) < s->count ? baseline(subject) : 0;
    for (size_t i = 0; i < s->count; i++) {
        to->x[i] = (double)s->closed[i];
        to->y[i] = s->value[i];
        to->hold[i] = i < subject->epochs && subject->epoch[i].hold;
    }
}

/* Through the middle of the measured points, as steep as the judge found it. */
static struct chart_fit fit_of(const struct points *p, const struct judge_metric *m)
{
    struct chart_fit f = {.slope = m ? m->per_conn : NAN, .limit = NAN};
    size_t count = 0;
    for (size_t i = p->first; i < p->count; i++) {
        if (!isfinite(p->y[i]))
            continue;
        f.x += p->x[i];
        f.y += p->y[i];
        count++;
    }
    /* A note says that it wasn't judged, or that the slope is of something else. */
    f.there = count >= 2 && isfinite(f.slope) && m->state != METRIC_NOT_JUDGED && !m->note &&
              p->x[p->count - 1] > p->x[p->first];
    if (!f.there)
        return f;
    f.x /= (double)count;
    f.y /= (double)count;
    f.from = p->x[p->first];
    f.to = p->x[p->count - 1];
    f.half_width = m->half_width;
    f.whole_limit = m->state == METRIC_LEVEL;
    f.limit = m->role && strcmp(m->role, metric_role_name(ROLE_COUNT)) == 0 ? 0 : m->decides;
    return f;
}

static const char *state_text(const struct judge_metric *m)
{
    switch (m->state) {
    case METRIC_LEVEL:
        return "level";
    case METRIC_GROWS:
        return "GROWS";
    case METRIC_UNSURE:
        return "unsure";
    case METRIC_EXPLAINED:
        return "explained by what else grows";
    case METRIC_NOT_JUDGED:
        break;
    }
    return "not judged";
}

/* `7,938 to 12,458`: what is to be seen of a figure that the judge has nothing to say of. */
static void say_ends(char *buf, size_t size, const struct result_series *s)
{
    char start[FIGURE_SIZE], end[FIGURE_SIZE];
    snprintf(buf, size, "%s to %s", figure_level(start, sizeof start, s->value[0], s->unit),
             figure_level(end, sizeof end, s->value[s->count - 1], s->unit));
}

/* `7,938 to 12,458; +1 per connection: GROWS` */
static void say(char *buf, size_t size, const struct judge_metric *m, const struct judgement *j)
{
    char start[FIGURE_SIZE], end[FIGURE_SIZE], growth[FIGURE_SIZE];
    struct text t = text_into(buf, size);
    text_add(&t, "%s to %s", figure_level(start, sizeof start, m->start, m->unit),
             figure_level(end, sizeof end, m->end, m->unit));
    if (isfinite(m->per_conn) && isfinite(m->half_width))
        text_add(&t, "; %s per %s",
                 figure_growth(growth, sizeof growth, m->per_conn, m->half_width,
                               figure_is_bytes(m->unit)),
                 judgement_unit(j));
    text_add(&t, ": %s", state_text(m));
    if (m->note)
        text_add(&t, ", %s", m->note);
}

static const char *axis_of(const struct result_subject *subject)
{
    return subject->ended ? "connections of a run" : unit_axis(subject->judgement.unit);
}

static bool draw(const struct result_subject *subject, enum metric metric, FILE *out)
{
    static struct points p; /* large */
    char text[TEXT];
    const char *id = metric_name(metric);
    const struct result_series *s = series_of(subject, id);
    if (!s || s->count == 0)
        return false;
    const struct judge_metric *m = metric_of(subject, id);
    if (parts_unseen(m))
        return false;
    take(&p, subject, s);
    if (m)
        say(text, sizeof text, m, &subject->judgement);
    else
        say_ends(text, sizeof text, s);
    struct chart c = {.title = metric_info(metric)->label,
                      .text = text,
                      .x_title = axis_of(subject),
                      .y_unit = figure_is_bytes(s->unit) ? CHART_BYTES : CHART_COUNT,
                      .line = {.count = p.count, .x = p.x, .y = p.y, .hollow = p.hold},
                      .fit = fit_of(&p, m),
                      .shaded_to = subject->epochs ? p.x[p.first] : NAN};
    return chart_write(&c, out);
}

/* What the heap's pages hold beyond what is allocated. */
static bool draw_fragmentation(const struct result_subject *subject, FILE *out)
{
    static struct points p;
    const struct result_series *allocated = series_of(subject, metric_name(METRIC_HEAP_ALLOCATED)),
                               *active = series_of(subject, metric_name(METRIC_HEAP_ACTIVE));
    char text[TEXT];
    if (!allocated || !active || allocated->count != active->count || active->count < 2)
        return false;
    take(&p, subject, active);
    for (size_t i = 0; i < p.count; i++)
        p.y[i] = p.y[i] > 0 ? 1 - allocated->value[i] / p.y[i] : NAN;
    snprintf(text, sizeof text, "%.1f %% to %.1f %%: free space in pages that are in use",
             p.y[p.first] * 100, p.y[p.count - 1] * 100);
    struct chart c = {.title = "Fragmentation",
                      .text = text,
                      .x_title = axis_of(subject),
                      .y_unit = CHART_PERCENT,
                      .line = {.count = p.count, .x = p.x, .y = p.y, .hollow = p.hold},
                      .shaded_to = subject->epochs ? p.x[p.first] : NAN,
                      .from_zero = true};
    return isfinite(p.y[p.first]) && isfinite(p.y[p.count - 1]) && chart_write(&c, out);
}

static bool is_drawn_anyway(enum metric metric)
{
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
        if (drawn[i] == metric)
            return true;
    return false;
}

/* ---- every value, as a table ---- */

static const char *phase_of(const struct result_subject *subject, size_t c)
{
    static const char *const names[] = {[PHASE_WARM] = "warm-up",
                                        [PHASE_MEASURED] = "measured",
                                        [PHASE_HOLD] = "no churn",
                                        [PHASE_CONFIRM] = "confirming"};
    return names[html_phase(subject, c)];
}

static void write_value_row(const struct result_subject *subject, size_t c, FILE *out)
{
    char text[FIGURE_SIZE];
    const struct result_series *first = &subject->series[0];
    html_row(out);
    snprintf(text, sizeof text, "%zu", c);
    html_head_cell(text, out);
    html_cell(c < subject->epochs ? phase_of(subject, c) : "", out);
    html_number(human_count(text, sizeof text, (int64_t)first->closed[c]), out);
    for (size_t i = 0; i < subject->series_count; i++) {
        const struct result_series *s = &subject->series[i];
        if (parts_unseen(metric_of(subject, s->id)))
            continue;
        html_number(c < s->count ? figure_level(text, sizeof text, s->value[c], s->unit) : "", out);
    }
}

static void write_values(const struct result_subject *subject, FILE *out)
{
    char column[JUDGE_METRICS * 4 + 3][64], caption[128];
    const char *columns[JUDGE_METRICS * 4 + 3] = {"|checkpoint", "|phase", ">closed"};
    size_t count = 3;
    for (size_t i = 0; i < subject->series_count && i < JUDGE_METRICS * 4; i++) {
        enum metric metric;
        const char *id = subject->series[i].id ? subject->series[i].id : "";
        if (parts_unseen(metric_of(subject, id)))
            continue;
        snprintf(column[count], sizeof column[count], ">%s",
                 metric_from_name(id, &metric) ? metric_info(metric)->label : id);
        columns[count] = column[count];
        count++;
    }
    snprintf(caption, sizeof caption, "The %s at each checkpoint", subject->name);
    fputs("<details><summary>All figures as a table</summary>\n", out);
    html_table(caption, columns, count, out);
    for (size_t c = 0; c < subject->series[0].count; c++)
        write_value_row(subject, c, out);
    html_table_end(out);
    fputs("</details>\n", out);
}

/* ---- the section ---- */

/* Those of a chart: a run that never came to a second checkpoint has none. */
bool html_has_growth(const struct result_subject *subject)
{
    return subject->name && subject->series_count && subject->series_count <= JUDGE_METRICS * 4 &&
           subject->series[0].count >= 2 &&
           subject->series[0].closed[subject->series[0].count - 1] > 0;
}

static void draw_all(const struct result_subject *subject, FILE *out)
{
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
        draw(subject, drawn[i], out);
    for (int m = METRIC_NONE + 1; m < METRICS; m++) {
        const struct judge_metric *found = judgement_metric(&subject->judgement, (enum metric)m);
        if (!is_drawn_anyway((enum metric)m) && found &&
            (found->state == METRIC_GROWS || found->state == METRIC_UNSURE))
            draw(subject, (enum metric)m, out);
    }
    draw_fragmentation(subject, out);
}

void html_growth(const struct result *r, const struct result_subject *subject, FILE *out)
{
    char id[64], title[128];
    bool first = subject == &r->subject[0];
    snprintf(id, sizeof id, "growth-%zu", (size_t)(subject - r->subject));
    snprintf(title, sizeof title, "Growth of the %s", subject->name);
    html_section(id, title, out);
    if (first)
        html_note("A point per checkpoint: the process at rest, with the same connections open. "
                  "Shaded: warm-up. A ring: after a stretch without churn. The line is the growth "
                  "that was judged, the band where it may lie (99 %), dashed the limit.",
                  out);
    fputs(first ? "<div class=\"charts\">\n"
                : "<details><summary>Charts</summary><div class=\"charts\">\n",
          out);
    draw_all(subject, out);
    fputs(first ? "</div>\n" : "</div></details>\n", out);
    write_values(subject, out);
    html_section_end(out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "history_figures.h"

#include "base/text.h"
#include "options/grammar.h"
#include "report/figures.h"
#include "report/footprint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char growth_word[] = "growth.";

/* ---- reading a result ---- */

/* 0 to 3: allocations, their bytes, the handshake's peak, what is held when idle. */
static double side_figure(const struct result *r, const struct result_subject *s, int which)
{
    enum footprint_end end;
    if (!r->footprint || r->footprint->connections == 0 || !footprint_end_from_name(s->name, &end))
        return NAN;
    const struct footprint_side *side = &r->footprint->end[end];
    const double value[] = {side->allocs, side->alloc_bytes, side->peak_bytes,
                            side->held[FOOTPRINT_IDLE].bytes};
    return value[which];
}

static const struct judge_metric *metric_of(const struct result_subject *s, enum metric m)
{
    return judgement_metric(&s->judgement, m);
}

static double level(const struct result_subject *s, enum metric m)
{
    const struct judge_metric *found = metric_of(s, m);
    return found ? found->end : NAN;
}

static double one_in(const struct result *r)
{
    double n = r->subjects ? r->subject[0].judgement.sensitivity.one_in : 0;
    return n > 0 ? n : NAN;
}

static void add(struct history_figures *f, const char *subject, const char *name, double value)
{
    if (!isfinite(value) || f->count == HISTORY_FIGURES)
        return;
    int length =
        snprintf(f->name[f->count], HISTORY_NAME, "%s%s%s", subject, *subject ? "." : "", name);
    if (length >= HISTORY_NAME)
        return;
    f->figure[f->count] = (struct history_figure){f->name[f->count], value};
    f->count++;
}

static void add_growth(struct history_figures *f, const struct result_subject *s)
{
    for (size_t i = 0; i < s->judgement.metrics; i++) {
        char name[HISTORY_NAME];
        const struct judge_metric *m = &s->judgement.metric[i];
        snprintf(name, sizeof name, "%s%.40s", growth_word, m->id);
        add(f, s->name, name, m->per_conn);
    }
}

/* What is measured as 0 was not measured: neither costs nor peaks can be nothing. */
static double measured(double value)
{
    return value > 0 ? value : NAN;
}

void history_figures_read(struct history_figures *f, const struct result *r)
{
    f->count = 0;
#define ADD(key, label, unit, counted, relative, value) add(f, "", key, measured(value));
    HISTORY_RUN_FIGURES(ADD)
#undef ADD
    for (size_t i = 0; i < r->subjects; i++) {
        const struct result_subject *s = &r->subject[i];
        if (!s->name)
            continue;
#define ADD(key, label, unit, counted, relative, value) add(f, s->name, key, measured(value));
        HISTORY_SUBJECT_FIGURES(ADD)
#undef ADD
        add_growth(f, s);
    }
}

/* ---- what a name means ---- */

struct row {
    const char *name, *label, *unit;
    bool counted;
    double relative;
};
#define ROW(key, label, unit, counted, relative, value) {key, label, unit, counted, relative},
static const struct row run_row[] = {HISTORY_RUN_FIGURES(ROW)};
static const struct row subject_row[] = {HISTORY_SUBJECT_FIGURES(ROW)};

enum { RUN_ROWS = sizeof run_row / sizeof *run_row };
enum { SUBJECT_ROWS = sizeof subject_row / sizeof *subject_row };

/* Its index; `rows`: there is none. */
static size_t find(const struct row *row, size_t rows, const char *name)
{
    size_t i = 0;
    while (i < rows && strcmp(row[i].name, name) != 0)
        i++;
    return i;
}

/* A growth of a counted figure steps when it is no longer 0, or 0 again; a thousandth of a block
 * per connection, or a tenth of a byte, is what a single late block looks like. */
static void describe_growth(struct history_figure_info *info, const char *id)
{
    enum metric m = METRICS;
    bool known = metric_from_name(id, &m);
    const struct metric_info *metric = known ? metric_info(m) : NULL;
    bool bytes = known && figure_is_bytes(metric->unit);
    info->growth = true;
    info->rank += SUBJECT_ROWS + m;
    info->unit = bytes ? "bytes" : "";
    info->judged = known && metric->role != ROLE_WITNESS;
    info->counted = known && metric->role == ROLE_COUNT;
    info->absolute = info->counted ? (bytes ? 0.1 : 0.001) : 16;
    snprintf(info->label + strlen(info->label), sizeof info->label - strlen(info->label),
             "%.30s, growth", known ? metric->label : id);
}

static void describe(struct history_figure_info *info, const struct row *row)
{
    info->unit = row->unit;
    info->judged = true;
    info->counted = row->counted;
    info->relative = row->relative;
    snprintf(info->label + strlen(info->label), sizeof info->label - strlen(info->label), "%s",
             row->label);
}

/* Those of the run come first, then subject by subject; what isn't known comes last. */
struct history_figure_info history_figure_info(const char *name)
{
    enum { OF_A_SUBJECT = 1000 };
    struct history_figure_info info = {.unit = ""};
    const char *dot = strchr(name, '.'), *figure = dot ? dot + 1 : name;
    size_t of_run = find(run_row, RUN_ROWS, name),
           of_subject = find(subject_row, SUBJECT_ROWS, figure);
    if (of_run < RUN_ROWS) {
        info.rank = of_run;
        describe(&info, &run_row[of_run]);
        return info;
    }
    info.rank = strncmp(name, "server.", 7) == 0 ? OF_A_SUBJECT : 2 * OF_A_SUBJECT;
    snprintf(info.label, sizeof info.label, "%.*s ", dot ? (int)(dot - name) : 0, name);
    if (strncmp(figure, growth_word, sizeof growth_word - 1) == 0) {
        describe_growth(&info, figure + sizeof growth_word - 1);
    } else if (dot && of_subject < SUBJECT_ROWS) {
        info.rank += of_subject;
        describe(&info, &subject_row[of_subject]);
    } else {
        info.rank = SIZE_MAX;
        text_copy(info.label, sizeof info.label, name);
    }
    return info;
}

char *history_figure_text(const struct history_figure_info *info, double value, char *buf,
                          size_t size)
{
    char number[FIGURE_SIZE];
    bool bytes = figure_is_bytes(info->unit);
    if (!isfinite(value))
        snprintf(buf, size, "-");
    else if (info->growth)
        figure_growth(buf, size, value, NAN, bytes);
    else if (bytes && info->counted)
        snprintf(buf, size, "%s B", figure_grouped(number, sizeof number, value, 0));
    else if (bytes)
        figure_size(buf, size, value);
    else if (strcmp(info->unit, "ns") == 0)
        snprintf(buf, size, "%.3g ms", value / 1e6);
    else if (strcmp(info->unit, "us") == 0)
        snprintf(buf, size, "%.0f µs", value);
    else
        figure_plain(buf, size, value);
    return buf;
}

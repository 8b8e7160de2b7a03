/* SPDX-License-Identifier: Apache-2.0 */
/* What a page tells in tables: behaviours, size classes, census, load. */
#include "html_internal.h"

#include "base/markup.h"
#include "options/grammar.h"
#include "report/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_WIDTH = 160, SIZES_MOST = 24, SIZES_LEAST = 8, SIZES_ALL = 512 };

/* ---- what several sections look up ---- */

/* What isn't measured once the measuring has begun confirms which behaviours leak. */
enum html_phase html_phase(const struct result_subject *subject, size_t e)
{
    bool begun = false;
    for (size_t i = 0; i < e; i++)
        begun |= subject->epoch[i].measured;
    if (subject->epoch[e].hold)
        return PHASE_HOLD;
    return subject->epoch[e].measured ? PHASE_MEASURED : begun ? PHASE_CONFIRM : PHASE_WARM;
}

const char *html_phase_letter(const struct result_subject *subject, size_t e)
{
    static const char *const letters[] = {
        [PHASE_WARM] = "w", [PHASE_MEASURED] = "", [PHASE_HOLD] = "", [PHASE_CONFIRM] = "c"};
    return letters[html_phase(subject, e)];
}

char *html_change(char *buf, size_t size, int64_t change)
{
    char count[32];
    snprintf(buf, size, "%s%s", change > 0 ? "+" : "", human_count(count, sizeof count, change));
    return buf;
}

/* ---- behaviours ---- */

/* 99 % of a normal distribution lie within so many standard deviations. */
static const double WITHIN_99 = 2.576;

static bool is_solved(const struct result_subject *subject)
{
    const struct result_attribution *a = subject->attribution;
    return subject->name && a && a->behaviours && a->outcome != BEHAVIOURS_NONE &&
           a->outcome != BEHAVIOURS_UNTOLD;
}

bool html_has_behaviours(const struct result *r)
{
    for (size_t i = 0; i < r->subjects; i++)
        if (is_solved(&r->subject[i]))
            return true;
    return false;
}

/* The largest end of an interval. */
static double extent(const struct result_attribution *a)
{
    double most = 1;
    for (size_t i = 0; i < a->behaviours; i++) {
        const struct behaviours_share *s = &a->behaviour[i].share;
        if (isfinite(s->bytes) && isfinite(s->bytes_error))
            most = fmax(most, fabs(s->bytes) + WITHIN_99 * s->bytes_error);
    }
    return most;
}

/* Zero in the middle. */
static void write_interval(const struct behaviours_share *s, double most, FILE *out)
{
    double scale = (BAR_WIDTH / 2.0 - 4) / most, middle = BAR_WIDTH / 2.0;
    double half = WITHIN_99 * s->bytes_error;
    fprintf(out, "<td><svg class=\"bar\" viewBox=\"0 0 %d 16\" aria-hidden=\"true\">", BAR_WIDTH);
    fprintf(out, "<path class=\"grid\" d=\"M%.1f 0V16\"/>", middle);
    if (isfinite(s->bytes) && isfinite(half))
        fprintf(out,
                "<path class=\"line\" d=\"M%.1f 8H%.1f\"/><circle class=\"p\" cx=\"%.1f\" cy=\"8\" "
                "r=\"4\"/>",
                middle + (s->bytes - half) * scale, middle + (s->bytes + half) * scale,
                middle + s->bytes * scale);
    fputs("</svg></td>", out);
}

static const char *behaviour_text(enum behaviour_verdict verdict)
{
    switch (verdict) {
    case BEHAVIOUR_GUILTY:
        return "leaks";
    case BEHAVIOUR_INNOCENT:
        return "doesn't leak";
    default:
        return "unknown";
    }
}

static void write_behaviours(const struct result_subject *subject, FILE *out)
{
    static const char *const columns[] = {"|behaviour", ">connections", ">bytes each",
                                          "|99 % interval", "|"};
    const struct result_attribution *a = subject->attribution;
    char caption[128], text[FIGURE_SIZE];
    snprintf(caption, sizeof caption, "Bytes that a connection of each behaviour leaves in the %s",
             subject->name);
    html_table(caption, columns, sizeof columns / sizeof *columns, out);
    for (size_t i = 0; i < a->behaviours; i++) {
        const struct behaviours_share *s = &a->behaviour[i].share;
        html_row(out);
        html_head_cell(a->behaviour[i].name, out);
        html_number(human_count(text, sizeof text, (int64_t)s->connections), out);
        html_number(isfinite(s->bytes) ? figure_growth(text, sizeof text, s->bytes,
                                                       WITHIN_99 * s->bytes_error, true)
                                       : "",
                    out);
        write_interval(s, extent(a), out);
        html_cell(behaviour_text(s->verdict), out);
    }
    html_table_end(out);
}

void html_behaviours(const struct result *r, FILE *out)
{
    html_section("behaviours", "Which peers leave it", out);
    for (size_t i = 0; i < r->subjects; i++)
        if (is_solved(&r->subject[i]))
            write_behaviours(&r->subject[i], out);
    html_section_end(out);
}

/* ---- size classes ---- */

bool html_has_sizes(const struct result *r)
{
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].name && r->subject[i].size_classes)
            return true;
    return false;
}

/* Those that changed by most bytes first, of equals those that hold most. */
static int by_change(const void *a, const void *b)
{
    const struct result_size_class *x = a, *y = b;
    double dx = fabs((double)(x->end - x->start)) * (double)x->size;
    double dy = fabs((double)(y->end - y->start)) * (double)y->size;
    double hx = (double)x->end * (double)x->size, hy = (double)y->end * (double)y->size;
    return dx != dy ? (dx < dy) - (dx > dy) : (hx < hy) - (hx > hy);
}

/* All that changed, and a few of the others. */
static size_t shown_of(const struct result_size_class *sorted, size_t count)
{
    size_t shown = 0;
    while (shown < count && shown < SIZES_MOST &&
           (sorted[shown].end != sorted[shown].start || shown < SIZES_LEAST))
        shown++;
    return shown;
}

static void write_bar(double start, double end, double most, FILE *out)
{
    double scale = most > 0 ? (BAR_WIDTH - 2) / most : 0;
    fprintf(out,
            "<td><svg class=\"bar\" viewBox=\"0 0 %d 16\" aria-hidden=\"true\"><rect class=\"was\" "
            "y=\"1\" width=\"%.1f\" height=\"6\"/><rect class=\"is\" y=\"8\" width=\"%.1f\" "
            "height=\"6\"/></svg></td>",
            BAR_WIDTH, fmax(1, start * scale), fmax(1, end * scale));
}

static void write_sizes(const struct result_subject *subject, FILE *out)
{
    static const char *const columns[] = {"|size", ">start", ">end", ">change", "|start, end"};
    struct result_size_class sorted[SIZES_ALL];
    size_t count = subject->size_classes, room = sizeof sorted / sizeof *sorted;
    char caption[128], text[FIGURE_SIZE];
    double most = 0;
    count = count < room ? count : room;
    memcpy(sorted, subject->size_class, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_change);
    count = shown_of(sorted, count);
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fmax((double)sorted[i].start, (double)sorted[i].end));
    snprintf(caption, sizeof caption, "Live regions of jemalloc's size classes in the %s",
             subject->name);
    html_table(caption, columns, sizeof columns / sizeof *columns, out);
    for (size_t i = 0; i < count; i++) {
        const struct result_size_class *c = &sorted[i];
        html_row(out);
        html_head_cell(human_bytes(text, sizeof text, (double)c->size), out);
        html_number(human_count(text, sizeof text, c->start), out);
        html_number(human_count(text, sizeof text, c->end), out);
        html_number(html_change(text, sizeof text, c->end - c->start), out);
        write_bar((double)c->start, (double)c->end, most, out);
    }
    html_table_end(out);
}

static void write_summary(const char *name, FILE *out)
{
    fputs("<details><summary>Those of the ", out);
    html_text(name, out);
    fputs("</summary>\n", out);
}

void html_sizes(const struct result *r, FILE *out)
{
    html_section("sizes", "Size classes", out);
    html_note("Those that changed by most bytes first, then those that hold most.", out);
    for (size_t i = 0; i < r->subjects; i++) {
        const struct result_subject *subject = &r->subject[i];
        if (!subject->name || !subject->size_classes)
            continue;
        if (i)
            write_summary(subject->name, out);
        write_sizes(subject, out);
        if (i)
            fputs("</details>\n", out);
    }
    html_section_end(out);
}

/* ---- census ---- */

bool html_has_census(const struct result *r)
{
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].name && r->subject[i].census_count)
            return true;
    return false;
}

static void write_census(const struct result_subject *subject, FILE *out)
{
    static const char *const columns[] = {"|class", ">start", ">end", ">change"};
    char caption[128], text[FIGURE_SIZE];
    snprintf(caption, sizeof caption, "Live objects of OpenSSL in the %s", subject->name);
    html_table(caption, columns, sizeof columns / sizeof *columns, out);
    for (size_t i = 0; i < subject->census_count; i++) {
        const struct result_census *c = &subject->census[i];
        html_row(out);
        html_head_cell(c->class_, out);
        html_number(human_count(text, sizeof text, c->start), out);
        html_number(human_count(text, sizeof text, c->end), out);
        html_number(html_change(text, sizeof text, c->end - c->start), out);
    }
    html_table_end(out);
}

void html_census(const struct result *r, FILE *out)
{
    html_section("census", "Census of objects", out);
    fputs("<div class=\"pair\">\n", out);
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].name && r->subject[i].census_count)
            write_census(&r->subject[i], out);
    fputs("</div>\n", out);
    html_section_end(out);
}

/* ---- load ---- */

static void write_fact(const char *name, const char *value, FILE *out)
{
    html_row(out);
    html_head_cell(name, out);
    html_number(value, out);
}

static void write_rate(const char *name, double per_s, FILE *out)
{
    char count[FIGURE_SIZE], text[FIGURE_SIZE + 4];
    snprintf(text, sizeof text, "%s/s",
             figure_grouped(count, sizeof count, per_s, per_s < 10 ? 1 : 0));
    write_fact(name, text, out);
}

static void write_duration(const char *name, uint64_t ns, FILE *out)
{
    char text[FIGURE_SIZE];
    if (ns)
        write_fact(name, human_duration(text, sizeof text, ns), out);
}

static void write_agent(const struct result_agent *a, FILE *out)
{
    char text[FIGURE_SIZE];
    html_row(out);
    html_head_cell(a->name, out);
    html_cell(a->address ? a->address : "", out);
    html_number(human_count(text, sizeof text, (int64_t)a->connections), out);
    html_number(human_count(text, sizeof text, (int64_t)a->failed), out);
    html_number(human_duration(text, sizeof text, a->p50_ns), out);
    html_number(human_duration(text, sizeof text, a->rtt_ns), out);
    html_cell(a->lost ? a->lost : "", out);
}

static void write_agents(const struct result *r, FILE *out)
{
    static const char *const columns[] = {"|agent",     "|address",    ">connections", ">failed",
                                          ">handshake", ">round trip", "|lost"};
    if (!r->agents)
        return;
    html_table("Who made it", columns, sizeof columns / sizeof *columns, out);
    for (size_t i = 0; i < r->agents; i++)
        write_agent(&r->agent[i], out);
    html_table_end(out);
}

void html_load(const struct result *r, FILE *out)
{
    static const char *const columns[] = {"|", ">"};
    const struct result_run *run = &r->run;
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"connections open", run->conns},
                  {unit_axis(run->unit), run->closed},
                  {"of these, measured", run->measured},
                  {"runs of the program", r->loops},
                  {"failed connections", run->errors.total}};
    char text[FIGURE_SIZE];
    html_section("load", "Load", out);
    html_table("What the run did", columns, sizeof columns / sizeof *columns, out);
    for (size_t i = run->conns && !r->loops ? 0 : 1; i < sizeof counts / sizeof *counts; i++)
        write_fact(counts[i].name, human_count(text, sizeof text, (int64_t)counts[i].count), out);
    write_rate("rate", run->rate_per_s, out);
    if (run->asked_per_s > 0)
        write_rate("rate asked for", run->asked_per_s, out);
    else
        write_fact("rate asked for", "as fast as it goes", out);
    write_duration("handshake, half are faster than", run->p50_ns, out);
    write_duration("90 % are faster than", run->p90_ns, out);
    write_duration("99 % are faster than", run->p99_ns, out);
    write_duration("the slowest", run->max_ns, out);
    html_table_end(out);
    write_agents(r, out);
    html_section_end(out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How long the handshakes took: how many of them by a logarithmic axis of time. */
#include "html_internal.h"

#include "chart_internal.h"
#include "options/grammar.h"
#include "report/figures.h"

#include <inttypes.h>
#include <math.h>

enum { BARS = 64, TEXT = 256, LABEL_WIDTH = 50, MARK_WIDTH = 26 };

/* An axis less wide than this, as a share of its start, shows nothing but one bar. */
static const double LEAST_FACTOR = 2.25;

/* Bars of `per` buckets each, from bucket `first` on. */
struct bars {
    const struct hist *times;
    unsigned first, per, count;
    double from, to; /* of the axis: log10 of nanoseconds */
};

bool html_has_handshakes(const struct result *r)
{
    return r->run.times && r->run.times->count;
}

/* ---- bars ---- */

static uint64_t bar_from(const struct bars *b, unsigned bar)
{
    unsigned bucket = b->first + bar * b->per;
    return bucket ? hist_top(bucket - 1) + 1 : 0;
}

static uint64_t bar_to(const struct bars *b, unsigned bar)
{
    return hist_top(b->first + (bar + 1) * b->per - 1);
}

static uint64_t bar_count(const struct bars *b, unsigned bar)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < b->per; i++)
        count += b->times->bucket[b->first + bar * b->per + i];
    return count;
}

static double log_of(double ns)
{
    return log10(fmax(1, ns));
}

/* Bars differ in width, by up to twice: so a bar's area is its handshakes, and its height what a
 * bar of the middle width would have. */
static double bar_height(const struct bars *b, unsigned bar)
{
    double usual = log10(2) * b->per / (1 << HIST_SUB_BITS);
    double wide = log_of((double)bar_to(b, bar) + 1) - log_of((double)bar_from(b, bar));
    return (double)bar_count(b, bar) * usual / fmax(wide, usual / 2);
}

/* As fine as BARS allow. A power of two of buckets each, so that no bar goes beyond the last. */
static struct bars bars_of(const struct hist *times)
{
    unsigned first = 0, last = HIST_BUCKETS - 1, per = 1;
    while (first < last && !times->bucket[first])
        first++;
    while (last > first && !times->bucket[last])
        last--;
    while (last / per - first / per >= BARS)
        per *= 2;
    struct bars b = {.times = times,
                     .first = first / per * per,
                     .per = per,
                     .count = last / per - first / per + 1};
    b.from = log_of((double)bar_from(&b, 0));
    b.to = log_of((double)bar_to(&b, b.count - 1) + 1);
    double lacks = log10(LEAST_FACTOR) - (b.to - b.from);
    b.from -= fmax(0, lacks / 2);
    b.to += fmax(0, lacks / 2);
    return b;
}

static double at(const struct bars *b, double ns)
{
    return (log_of(ns) - b->from) / (b->to - b->from) * PLOT_WIDTH;
}

/* `38.8 ms`: the histogram is right to three digits, nearly. */
static char *time_text(char *buf, size_t size, double ns)
{
    static const char *const names[] = {"ns", "µs", "ms", "s"};
    size_t i = 0;
    for (; i < 3 && ns >= 999.5; i++)
        ns /= 1000;
    snprintf(buf, size, i == 3 && ns >= 999.5 ? "%.0f %s" : "%.3g %s", ns, names[i]);
    return buf;
}

static double share(const struct bars *b, uint64_t count)
{
    return 100 * (double)count / (double)b->times->count;
}

static void write_bars(const struct bars *b, const struct chart_axis *y, FILE *out)
{
    char from[32], to[32], count[32];
    for (unsigned i = 0; i < b->count; i++) {
        uint64_t value = bar_count(b, i);
        double left = at(b, (double)bar_from(b, i)), right = at(b, (double)bar_to(b, i) + 1);
        /* One of many is to be seen too. */
        double height = fmax(1.5, PLOT_HEIGHT - chart_y(y, bar_height(b, i)));
        if (!value)
            continue;
        fprintf(out,
                "<rect class=\"b\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s "
                "to %s: %s %s, %.3g %%</title></rect>\n",
                left, PLOT_HEIGHT - height, fmax(1, right - left - 0.5), height,
                time_text(from, sizeof from, (double)bar_from(b, i)),
                time_text(to, sizeof to, (double)bar_to(b, i)),
                human_count(count, sizeof count, (int64_t)value),
                value == 1 ? "handshake" : "handshakes", share(b, value));
    }
}

/* ---- axes and marks ---- */

/* What is labelled of each power of ten, by how many of them the axis shows: so that each label has
 * room. */
static const struct {
    double powers;
    double label[6]; /* 0 ends them */
} ticks[] = {{0.75, {1, 1.5, 2, 3, 5, 7}}, {1.5, {1, 2, 5}}, {3, {1, 3}}, {INFINITY, {1}}};

/* One at the right edge ends there. */
static void write_tick(const struct bars *b, double ns, FILE *out)
{
    double x = LEFT + at(b, ns);
    bool last = x > WIDTH - LABEL_WIDTH / 2.0;
    char label[32];
    if (x < LEFT - 0.5 || x > WIDTH - RIGHT + 0.5)
        return;
    fprintf(out,
            "<path class=\"grid\" d=\"M%.1f %dv4\"/><text x=\"%.1f\" y=\"%d\" "
            "class=\"%s\">%s</text>\n",
            x, HEIGHT - BOTTOM, last ? WIDTH - 2 : x, HEIGHT - BOTTOM + 15, last ? "tt" : "tx",
            time_text(label, sizeof label, ns));
}

static void write_ticks(const struct bars *b, FILE *out)
{
    size_t row = 0;
    while (b->to - b->from > ticks[row].powers)
        row++;
    for (int power = (int)floor(b->from); power <= (int)ceil(b->to); power++)
        for (size_t i = 0; i < 6 && ticks[row].label[i] > 0; i++)
            write_tick(b, ticks[row].label[i] * pow(10, power), out);
}

/* A quantile's name is left out where it would stand on the one before. */
static void write_marks(const struct bars *b, FILE *out)
{
    static const struct {
        const char *name;
        double fraction;
    } marks[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}};
    double last = -MARK_WIDTH;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        double x = at(b, (double)hist_quantile(b->times, marks[i].fraction));
        fprintf(out, "<path class=\"mark\" d=\"M%.1f 0v%d\"/>", x, PLOT_HEIGHT);
        if (x - last < MARK_WIDTH)
            continue;
        fprintf(out, "<text class=\"tx\" x=\"%.1f\" y=\"-4\">%s</text>\n", x, marks[i].name);
        last = x;
    }
}

static struct chart_axis y_axis(const struct bars *b)
{
    double most = 0;
    for (unsigned i = 0; i < b->count; i++)
        most = fmax(most, bar_height(b, i));
    return chart_axis(0, most, STEPS, CHART_COUNT);
}

static void draw(const struct bars *b, FILE *out)
{
    char text[TEXT], half[32], most[32], nearly[32], slowest[32];
    struct chart_axis y = y_axis(b);
    snprintf(text, sizeof text, "Half took at most %s, 90 %% %s, 99 %% %s; the slowest %s",
             time_text(half, sizeof half, (double)hist_quantile(b->times, 0.5)),
             time_text(most, sizeof most, (double)hist_quantile(b->times, 0.9)),
             time_text(nearly, sizeof nearly, (double)hist_quantile(b->times, 0.99)),
             time_text(slowest, sizeof slowest, (double)b->times->max));
    chart_begin("Handshakes by the time they took", text, out);
    chart_y_ticks(&y, out);
    chart_titles("time, logarithmic", "", y.name, out);
    write_ticks(b, out);
    fprintf(out, "<g transform=\"translate(%d %d)\">\n", LEFT, TOP);
    write_bars(b, &y, out);
    write_marks(b, out);
    fputs("</g>\n", out);
    chart_end(text, out);
}

/* ---- every count, as a table ---- */

static void write_counts(const struct bars *b, FILE *out)
{
    static const char *const columns[] = {">from", ">to", ">handshakes", ">share",
                                          ">as fast or faster"};
    char text[FIGURE_SIZE];
    uint64_t seen = 0;
    fputs("<details><summary>All counts as a table</summary>\n", out);
    html_table("Handshakes by the time they took", columns, sizeof columns / sizeof *columns, out);
    for (unsigned i = 0; i < b->count; i++) {
        uint64_t count = bar_count(b, i);
        if (!count)
            continue;
        seen += count;
        html_row(out);
        html_number(time_text(text, sizeof text, (double)bar_from(b, i)), out);
        html_number(time_text(text, sizeof text, (double)bar_to(b, i)), out);
        html_number(human_count(text, sizeof text, (int64_t)count), out);
        snprintf(text, sizeof text, "%.2f %%", share(b, count));
        html_number(text, out);
        snprintf(text, sizeof text, "%.2f %%", share(b, seen));
        html_number(text, out);
    }
    html_table_end(out);
    fputs("</details>\n", out);
}

void html_handshakes(const struct result *r, FILE *out)
{
    const struct bars b = bars_of(r->run.times);
    html_section("handshakes", "Handshake times", out);
    html_note(
        "From connecting to the end of the handshake, as the client saw it, of all that were "
        "completed, warm-up included, each time accurate to 1.6 %. A bar's area is its handshakes.",
        out);
    fputs("<div class=\"charts\">\n", out);
    draw(&b, out);
    fputs("</div>\n", out);
    write_counts(&b, out);
    html_section_end(out);
}

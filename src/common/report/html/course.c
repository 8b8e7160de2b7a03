/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of each epoch's blocks: for a site a cell per epoch of birth and checkpoint. What is
 * never freed fills the triangle above the diagonal, what a bounded cache holds a stripe along it.
 */
#include "html_internal.h"

#include "base/check.h"
#include "chart_internal.h"
#include "options/grammar.h"
#include "report/figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Of all cells a page has room for so many a site, and of so many sites. */
enum { GROUPS = 16, LEAST_GROUPS = 3, SITES = 8, TEXT = 160 };

/* Epochs, several together where they are many. */
struct course {
    const struct result_subject *subject;
    const struct result_site *site;
    size_t groups, last[GROUPS]; /* the last epoch of each, and its checkpoint */
    double densest;
};

static size_t first_of(const struct course *c, size_t group)
{
    return group ? c->last[group - 1] + 1 : 0;
}

/* Blocks of the group's epochs that were alive at the end of another one. */
static int64_t alive(const struct course *c, size_t group, size_t at)
{
    int64_t sum = 0;
    for (size_t e = first_of(c, group); e <= c->last[group]; e++)
        sum += c->site->alive[result_alive(e, c->last[at])];
    return sum;
}

static uint64_t opened(const struct course *c, size_t group)
{
    uint64_t sum = 0;
    for (size_t e = first_of(c, group); e <= c->last[group]; e++)
        sum += c->subject->epoch[e].opened;
    return sum;
}

static double density(const struct course *c, size_t group, size_t at)
{
    uint64_t of = opened(c, group);
    int64_t blocks = alive(c, group, at);
    return of && blocks > 0 ? (double)blocks / (double)of : 0;
}

static bool is_measured(const struct course *c, size_t group)
{
    return html_phase(c->subject, c->last[group]) == PHASE_MEASURED;
}

/* Of the measured epochs; without such, of all. */
static double densest(const struct course *c)
{
    double most = 0, all = 0;
    for (size_t at = 0; at < c->groups; at++)
        for (size_t group = 0; group <= at; group++) {
            double here = density(c, group, at);
            all = fmax(all, here);
            most = fmax(most, is_measured(c, group) ? here : 0);
        }
    return most > 0 ? most : all;
}

static struct course course_of(const struct result_subject *subject, const struct result_site *site)
{
    struct course c = {.subject = subject, .site = site};
    size_t epochs = site->births;
    c.groups = epochs < GROUPS ? epochs : GROUPS;
    for (size_t i = 0; i < c.groups; i++)
        c.last[i] = (i + 1) * epochs / c.groups - 1;
    c.densest = densest(&c);
    return c;
}

static bool has_course(const struct result_subject *subject, const struct result_site *site)
{
    return subject->name && !subject->ended && site->alive && site->births == subject->epochs &&
           site->births >= LEAST_GROUPS && course_of(subject, site).densest > 0;
}

/* ---- drawing ---- */

/* `epoch 3`, `epochs 4 to 6`. */
static char *group_text(const struct course *c, size_t group, char *buf, size_t size)
{
    size_t first = first_of(c, group), last = c->last[group];
    if (first == last)
        snprintf(buf, size, "epoch %zu", last);
    else
        snprintf(buf, size, "epochs %zu to %zu", first, last);
    return buf;
}

static void write_cell(const struct course *c, size_t group, size_t at, FILE *out)
{
    double wide = (double)PLOT_WIDTH / (double)c->groups,
           high = (double)PLOT_HEIGHT / (double)c->groups;
    char text[64], blocks[32], of[32];
    int shade = (int)ceil(fmin(1, density(c, group, at) / c->densest) * HTML_SHADES - 1e-9);
    if (shade == 0)
        return;
    fprintf(out,
            "<rect class=\"c h%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%.1f\"><title>%s at %zu: %s of %s</title></rect>\n",
            shade, (double)at * wide, (double)group * high, wide - 1, high - 1,
            group_text(c, group, text, sizeof text), c->last[at],
            human_count(blocks, sizeof blocks, alive(c, group, at)),
            human_count(of, sizeof of, (int64_t)opened(c, group)));
}

/* The steps that the cells stand on: a cell without blocks isn't drawn. */
static void write_ground(const struct course *c, FILE *out)
{
    double wide = (double)PLOT_WIDTH / (double)c->groups,
           high = (double)PLOT_HEIGHT / (double)c->groups;
    fputs("<path class=\"ground\" d=\"M0 0", out);
    for (size_t i = 0; i < c->groups; i++)
        fprintf(out, "V%.1fH%.1f", (double)(i + 1) * high, (double)(i + 1) * wide);
    fputs("V0Z\"/>\n", out);
}

static void write_labels(const struct course *c, FILE *out)
{
    double wide = (double)PLOT_WIDTH / (double)c->groups,
           high = (double)PLOT_HEIGHT / (double)c->groups;
    for (size_t i = 0; i < c->groups; i++)
        fprintf(out,
                "<text class=\"ty\" x=\"%d\" y=\"%.1f\">%s%zu</text><text class=\"tx\" x=\"%.1f\" "
                "y=\"%d\">%zu</text>\n",
                LEFT - 6, TOP + ((double)i + 0.5) * high + 4,
                html_phase_letter(c->subject, c->last[i]), c->last[i],
                LEFT + ((double)i + 0.5) * wide, HEIGHT - BOTTOM + 15, c->last[i]);
}

/* `3,780 blocks of the measured epochs were alive at the end of their epoch, 3,750 at the last
 * checkpoint`. */
static void say(const struct course *c, char *buf, size_t size)
{
    int64_t then = 0, now = 0;
    char first[32], last[32];
    for (size_t e = 0; e < c->site->births; e++) {
        if (html_phase(c->subject, e) != PHASE_MEASURED)
            continue;
        then += c->site->alive[result_alive(e, e)];
        now += c->site->alive[result_alive(e, c->site->births - 1)];
    }
    snprintf(buf, size,
             "%s blocks of the measured epochs were alive at the end of their epoch, %s at the "
             "last checkpoint",
             human_count(first, sizeof first, then), human_count(last, sizeof last, now));
}

static void draw(const struct course *c, FILE *out)
{
    char text[TEXT], title[400], place[256];
    const struct result_site *site = c->site;
    snprintf(title, sizeof title, "%s, %s",
             site->file ? figure_place(place, sizeof place, site->file, site->line)
                        : "outside OpenSSL",
             verdict_name(site->verdict));
    say(c, text, sizeof text);
    chart_begin(title, text, out);
    chart_titles("checkpoint", "", "born in", out);
    write_labels(c, out);
    fprintf(out, "<g transform=\"translate(%d %d)\">\n", LEFT, TOP);
    write_ground(c, out);
    for (size_t group = 0; group < c->groups; group++)
        for (size_t at = group; at < c->groups; at++)
            write_cell(c, group, at, out);
    fputs("</g>\n", out);
    chart_end(text, out);
}

/* ---- the charts ---- */

void html_courses(const struct result *r, FILE *out)
{
    size_t drawn = 0;
    for (size_t s = 0; s < r->subjects; s++)
        for (size_t i = 0; i < r->subject[s].sites && drawn < SITES; i++) {
            const struct result_subject *subject = &r->subject[s];
            if (!has_course(subject, &subject->site[i]))
                continue;
            if (drawn++ == 0)
                fputs("<div class=\"charts\">\n", out);
            const struct course c = course_of(subject, &subject->site[i]);
            draw(&c, out);
        }
    if (drawn)
        fputs("</div>\n", out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a run: its head, the verdict, and the sections in their order. */
#include "html_internal.h"

#include "base/markup.h"
#include "report/report.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Columns. A phone of 360 px has room for NARROW of them, in the letters that page.css gives it. */
enum { WIDE = 80, NARROW = 40 };

/* ---- the head ---- */

/* The verdict's word in small letters, as the style has it. */
static char *class_of(enum verdict verdict, char buf[16])
{
    size_t i = 0;
    for (const char *p = verdict_name(verdict); *p && i < 15; p++)
        buf[i++] = (char)tolower((unsigned char)*p);
    buf[i] = '\0';
    return buf;
}

/* Which run it is: `soak 0.1.0 · smoke · 2026-11-28T... · host · openssl 3.0.19`. */
static void write_origin(const struct result *r, FILE *out)
{
    char lib[RESULT_LIBS][128];
    const char *word[4 + RESULT_LIBS] = {r->scenario, r->time, r->host, r->kernel};
    size_t words = 4;
    for (size_t i = 0; i < r->libs; i++) {
        snprintf(lib[i], sizeof lib[i], "%s %s", r->lib[i].name, r->lib[i].version);
        word[words++] = lib[i];
    }
    html_origin(r->version, word, words, out);
}

/* ---- the verdict ---- */

/* The report as a terminal of that width shows it, without its first paragraph, the headline, which
 * stands above, and without where the files are: the page lies among them. */
static void write_report(const struct result *r, int columns, const char *class_, FILE *out)
{
    static struct result here; /* large */
    struct report_style style = {.utf8 = true, .columns = columns};
    char *text = NULL;
    size_t length = 0;
    FILE *in = open_memstream(&text, &length);
    here = *r;
    here.run_dir = here.shown_dir = here.last_dir = NULL;
    if (in)
        report_text(&here, &style, false, in);
    if (!in || fclose(in) != 0)
        return;
    const char *rest = strstr(text, "\n\n");
    fprintf(out, "<pre class=\"%s\">", class_);
    for (const char *line = rest ? rest + 2 : text; *line;) {
        size_t bytes = strcspn(line, "\n");
        markup_put(line, bytes, out);
        line += bytes + (line[bytes] == '\n');
        fputc('\n', out);
    }
    fputs("</pre>\n", out);
    free(text);
}

static void write_verdict(const struct result *r, const char *headline, FILE *out)
{
    char class_[16];
    fprintf(out,
            "<section id=\"verdict\" aria-labelledby=\"verdict-h\">\n<h1 id=\"verdict-h\"><span "
            "class=\"badge %s\">%s</span> ",
            class_of(r->verdict, class_), verdict_name(r->verdict));
    html_text(headline, out);
    fputs("</h1>\n", out);
    write_report(r, WIDE, "wide", out);
    write_report(r, NARROW, "narrow", out);
    html_section_end(out);
}

/* ---- under way: there is none yet ---- */

static void write_live_row(const char *name, const char *value, FILE *out)
{
    fputs("<dt>", out);
    html_text(name, out);
    fputs("</dt><dd>", out);
    html_text(value, out);
    fputs("</dd>\n", out);
}

static void write_live(const struct html_live *live, FILE *out)
{
    fputs("<p id=\"ended\" class=\"bad\" role=\"status\"></p>\n"
          "<section id=\"verdict\" aria-labelledby=\"verdict-h\">\n<h1 id=\"verdict-h\"><span "
          "class=\"badge inconclusive\">NOT YET</span> ",
          out);
    html_text(live->headline, out);
    fputs("</h1>\n<dl>\n", out);
    for (size_t i = 0; i < live->facts; i++)
        write_live_row(live->fact[i].name, live->fact[i].value, out);
    write_live_row("its report", live->report, out);
    fputs("</dl>\n", out);
    html_section_end(out);
}

/* ---- the page ---- */

static void write_link(const char *id, const char *text, bool there, FILE *out)
{
    if (there)
        fprintf(out, "<li><a href=\"#%s\">%s</a></li>\n", id, text);
}

static bool grows(const struct result *r)
{
    return r->subjects && html_has_growth(&r->subject[0]);
}

static void write_nav(const struct html_run *run, FILE *out)
{
    const struct result *r = run->result;
    fputs("<nav aria-label=\"Sections\"><ul>\n", out);
    write_link("verdict", "Verdict", true, out);
    write_link("growth-0", "Growth", grows(r), out);
    write_link("time", "Over time", html_has_time(run), out);
    write_link("survivors", "Survivors", html_has_survivors(r), out);
    write_link("stacks", "Call stacks", html_has_flame(run), out);
    write_link("behaviours", "Peers", html_has_behaviours(r), out);
    write_link("sizes", "Size classes", html_has_sizes(r), out);
    write_link("census", "Census", html_has_census(r), out);
    write_link("handshakes", "Handshakes", html_has_handshakes(r), out);
    write_link("load", "Load", true, out);
    write_link("repeat", "Repeat", true, out);
    write_link("data", "Data", true, out);
    fputs("</ul></nav>\n", out);
}

static void write_sections(const struct html_run *run, FILE *out)
{
    const struct result *r = run->result;
    for (size_t i = 0; i < r->subjects; i++)
        if (html_has_growth(&r->subject[i]))
            html_growth(r, &r->subject[i], out);
    if (html_has_time(run))
        html_time(run, out);
    if (html_has_survivors(r))
        html_survivors(r, out);
    if (html_has_flame(run))
        html_flame(run, out);
    if (html_has_behaviours(r))
        html_behaviours(r, out);
    if (html_has_sizes(r))
        html_sizes(r, out);
    if (html_has_census(r))
        html_census(r, out);
    if (html_has_handshakes(r))
        html_handshakes(r, out);
    html_load(r, out);
    html_repeat(run, out);
    html_data(run, out);
}

static void write_title(const struct html_run *run, const char *headline, FILE *out)
{
    char title[REPORT_HEADLINE + 128];
    const struct result *r = run->result;
    snprintf(title, sizeof title, "%s %.80s: %s", run->live ? "NOT YET" : verdict_name(r->verdict),
             r->scenario ? r->scenario : "", headline);
    (run->live ? html_live_head : html_head)(title, out);
}

void html_run(const struct html_run *run, FILE *out)
{
    char headline[REPORT_HEADLINE];
    const struct result *r = run->result;
    if (run->live)
        snprintf(headline, sizeof headline, "%s", run->live->headline);
    else
        report_headline(r, headline, sizeof headline);
    write_title(run, headline, out);
    fputs("<a class=\"skip\" href=\"#verdict\">To the verdict</a>\n<header>\n", out);
    write_origin(r, out);
    write_nav(run, out);
    fputs("</header>\n<main>\n", out);
    if (run->live)
        write_live(run->live, out);
    else
        write_verdict(r, headline, out);
    write_sections(run, out);
    fputs("</main>\n", out);
    (run->live ? html_live_foot : html_foot)(out);
}

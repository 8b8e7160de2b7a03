/* SPDX-License-Identifier: Apache-2.0 */
/* How to repeat a run, and its figures to take along. */
#include "html_internal.h"

#include "base/markup.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- how to repeat it ---- */

static void write_command(const char *what, const char *command, const char *note, FILE *out)
{
    fputs("<dt>", out);
    html_text(what, out);
    fputs("</dt><dd><code>", out);
    html_text(command, out);
    fputs("</code>", out);
    if (note && *note) {
        fputs(" ", out);
        html_text(note, out);
    }
    fputs("</dd>\n", out);
}

static void write_mapped(const struct result *r, FILE *out)
{
    static const char *const columns[] = {"|library", "|version", "|file", "|from"};
    html_table("Libraries that the program had mapped", columns, 4, out);
    for (size_t i = 0; i < r->mapped_count; i++) {
        const struct result_mapped *m = &r->mapped[i];
        html_row(out);
        html_head_cell(m->part, out);
        html_cell(m->version ? m->version : "", out);
        html_cell(m->file, out);
        html_cell(m->origin ? m->origin : "this machine", out);
    }
    html_table_end(out);
}

void html_repeat(const struct html_run *run, FILE *out)
{
    const struct result *r = run->result;
    char seed[32];
    html_section("repeat", "How to repeat it", out);
    fputs("<dl>\n", out);
    if (r->again)
        write_command("the same run", r->again, "", out);
    for (size_t i = 0; i < sizeof r->next / sizeof *r->next && r->next[i]; i++)
        write_command(i ? "or" : "next", r->next[i], r->next_note[i], out);
    snprintf(seed, sizeof seed, "%" PRIx64, r->run.seed);
    write_command("seed", seed, "", out);
    fputs("</dl>\n", out);
    if (r->mapped_count)
        write_mapped(r, out);
    html_section_end(out);
}

/* ---- data ---- */

/* What a data: URL holds needs its own escapes: all but these. */
static void put_url(const char *text, FILE *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    for (const char *p = text; *p; p++) {
        if (strchr(plain, *p))
            fputc(*p, out);
        else
            fprintf(out, "%%%02X", (unsigned)(unsigned char)*p);
    }
}

static void put_value(double value, FILE *out)
{
    char text[40] = "";
    if (isfinite(value))
        snprintf(text, sizeof text, "%.12g", value);
    put_url(text, out);
}

/* A line per checkpoint, a column per metric. */
static void write_csv(const struct result_subject *subject, FILE *out)
{
    const struct result_series *first = &subject->series[0];
    fputs("<li><a download=\"", out);
    html_text(subject->name, out);
    fputs(".csv\" href=\"data:text/csv;charset=utf-8,closed", out);
    for (size_t i = 0; i < subject->series_count; i++) {
        put_url(",", out);
        put_url(subject->series[i].id ? subject->series[i].id : "", out);
    }
    for (size_t c = 0; c < first->count; c++) {
        put_url("\n", out);
        put_value((double)first->closed[c], out);
        for (size_t i = 0; i < subject->series_count; i++) {
            put_url(",", out);
            put_value(c < subject->series[i].count ? subject->series[i].value[c] : NAN, out);
        }
    }
    fputs("\">", out);
    html_text(subject->name, out);
    fputs(".csv</a>: its figures at each checkpoint (in this page)</li>\n", out);
}

static void write_file(const char *name, const char *what, FILE *out)
{
    fprintf(out, "<li><a href=\"%s\">%s</a>: %s</li>\n", name, name, what);
}

static void write_files(const struct html_run *run, FILE *out)
{
    fputs("<p>Beside this page, in the folder of the run:</p>\n<ul>\n", out);
    write_file("result.json", "the verdict with every figure", out);
    if (run->samples && run->samples->count)
        write_file("samples.jsonl", "a line per sample", out);
    if (html_has_flame(run)) {
        write_file("survivors.svg", "the flame graph alone", out);
        write_file("survivors.pb.gz", "the call stacks for pprof", out);
    }
    fputs("</ul>\n", out);
}

void html_data(const struct html_run *run, FILE *out)
{
    const struct result *r = run->result;
    html_section("data", "Data", out);
    fputs("<ul>\n", out);
    for (size_t i = 0; i < r->subjects; i++)
        if (html_has_growth(&r->subject[i]))
            write_csv(&r->subject[i], out);
    fputs("</ul>\n", out);
    if (!run->live)
        write_files(run, out);
    html_section_end(out);
}

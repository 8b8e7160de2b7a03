/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

#include "base/markup.h"
#include "base/text.h"
#include "options/grammar.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/sections.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LINE_BYTES = 1024 };

static void heading(const char *text, FILE *out)
{
    fprintf(out, "\n## %s\n\n", text);
}

/* A line of code: behind four blanks nothing is Markdown. */
static void put_code(const char *text, FILE *out)
{
    char line[LINE_BYTES];
    fprintf(out, "    %s\n", text_copy(line, sizeof line, text));
}

static void put_item(const char *text, FILE *out)
{
    fputs("- ", out);
    markdown_put(text, out);
    fputc('\n', out);
}

/* ---- what and with what ---- */

static void put_version(const char *name, const char *version, FILE *out)
{
    if (!version)
        return;
    fprintf(out, "| ");
    markdown_put(name, out);
    fputs(" | ", out);
    markdown_put(version, out);
    fputs(" |\n", out);
}

static void put_versions(const struct result *r, FILE *out)
{
    fputs("\n| | |\n|---|---|\n", out);
    for (size_t i = 0; i < r->libs; i++)
        put_version(r->lib[i].name, r->lib[i].version, out);
    /* The machine's own files are no news. */
    for (size_t i = 0; i < r->mapped_count; i++) {
        const struct result_mapped *m = &r->mapped[i];
        char text[LINE_BYTES];
        snprintf(text, sizeof text, "%s, from %s", m->file, m->origin ? m->origin : "");
        put_version(m->part, m->origin ? text : NULL, out);
    }
    put_version("TLS", r->run.tls, out);
    put_version("key", r->run.key, out);
    put_version("system", r->kernel, out);
    put_version("soak", r->version, out);
}

static void put_command(const struct result *r, FILE *out)
{
    heading("To see it", out);
    if (r->next[0])
        put_code(r->next[0], out);
    else if (r->again)
        put_code(r->again, out);
    if (r->next[0] && r->next_note[0]) {
        fputs("\nIt ", out);
        markdown_put(r->next_note[0], out);
        fputs(" connections.\n", out);
    }
}

/* ---- what is kept ---- */

static void put_site(const struct result_subject *subject, const struct result_site *site,
                     FILE *out)
{
    char place[256], text[LINE_BYTES], bytes[FIGURE_SIZE], count[32];
    if (site->file)
        figure_place(place, sizeof place, site->file, site->line);
    snprintf(text, sizeof text, "%s: %s; %s B per %s, %s blocks in all",
             site->file ? place : "outside OpenSSL", kind_text(site->kind),
             figure_plain(bytes, sizeof bytes, site->per_conn_bytes),
             judgement_unit(&subject->judgement), human_count(count, sizeof count, site->blocks));
    put_item(text, out);
}

static void put_sites(const struct result_subject *subject, FILE *out)
{
    heading("What is kept", out);
    for (size_t i = 0; i < subject->sites; i++)
        if (subject->site[i].verdict == VERDICT_LEAK)
            put_site(subject, &subject->site[i], out);
}

static void put_stack(const struct result_subject *subject, FILE *out)
{
    const struct result_site *site = parts_guilty(subject);
    const struct result_stack *stack = site ? parts_stack_of(subject, site) : NULL;
    char text[LINE_BYTES];
    if (!stack || stack->frames == 0)
        return;
    heading("Where it is allocated", out);
    for (size_t i = 0; i < stack->frames; i++)
        put_code(symbol_text(&stack->frame[i], text, sizeof text), out);
}

/* ---- which peers ---- */

static void put_behaviours(const struct result_subject *subject, FILE *out)
{
    const struct result_attribution *a = subject->attribution;
    if (!a || (a->outcome != BEHAVIOURS_APART && a->outcome != BEHAVIOURS_ALIKE))
        return;
    heading("Which peers cause it", out);
    fputs("| peer | connections | bytes each |\n|---|---:|---:|\n", out);
    for (size_t i = 0; i < a->behaviours; i++) {
        const struct behaviours_share *s = &a->behaviour[i].share;
        char count[32], bytes[FIGURE_SIZE];
        fputs("| ", out);
        markdown_put(a->behaviour[i].name, out);
        fprintf(out, " | %s | %s |\n", human_count(count, sizeof count, (int64_t)s->connections),
                figure_growth(bytes, sizeof bytes, s->bytes, 2.576 * s->bytes_error, true));
    }
    if (a->tried && !a->too_rare)
        fprintf(out,
                "\nConfirmed: %" PRIu64 " connections of the leaking kinds alone kept %" PRId64
                " blocks, %" PRIu64 " without them %" PRId64 ".\n",
                a->alone.connections, a->alone.blocks, a->without.connections, a->without.blocks);
}

/* ---- that it doesn't end ---- */

static void put_births(const struct result_subject *subject, const struct result_site *site,
                       FILE *out)
{
    fputs("\n| stretch of the run | connections begun | blocks of it alive at the end |\n"
          "|---|---:|---:|\n",
          out);
    for (size_t i = 0; i < site->births; i++) {
        const struct judge_epoch *e = &subject->epoch[i];
        char opened[32], born[32];
        if (e->measured && (e->all_closed || e->hold))
            fprintf(out, "| %zu%s | %s | %s |\n", i, e->hold ? ", without churn" : "",
                    human_count(opened, sizeof opened, (int64_t)e->opened),
                    human_count(born, sizeof born, site->born[i]));
    }
}

static void put_plateau(const struct result_subject *subject, FILE *out)
{
    const struct result_site *site = parts_guilty(subject);
    heading("Why it isn't a cache that fills", out);
    if (subject->why[0]) {
        markdown_put(subject->why, out);
        fputs(".\n", out);
    }
    if (subject->judgement.proportional)
        fputs("\nStretches of different length kept blocks in proportion to their connections.\n",
              out);
    if (site && site->births && site->births == subject->epochs)
        put_births(subject, site, out);
}

/* ---- what else it could be ---- */

static void put_level(const struct result_subject *subject, FILE *out)
{
    char text[LINE_BYTES];
    size_t level;
    if (parts_all_level(subject, &level)) {
        snprintf(text, sizeof text, "the %s: level in all %zu judged figures", subject->name,
                 level);
        put_item(text, out);
    }
}

static void put_ruled_out(const struct result *r, const struct result_subject *subject, FILE *out)
{
    char text[LINE_BYTES];
    heading("What was ruled out", out);
    if (subject->judgement.held)
        put_item("growth by time: a stretch without churn kept nothing", out);
    for (size_t i = 0; i < subject->census_count; i++) {
        const struct result_census *c = &subject->census[i];
        if (strcmp(c->class_, "SSL") != 0 || c->start != c->end)
            continue;
        snprintf(text, sizeof text,
                 "connections that are never freed: SSL objects %" PRId64 " before and after",
                 c->start);
        put_item(text, out);
    }
    if (r->run.errors.total == 0)
        put_item("failing connections: none failed against its intent", out);
    if (subject->canary.state == CANARY_OK) {
        snprintf(text, sizeof text, "the meter itself: it %s", subject->canary.sentence);
        put_item(text, out);
    }
    for (size_t i = 0; i < r->subjects; i++)
        if (&r->subject[i] != subject)
            put_level(&r->subject[i], out);
}

static void put_sensitivity(const struct result_subject *subject, FILE *out)
{
    char one_in[FIGURE_SIZE];
    double n = subject->judgement.sensitivity.one_in;
    if (!(n >= 1) || !isfinite(n))
        return;
    heading("Sensitivity", out);
    fprintf(out,
            "This run would have shown one block lost in %s connections (99.9 %% sure), so what it "
            "doesn't name is rarer than that.\n",
            figure_one_in(one_in, sizeof one_in, n));
}

void issue_write(const struct result *r, FILE *out)
{
    char headline[REPORT_HEADLINE];
    const struct result_subject *subject = parts_lead(r);
    fputs("# ", out);
    markdown_put(report_headline(r, headline, sizeof headline), out);
    fputc('\n', out);
    put_versions(r, out);
    put_command(r, out);
    if (!subject)
        return;
    put_sites(subject, out);
    put_stack(subject, out);
    put_behaviours(subject, out);
    put_plateau(subject, out);
    put_sensitivity(subject, out);
    put_ruled_out(r, subject, out);
}

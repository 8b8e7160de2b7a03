/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

#include "base/markup.h"
#include "base/text.h"
#include "options/behaviours.h"
#include "options/grammar.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/sections.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LINE_BYTES = 1024, COMMAND_COLUMNS = 92 };

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

/* What was mapped of a part, where its version is known; NULL: it isn't. */
static const struct result_mapped *mapped_of(const struct result *r, const char *part)
{
    for (size_t i = 0; i < r->mapped_count; i++)
        if (r->mapped[i].version && strcmp(r->mapped[i].part, part) == 0)
            return &r->mapped[i];
    return NULL;
}

static bool is_said(const struct result *r, const char *part)
{
    for (size_t i = 0; i < r->libs; i++)
        if (strcmp(r->lib[i].name, part) == 0)
            return true;
    return false;
}

/* With where it was fetched from; files and folders are this machine's, and no news elsewhere. */
static void put_mapped(const struct result_mapped *m, FILE *out)
{
    char text[LINE_BYTES];
    snprintf(text, sizeof text, "%s, from %s", m->version, m->origin ? m->origin : "");
    put_version(m->part, m->origin ? text : m->version, out);
}

static void put_versions(const struct result *r, FILE *out)
{
    fputs("\n| | |\n|---|---|\n", out);
    for (size_t i = 0; i < r->libs; i++) {
        const struct result_mapped *m = mapped_of(r, r->lib[i].name);
        if (m && m->origin)
            put_mapped(m, out);
        else
            put_version(r->lib[i].name, r->lib[i].version, out);
    }
    for (size_t i = 0; i < r->mapped_count; i++)
        if (mapped_of(r, r->mapped[i].part) == &r->mapped[i] && !is_said(r, r->mapped[i].part))
            put_mapped(&r->mapped[i], out);
    put_version("TLS", r->run.tls, out);
    put_version("key", r->run.key, out);
    put_version("system", r->kernel, out);
    put_version("soak", r->version, out);
}

/* Where the next option begins, outside quotes; its end when there is none. */
static size_t option_length(const char *command)
{
    char quote = 0;
    size_t i = 0;
    for (; command[i]; i++) {
        if (command[i] == '\\' && command[i + 1])
            i++;
        else if (command[i] == '\'')
            quote ^= '\'';
        else if (i > 0 && !quote && strncmp(&command[i], " --", 3) == 0)
            break;
    }
    return i;
}

/* A long one goes on in a line of its own, as a shell reads it. */
static void put_shell(const char *command, FILE *out)
{
    char text[4 * LINE_BYTES];
    size_t column = 0;
    fputs("    ", out);
    for (const char *at = text_copy(text, sizeof text, command); *at;) {
        size_t length = option_length(at);
        if (column && column + length > COMMAND_COLUMNS) {
            fputs(" \\\n       ", out);
            column = 0;
        }
        fwrite(at, 1, length, out);
        column += length;
        at += length;
    }
    fputc('\n', out);
}

/* With the scenario's folder, where the command names it. */
static void put_by_file(const char *command, const char *by_file, FILE *out)
{
    if (!command || !by_file || !strstr(command, "{here}"))
        return;
    fputs("\n`{here}` is the scenario's folder: its files belong to this issue. With them:\n\n",
          out);
    put_shell(by_file, out);
}

static void put_own_command(const struct result *r, FILE *out)
{
    const char *by_file = r->next[0] ? r->next[0] : r->again;
    const char *command = r->alone ? r->alone : by_file;
    if (command)
        put_shell(command, out);
    if (r->next[0] && r->next_note[0]) {
        fputs("\nIt ", out);
        markdown_put(r->next_note[0], out);
        fprintf(out, " %s.\n", unit_plural(r->run.unit));
    }
    put_by_file(command, by_file, out);
}

/* How the shortest command was found, and what it was found of. */
static void put_search(const struct result *r, const struct shortest *s, FILE *out)
{
    char closed[32];
    const char *own = r->alone ? r->alone : r->again;
    fprintf(out,
            "\nIt closes %s %s. Found by %" PRIu64 " run%s, each with less of the run's own "
            "command; %s.%s\n",
            human_count(closed, sizeof closed, (int64_t)s->closed),
            s->closed == 1 ? unit_name(r->run.unit) : unit_plural(r->run.unit), s->runs,
            s->runs == 1 ? "" : "s",
            s->confirmed ? "the last one confirmed it" : "it was not confirmed by one more",
            s->stopped ? " The search stopped early, so there may be a shorter one." : "");
    put_by_file(s->command, s->by_file, out);
    if (!own)
        return;
    fputs("\nThe run that the rest is about:\n\n", out);
    put_shell(own, out);
}

static void put_command(const struct result *r, const struct shortest *shortest, FILE *out)
{
    heading("To see it", out);
    if (!shortest) {
        put_own_command(r, out);
        return;
    }
    put_shell(shortest->command, out);
    put_search(r, shortest, out);
}

/* ---- what is kept ---- */

/* `1,883 blocks of 928 B`; what isn't counted in blocks by its bytes for each connection. */
static char *amount(char *buf, size_t size, const struct result_subject *subject,
                    const struct result_site *site)
{
    char bytes[FIGURE_SIZE], count[32];
    if (site->blocks > 0 && site->per_conn_blocks > 0)
        snprintf(buf, size, "%s blocks of %s B", human_count(count, sizeof count, site->blocks),
                 figure_plain(bytes, sizeof bytes, site->per_conn_bytes / site->per_conn_blocks));
    else
        snprintf(buf, size, "%s B per %s", figure_plain(bytes, sizeof bytes, site->per_conn_bytes),
                 judgement_unit(&subject->judgement));
    return buf;
}

static void put_site(const struct result_subject *subject, const struct result_site *site,
                     FILE *out)
{
    char place[256], kept[128], text[LINE_BYTES];
    if (site->file)
        figure_place(place, sizeof place, site->file, site->line);
    snprintf(text, sizeof text, "%s: %s; %s", site->file ? place : "outside OpenSSL",
             amount(kept, sizeof kept, subject, site), kind_text(site->kind));
    put_item(text, out);
}

/* Each kind of them once. */
static void put_kinds(const struct result_subject *subject, FILE *out)
{
    bool met[KIND_COUNT] = {false};
    for (size_t i = 0; i < subject->sites; i++) {
        const struct result_site *site = &subject->site[i];
        const char *kind = kind_text(site->kind);
        if (site->verdict == VERDICT_LEAK && !met[site->kind])
            fprintf(out, "\n%c%s: %s.\n", toupper((unsigned char)kind[0]), kind + 1,
                    kind_meaning(site->kind));
        met[site->kind] |= site->verdict == VERDICT_LEAK;
    }
}

static void put_sites(const struct result *r, const struct result_subject *subject, FILE *out)
{
    char what[LINE_BYTES];
    heading("What is kept", out);
    fputs("In all: ", out);
    markdown_put(parts_what(what, sizeof what, r, subject), out);
    fputs(".\n\n", out);
    for (size_t i = 0; i < subject->sites; i++)
        if (subject->site[i].verdict == VERDICT_LEAK)
            put_site(subject, &subject->site[i], out);
    put_kinds(subject, out);
}

/* A frame with those behind it that are the same, or nameless in the same file. Returns their
 * number. */
static size_t put_frames(const struct symbol *frame, size_t frames, FILE *out)
{
    char text[LINE_BYTES / 2], next[LINE_BYTES / 2], line[LINE_BYTES];
    size_t count = symbol_nameless_text(frame, frames, text, sizeof text);
    if (count) {
        put_code(text, out);
        return count;
    }
    symbol_text(frame, text, sizeof text);
    for (count = 1; count < frames; count++)
        if (strcmp(text, symbol_text(&frame[count], next, sizeof next)) != 0)
            break;
    snprintf(line, sizeof line, "%s, %zu times", text, count);
    put_code(count > 1 ? line : text, out);
    return count;
}

static void put_stack(const struct result_subject *subject, FILE *out)
{
    const struct result_site *site = parts_guilty(subject);
    const struct result_stack *stack = site ? parts_stack_of(subject, site) : NULL;
    if (!stack || stack->frames == 0)
        return;
    heading("Where it is allocated", out);
    for (size_t i = 0; i < stack->frames;)
        i += put_frames(&stack->frame[i], stack->frames - i, out);
}

/* ---- which peers ---- */

/* What such a peer does; "" for what isn't in the lists. */
static const char *behaviour_help(const char *name)
{
    for (size_t i = 0; i < BEHAVIOUR_COUNT; i++)
        if (strcmp(behaviour_entry((enum behaviour)i)->name, name) == 0)
            return behaviour_entry((enum behaviour)i)->help;
    for (size_t i = 0; i < SERVER_BEHAVIOURS; i++)
        if (strcmp(server_behaviour_entry((enum server_behaviour)i)->name, name) == 0)
            return server_behaviour_entry((enum server_behaviour)i)->help;
    return "";
}

static void put_behaviour(const struct result_behaviour *b, FILE *out)
{
    char count[32], bytes[FIGURE_SIZE];
    const struct behaviours_share *s = &b->share;
    fputs("| ", out);
    markdown_put(b->name, out);
    fputs(" | ", out);
    markdown_put(behaviour_help(b->name), out);
    fprintf(out, " | %s | %s |\n", human_count(count, sizeof count, (int64_t)s->connections),
            figure_growth(bytes, sizeof bytes, s->bytes, 2.576 * s->bytes_error, true));
}

static void put_behaviours(const struct result_subject *subject, FILE *out)
{
    const struct result_attribution *a = subject->attribution;
    if (!a || (a->outcome != BEHAVIOURS_APART && a->outcome != BEHAVIOURS_ALIKE))
        return;
    heading("Which peers cause it", out);
    fputs("| peer | does | connections | bytes each |\n|---|---|---:|---:|\n", out);
    for (size_t i = 0; i < a->behaviours; i++)
        put_behaviour(&a->behaviour[i], out);
    if (a->confirmed)
        fprintf(out,
                "\nConfirmed: %" PRIu64 " connections, %" PRIu64
                " of the leaking kinds, kept %" PRId64 " blocks; %" PRIu64 ", %" PRIu64
                " of these, kept %" PRId64 ".\n",
                a->alone.connections, a->alone.guilty, a->alone.blocks, a->without.connections,
                a->without.guilty, a->without.blocks);
}

/* ---- that it doesn't end ---- */

static void put_births(const struct result_subject *subject, const struct result_site *site,
                       FILE *out)
{
    fprintf(out,
            "\n| epoch | %s begun | blocks of it alive at the end |\n"
            "|---|---:|---:|\n",
            unit_plural(subject->judgement.unit));
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
    if (parts_may_be_sessions(subject))
        fputs("\nA session cache of the program's own would look like this until it is full.\n",
              out);
    if (subject->judgement.proportional)
        fprintf(out, "\nEpochs of different length kept blocks in proportion to their %s.\n",
                unit_plural(subject->judgement.unit));
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
            "This run would have shown one block lost in %s %s (99.9 %% sure), so what it doesn't "
            "name is rarer than that.\n",
            figure_one_in(one_in, sizeof one_in, n), unit_plural(subject->judgement.unit));
}

void issue_write(const struct result *r, const struct shortest *shortest, FILE *out)
{
    char headline[REPORT_HEADLINE];
    const struct result_subject *subject = parts_lead(r);
    fputs("# ", out);
    markdown_put(report_headline(r, headline, sizeof headline), out);
    fputc('\n', out);
    put_versions(r, out);
    put_command(r, shortest, out);
    if (!subject)
        return;
    put_sites(r, subject, out);
    put_stack(subject, out);
    put_behaviours(subject, out);
    put_plateau(subject, out);
    put_sensitivity(subject, out);
    put_ruled_out(r, subject, out);
}

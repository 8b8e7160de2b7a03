/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include "options/grammar.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CLAUSE = 256 };

/* `58,229 connections (30 open, 59s; only 294/s of 1,000/s)` */
static char *extent(char *buf, size_t size, const struct result *r)
{
    char count[32], open[PARTS_OPEN], time[32], rates[CLAUSE / 2];
    double ns = r->run.seconds > 0 ? r->run.seconds * 1e9 : 0;
    uint64_t basis = r->run.measured ? r->run.measured : r->run.closed;
    if (r->loops)
        return parts_loop(buf, size, r);
    bool far_below = r->verdict == VERDICT_PASS && parts_far_below(r);
    parts_open(r, open, sizeof open);
    snprintf(buf, size, "%s %ss (%s%s%s%s%s)", human_count(count, sizeof count, (int64_t)basis),
             unit_name(r->run.unit), open, open[0] ? ", " : "",
             human_duration(time, sizeof time, (uint64_t)(ns + 0.5)), far_below ? "; only " : "",
             far_below ? parts_rates(rates, sizeof rates, r) : "");
    return buf;
}

/* ---- LEAK ---- */

/* `1 open file lost per connection`: kinds that aren't about bytes. */
static void counted(char *buf, size_t size, const struct judgement *j)
{
    bool files = j->kind == KIND_DESCRIPTORS;
    const struct judge_metric *m = judgement_metric(j, files ? METRIC_OPEN_FILES : METRIC_THREADS);
    char number[FIGURE_SIZE];
    const char *noun = files ? "open file" : "thread", *lost = kind_headline(j->kind);
    if (m && fabs(m->per_conn) >= 0.5)
        snprintf(buf, size, "%s %s%s %s per %s", figure_plain(number, sizeof number, m->per_conn),
                 noun, m->per_conn < 1.5 ? "" : "s", lost, judgement_unit(j));
    else if (m && m->per_conn > 0)
        snprintf(buf, size, "1 %s %s per %s %ss", noun, lost,
                 figure_plain(number, sizeof number, 1 / m->per_conn), judgement_unit(j));
    else
        snprintf(buf, size, "%ss %s", noun, lost);
}

/* `32 B lost per connection`, `one 32 B block lost per 1,000 connections` */
static void of_bytes(char *buf, size_t size, const struct judgement *j)
{
    char bytes[FIGURE_SIZE], every[FIGURE_SIZE];
    double blocks = j->per_conn_blocks;
    if (blocks > 0 && blocks < 0.5)
        snprintf(buf, size, "one %s B block %s per %s %ss",
                 figure_grouped(bytes, sizeof bytes, j->per_conn_bytes / blocks, 0),
                 kind_headline(j->kind), figure_plain(every, sizeof every, 1 / blocks),
                 judgement_unit(j));
    else
        snprintf(buf, size, "%s B %s per %s", figure_plain(bytes, sizeof bytes, j->per_conn_bytes),
                 kind_headline(j->kind), judgement_unit(j));
}

static void amount(char *buf, size_t size, const struct judgement *j)
{
    char bytes[FIGURE_SIZE];
    switch (kind_measured_by(j->kind)) {
    case BY_COUNT:
        counted(buf, size, j);
        return;
    case BY_TIME:
        snprintf(buf, size, "memory grows with time, %ss or not,", judgement_unit(j));
        return;
    case BY_PAGES:
        snprintf(buf, size, "no block is lost, yet the heap grows by %s B per %s",
                 figure_plain(bytes, sizeof bytes, j->per_conn_bytes), judgement_unit(j));
        return;
    case BY_BLOCKS:
    case BY_HEAP:
        of_bytes(buf, size, j);
    }
}

/* The function that asked for the memory. */
static const char *function_of(const struct result_subject *subject, const struct result_site *site)
{
    const struct result_stack *stack = parts_stack_of(subject, site);
    for (size_t i = 0; stack && i < stack->frames; i++) {
        if (stack->frame[i].function)
            return stack->frame[i].function;
        if (site->file)
            return NULL; /* the innermost frame is the site's */
    }
    return NULL;
}

/* ` at server/defect.c:78, in lost_state_accept` */
static void at(char *buf, size_t size, const struct result_subject *subject)
{
    char file[CLAUSE];
    const struct result_site *site = parts_guilty(subject);
    enum measured_by by = kind_measured_by(subject->judgement.kind);
    buf[0] = '\0';
    if (!site || by == BY_COUNT || by == BY_PAGES)
        return;
    const char *function = function_of(subject, site);
    bool object = subject->class_name && subject->class_name[0];
    if (site->file)
        figure_place(file, sizeof file, site->file, site->line);
    snprintf(buf, size, "%s%.60s%s%s%.200s%s%.100s", object ? " in " : "",
             object ? subject->class_name : "", object ? " objects" : "",
             site->file ? " at " : " outside OpenSSL", site->file ? file : "",
             function ? ", in " : "", function ? function : "");
}

/* What broke the run, without where its log is. */
static char *broken(char *buf, size_t size, const struct result *r)
{
    snprintf(buf, size, "%s", r->broken);
    char *log = strstr(buf, "; its log: ");
    if (log)
        *log = '\0';
    return buf;
}

static void leak(char *buf, size_t size, const struct result *r,
                 const struct result_subject *subject)
{
    char what[CLAUSE], where[CLAUSE * 2], how[CLAUSE * 2], who[CLAUSE] = "";
    if (subject != &r->subject[0] && r->subject[0].judgement.verdict == VERDICT_PASS)
        snprintf(who, sizeof who, "in the %s, not the %s: ", subject->name, r->subject[0].name);
    else if (subject != &r->subject[0])
        snprintf(who, sizeof who, "in the %s, while the %s can't be judged: ", subject->name,
                 r->subject[0].name);
    amount(what, sizeof what, &subject->judgement);
    at(where, sizeof where, subject);
    snprintf(buf, size, "%s%s%s%s%s", who, what, where, r->broken ? "; then " : "",
             r->broken ? broken(how, sizeof how, r) : "");
}

/* ---- no verdict ---- */

/* At the last checkpoint: what can't be judged may have no end. */
static double last_of(const struct result_subject *subject, const struct judge_metric *m)
{
    for (size_t i = 0; i < subject->series_count; i++) {
        const struct result_series *s = &subject->series[i];
        if (s->id && strcmp(s->id, m->id) == 0 && s->count)
            return s->value[s->count - 1];
    }
    return m->end;
}

/* `; until then OpenSSL blocks 20,230 -> 23,422`, the one figure that is always there. */
static void until_then(char *buf, size_t size, const struct result *r)
{
    char start[FIGURE_SIZE], end[FIGURE_SIZE];
    const struct judge_metric *m =
        r->subjects ? judgement_metric(&r->subject[0].judgement, METRIC_OPENSSL_BLOCKS) : NULL;
    buf[0] = '\0';
    if (m && !parts_unseen(m))
        snprintf(buf, size, "; until then %s %s → %s", parts_label(&r->subject[0], m),
                 figure_level(start, sizeof start, m->start, m->unit),
                 figure_level(end, sizeof end, last_of(&r->subject[0], m), m->unit));
}

static void invalid(char *buf, size_t size, const struct result *r,
                    const struct result_subject *lead)
{
    char how[CLAUSE * 2], grown[CLAUSE];
    until_then(grown, sizeof grown, r);
    if (r->broken)
        snprintf(buf, size, "the run broke: %s%s", broken(how, sizeof how, r), grown);
    else if (lead && lead->judgement.reasons)
        snprintf(buf, size, "not to be trusted: %s", lead->judgement.reason[0]);
    else
        snprintf(buf, size, "the figures of this run can't be trusted");
}

/* `perhaps 83.8 B per connection at ssl/ssl_sess.c:110` */
static void perhaps(char *buf, size_t size, const struct result_subject *subject,
                    const struct result_site *site)
{
    char file[CLAUSE] = "", bytes[FIGURE_SIZE];
    if (site->file)
        figure_place(file, sizeof file, site->file, site->line);
    if (site->per_conn_bytes > 0)
        snprintf(buf, size, "perhaps %s B per %s%s%s (%s), and this run can't tell",
                 figure_plain(bytes, sizeof bytes, site->per_conn_bytes),
                 judgement_unit(&subject->judgement), file[0] ? " at " : "", file,
                 kind_text(site->kind));
    else
        snprintf(buf, size, "something grows%s%s (%s), and this run can't tell what it is",
                 file[0] ? " at " : "", file, kind_text(site->kind));
}

/* The first reason; the sensitivity in fewer words. */
static void but(char *buf, size_t size, const struct result *r, const struct judgement *j)
{
    char over[CLAUSE], seen[FIGURE_SIZE], asked[32];
    double one_in = j->sensitivity.one_in;
    human_count(asked, sizeof asked, (int64_t)r->run.want_one_in);
    extent(over, sizeof over, r);
    if (j->reasons <= 1 && one_in < 1)
        snprintf(buf, size, "nothing grew over %s, but no lost block would surely have shown",
                 over);
    else if (j->reasons <= 1 && one_in < (double)r->run.want_one_in)
        snprintf(buf, size, "nothing grew, but only 1 in %s would have shown; asked: 1 in %s",
                 figure_grouped(seen, sizeof seen, floor(one_in), 0), asked);
    else
        snprintf(buf, size, "nothing grew over %s, but %s", over,
                 j->reasons ? j->reason[0] : "it can't be judged");
}

static void undecided(char *buf, size_t size, const struct result *r,
                      const struct result_subject *lead)
{
    char over[CLAUSE];
    size_t rows;
    const struct result_site *site = lead ? parts_doubt(lead) : NULL;
    if (site)
        perhaps(buf, size, lead, site);
    else if (lead && parts_outside(lead, &rows))
        snprintf(buf, size, "nothing can be judged over %s", extent(over, sizeof over, r));
    else if (!lead || lead->judgement.sensitivity.epochs < JUDGE_MIN_EPOCHS)
        snprintf(buf, size, "nothing can be said yet after %s", extent(over, sizeof over, r));
    else
        but(buf, size, r, &lead->judgement);
}

static void sentence(char *buf, size_t size, const struct result *r,
                     const struct result_subject *lead)
{
    char over[CLAUSE];
    switch (r->verdict) {
    case VERDICT_LEAK:
        if (lead)
            leak(buf, size, r, lead);
        return;
    case VERDICT_PASS:
        snprintf(buf, size, "nothing %s over %s", r->interrupted ? "grew" : "grows",
                 extent(over, sizeof over, r));
        return;
    case VERDICT_INCONCLUSIVE:
        undecided(buf, size, r, lead);
        return;
    case VERDICT_INVALID:
        invalid(buf, size, r, lead);
        return;
    }
}

char *report_headline(const struct result *r, char *buf, size_t size)
{
    char text[SCREEN_TEXT] = "", raw[SCREEN_TEXT + 64];
    const struct screen plain = {.utf8 = true};
    sentence(text, sizeof text, r, parts_lead(r));
    snprintf(raw, sizeof raw, "%s%s%.20s%s%s", r->interrupted ? "interrupted; " : "",
             r->not_kept ? "not kept; " : "", r->not_written ? r->not_written : "",
             r->not_written ? " not written; " : "", text);
    return screen_clean(&plain, buf, size, raw);
}

#define VERDICT_INK(id, name, word, code, gravity, ink) [id] = INK_##ink,

/* The one line that answers the question. */
static void print_headline(const struct result *r, const struct screen *s)
{
    static const enum ink inks[VERDICT_COUNT] = {VERDICT_LIST(VERDICT_INK)};
    char text[REPORT_HEADLINE];
    struct screen_lead lead = {.word = verdict_name(r->verdict), .ink = inks[r->verdict]};
    screen_wrap(s, &lead, "%s", report_headline(r, text, sizeof text));
}

/* ---- the whole text ---- */

/* A run that broke early leaves a subject without any figure. */
static bool has_figures(const struct result_subject *subject)
{
    return subject->judgement.metrics || subject->judgement.reasons ||
           subject->judgement.verdict == VERDICT_LEAK;
}

/* What one line can tell of the subject that the report isn't about; NULL: it has parts of its own,
 * or nothing to say. */
static const struct result_subject *other_of(const struct result *r,
                                             const struct result_subject *lead)
{
    for (size_t i = 0; i < r->subjects; i++) {
        const struct result_subject *one = &r->subject[i];
        if (one != lead && has_figures(one) && one->judgement.verdict == VERDICT_PASS)
            return one;
    }
    return NULL;
}

static void print_table(const struct result *r, const struct result_subject *lead,
                        const struct screen *s)
{
    if (!has_figures(lead))
        return;
    parts_metrics(lead, s);
    parts_level(lead, other_of(r, lead), s);
    fputc('\n', s->out);
}

/* A second subject that isn't clean either gets its own verdict word and its own table. */
static void print_others(const struct result *r, const struct result_subject *lead,
                         const struct screen *s)
{
    for (size_t i = 0; i < r->subjects; i++) {
        const struct result_subject *one = &r->subject[i];
        bool leaks = one->judgement.verdict == VERDICT_LEAK;
        if (one == lead || one->judgement.verdict == VERDICT_PASS || !has_figures(one) ||
            (r->broken && !leaks))
            continue;
        screen_say(s, one->name, PARTS_LEAK_COLUMN, "%s", verdict_name(one->judgement.verdict));
        if (leaks)
            parts_leak(r, one, s);
        else
            parts_reasons(r, one, s);
        fputc('\n', s->out);
        parts_metrics(one, s);
        fputc('\n', s->out);
    }
}

/* Nothing grew as far as could be told: two lines instead of the table. */
static bool is_told_by_seen(const struct result *r)
{
    size_t level, rows;
    if (parts_lead(r) && parts_outside(parts_lead(r), &rows) && rows)
        return false;
    bool all = r->verdict == VERDICT_INCONCLUSIVE;
    for (size_t i = 0; i < r->subjects && all; i++)
        all = parts_all_level(&r->subject[i], &level);
    return all;
}

void report_text(const struct result *r, const struct report_style *style, bool quiet, FILE *out)
{
    struct screen screen = screen_of(out, style);
    const struct result_subject *lead = parts_lead(r);
    bool seen = is_told_by_seen(r);
    if (quiet)
        screen.columns = SCREEN_TEXT; /* one line, for grep and logs */
    print_headline(r, &screen);
    if (quiet)
        return;
    fputc('\n', out);
    if (lead && r->verdict == VERDICT_LEAK)
        parts_leak(r, lead, &screen);
    else if (lead && r->verdict != VERDICT_PASS)
        parts_reasons(r, lead, &screen);
    if (seen)
        parts_seen(r, &screen);
    if (r->verdict != VERDICT_LEAK)
        parts_shown(r, &screen);
    if (!seen)
        fputc('\n', out);
    if (lead && !seen) {
        print_table(r, lead, &screen);
        print_others(r, lead, &screen);
    }
    parts_foot(r, &screen);
}

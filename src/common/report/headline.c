#include "report/parts.h"

#include "base/grammar.h"
#include "report/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CLAUSE = 256 };

const struct result_subject *parts_lead(const struct result *r)
{
    const struct result_subject *lead = r->subjects ? &r->subject[0] : NULL;
    for (size_t i = 0; i < r->subjects; i++) {
        const struct result_subject *candidate = &r->subject[i];
        if (candidate->judgement.verdict == VERDICT_LEAK)
            return candidate;
        if (lead->judgement.verdict == VERDICT_PASS)
            lead = candidate->judgement.verdict == VERDICT_PASS ? lead : candidate;
    }
    return lead;
}

static uint64_t basis(const struct result *r)
{
    return r->run.measured ? r->run.measured : r->run.closed;
}

/* `60,000 connections, 30 open, 1m03s` */
static char *extent(char *buf, size_t size, const struct result *r)
{
    char count[32], open[32], time[32];
    double ns = r->run.seconds > 0 ? r->run.seconds * 1e9 : 0;
    bool operations = r->run.unit && strcmp(r->run.unit, "operation") == 0;
    snprintf(buf, size,
             operations ? "%s operations, %s connections held, %s" : "%s connections, %s open, %s",
             human_count(count, sizeof count, (int64_t)basis(r)),
             human_count(open, sizeof open, (int64_t)r->run.conns),
             human_duration(time, sizeof time, (uint64_t)(ns + 0.5)));
    return buf;
}

/* As many decimals as a figure needs to be read: 32, 205, 0.25, 1.5. */
static char *plain(char *buf, size_t size, double value)
{
    bool whole = fabs(value - nearbyint(value)) < 0.005;
    return figure_grouped(buf, size, value, whole ? 0 : 2);
}

static const struct judge_metric *metric(const struct judgement *j, const char *id)
{
    for (size_t i = 0; i < j->metrics; i++)
        if (strcmp(j->metric[i].id, id) == 0)
            return &j->metric[i];
    return NULL;
}

/* `1 open file per connection`: kinds that aren't about bytes. Returns false for the others. */
static bool counted(char *buf, size_t size, const struct judgement *j)
{
    bool files = j->kind == KIND_DESCRIPTORS;
    if (!files && j->kind != KIND_THREADS)
        return false;
    const struct judge_metric *m = metric(j, files ? "open_files" : "threads");
    char number[FIGURE_SIZE];
    const char *noun = files ? "open file" : "thread";
    if (m && fabs(m->per_conn) >= 0.5)
        snprintf(buf, size, "%s %s%s per %s", plain(number, sizeof number, m->per_conn), noun,
                 m->per_conn < 1.5 ? "" : "s", judgement_unit(j));
    else if (m && m->per_conn > 0)
        snprintf(buf, size, "1 %s per %s %ss", noun,
                 figure_grouped(number, sizeof number, 1 / m->per_conn, 0), judgement_unit(j));
    else
        snprintf(buf, size, "%ss", noun);
    return true;
}

/* `32 B in 1 block per connection`, `32 B in 1 block per 1,000 connections`. */
static void amount(char *buf, size_t size, const struct judgement *j)
{
    char bytes[FIGURE_SIZE], blocks[FIGURE_SIZE];
    double per_block = j->per_conn_blocks > 0 ? j->per_conn_bytes / j->per_conn_blocks : 0;
    if (counted(buf, size, j))
        return;
    if (j->per_conn_blocks <= 0)
        snprintf(buf, size, "%s B per %s", plain(bytes, sizeof bytes, j->per_conn_bytes),
                 judgement_unit(j));
    else if (j->per_conn_blocks < 0.5)
        snprintf(buf, size, "%s B in 1 block per %s %ss", plain(bytes, sizeof bytes, per_block),
                 figure_grouped(blocks, sizeof blocks, 1 / j->per_conn_blocks, 0),
                 judgement_unit(j));
    else
        snprintf(buf, size, "%s B in %s block%s per %s",
                 plain(bytes, sizeof bytes, j->per_conn_bytes),
                 plain(blocks, sizeof blocks, j->per_conn_blocks),
                 fabs(j->per_conn_blocks - 1) < 0.005 ? "" : "s", judgement_unit(j));
}

static int64_t lost_bytes(const struct result_subject *subject)
{
    int64_t sum = 0;
    for (size_t i = 0; i < subject->sites; i++)
        if (subject->site[i].verdict == VERDICT_LEAK && subject->site[i].bytes > 0)
            sum += subject->site[i].bytes;
    return sum;
}

static void total(char *buf, size_t size, const struct result *r,
                  const struct result_subject *subject)
{
    char bytes[FIGURE_SIZE], count[32];
    int64_t lost = lost_bytes(subject);
    buf[0] = '\0';
    if (lost > 0)
        snprintf(buf, size, ": %s after %s", human_bytes(bytes, sizeof bytes, (double)lost),
                 human_count(count, sizeof count, (int64_t)basis(r)));
}

static void leak(char *buf, size_t size, const struct result *r,
                 const struct result_subject *subject)
{
    char what[CLAUSE], sum[CLAUSE], who[CLAUSE];
    const struct judgement *j = &subject->judgement;
    if (subject == &r->subject[0])
        snprintf(who, sizeof who, "the %s", subject->name);
    else if (r->subject[0].judgement.verdict == VERDICT_PASS)
        snprintf(who, sizeof who, "in the %s, not the %s: it", subject->name, r->subject[0].name);
    else
        snprintf(who, sizeof who, "in the %s, while the %s can't be judged: it", subject->name,
                 r->subject[0].name);
    amount(what, sizeof what, j);
    total(sum, sizeof sum, r, subject);
    if (j->kind == KIND_TIME)
        snprintf(buf, size, "%s grows with time, %ss or not%s", who, judgement_unit(j), sum);
    else if (j->kind == KIND_FRAGMENTATION || j->kind == KIND_UNPURGED)
        snprintf(buf, size, "%s loses nothing, yet its heap grows by %s", who, what);
    else
        snprintf(buf, size, "%s keeps %s%s", who, what, sum);
}

static void sentence(char *buf, size_t size, const struct result *r,
                     const struct result_subject *lead)
{
    char over[CLAUSE];
    extent(over, sizeof over, r);
    if (r->broken && r->verdict != VERDICT_LEAK)
        snprintf(buf, size, "the run broke: %s", r->broken);
    else if (r->verdict == VERDICT_LEAK && lead)
        leak(buf, size, r, lead);
    else if (r->verdict == VERDICT_PASS)
        snprintf(buf, size, "nothing %s over %s", r->interrupted ? "grew" : "grows", over);
    else if (r->verdict == VERDICT_INCONCLUSIVE)
        snprintf(buf, size, "the %s can't be judged yet after %s", lead ? lead->name : "run", over);
    else
        snprintf(buf, size, "the figures of this run can't be trusted");
}

char *report_headline(const struct result *r, char *buf, size_t size)
{
    char text[SCREEN_TEXT], raw[SCREEN_TEXT + 32];
    const struct screen plain = {.utf8 = true};
    sentence(text, sizeof text, r, parts_lead(r));
    snprintf(raw, sizeof raw, "%s%s%s", r->interrupted ? "interrupted; " : "",
             r->not_kept ? "not kept; " : "", text);
    return screen_clean(&plain, buf, size, raw);
}

void parts_headline(const struct result *r, const struct screen *s)
{
    static const enum ink inks[] = {[VERDICT_PASS] = INK_GOOD,
                                    [VERDICT_LEAK] = INK_BAD,
                                    [VERDICT_INCONCLUSIVE] = INK_DOUBT,
                                    [VERDICT_INVALID] = INK_DOUBT};
    char text[REPORT_HEADLINE];
    struct screen_lead lead = {.word = verdict_word(r->verdict), .ink = inks[r->verdict]};
    screen_wrap(s, &lead, "%s", report_headline(r, text, sizeof text));
}

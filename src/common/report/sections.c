/* SPDX-License-Identifier: Apache-2.0 */
/* What several sections of the text report look up. */
#include "sections.h"

#include "options/grammar.h"
#include "report/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Below this share of the asked rate the headline says what was reached. */
static const double FAR_BELOW = 0.9;

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

const struct result_site *parts_guilty(const struct result_subject *subject)
{
    for (size_t i = 0; i < subject->sites; i++) {
        if (subject->site[i].verdict == VERDICT_LEAK)
            return &subject->site[i];
    }
    return NULL;
}

const struct result_site *parts_doubt(const struct result_subject *subject)
{
    for (size_t i = 0; i < subject->sites; i++) {
        if (subject->site[i].verdict == VERDICT_INCONCLUSIVE)
            return &subject->site[i];
    }
    return NULL;
}

bool parts_is_of(const struct result_stack *stack, const struct result_site *site)
{
    if (!site->file || !stack->file)
        return !site->file && !stack->file;
    return strcmp(site->file, stack->file) == 0 && site->line == stack->line;
}

const struct result_stack *parts_stack_of(const struct result_subject *subject,
                                          const struct result_site *site)
{
    for (size_t i = 0; i < subject->capture.stacks; i++) {
        if (parts_is_of(&subject->capture.stack[i], site))
            return &subject->capture.stack[i];
    }
    return NULL;
}

char *parts_rates(char *buf, size_t size, const struct result *r)
{
    char got[FIGURE_SIZE], asked[FIGURE_SIZE];
    int decimals = r->run.rate_per_s < 10 ? 1 : 0;
    figure_grouped(got, sizeof got, r->run.rate_per_s, decimals);
    figure_grouped(asked, sizeof asked, r->run.asked_per_s, r->run.asked_per_s < 10 ? 1 : 0);
    if (r->run.unit == UNIT_RELOAD)
        snprintf(buf, size, "%s reloads/s", got);
    else if (r->run.asked_per_s > 0)
        snprintf(buf, size, "%s/s of %s/s", got, asked);
    else
        snprintf(buf, size, "%s/s (max)", got);
    return buf;
}

char *parts_loop(char *buf, size_t size, const struct result *r)
{
    char least[32], most[32], all[32], time[32];
    uint64_t from = UINT64_MAX, to = 0, sum = 0;
    for (size_t i = 0; i < r->loops; i++) {
        uint64_t made = r->loop[i].connections;
        from = made < from ? made : from;
        to = made > to ? made : to;
        sum += made;
    }
    double ns = r->run.seconds > 0 ? r->run.seconds * 1e9 : 0;
    snprintf(buf, size, "%zu run%s of %s to %s connections (%s in %s)", r->loops,
             r->loops == 1 ? "" : "s", human_count(least, sizeof least, (int64_t)from),
             human_count(most, sizeof most, (int64_t)to),
             human_count(all, sizeof all, (int64_t)sum),
             human_duration(time, sizeof time, (uint64_t)(ns + 0.5)));
    return buf;
}

bool parts_far_below(const struct result *r)
{
    return r->run.asked_per_s > 0 && r->run.rate_per_s < FAR_BELOW * r->run.asked_per_s;
}

/* ---- what is told where there is no verdict ---- */

/* What is told where there is no verdict: why, what was seen, and how little would have shown. */

enum { CLAUSE = 256 };

int parts_column(enum verdict verdict, const struct screen *s)
{
    if (s->columns < 60)
        return PARTS_LEAK_COLUMN;
    switch (verdict) {
    case VERDICT_PASS:
        return PARTS_PASS_COLUMN;
    case VERDICT_LEAK:
        return PARTS_LEAK_COLUMN;
    case VERDICT_INCONCLUSIVE:
    case VERDICT_INVALID:
        break;
    }
    return PARTS_DOUBT_COLUMN;
}

void parts_reasons(const struct result *r, const struct result_subject *subject,
                   const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    char rates[CLAUSE];
    const char *word = "why";
    int column = parts_column(VERDICT_INCONCLUSIVE, s);
    /* The headline has the first, where it isn't a doubt, or too little was seen for any. */
    bool told = j->verdict == VERDICT_INVALID ||
                (!parts_doubt(subject) && j->sensitivity.epochs >= JUDGE_MIN_EPOCHS);
    for (size_t i = told; i < j->reasons && !r->broken; i++) {
        screen_say(s, word, column, "%s", j->reason[i]);
        word = "";
    }
    if (r->ended && parts_far_below(r))
        screen_say(s, word, column, "%s ended the run; this machine made %s", r->ended,
                   parts_rates(rates, sizeof rates, r));
    else if (r->ended)
        screen_say(s, word, column, "%s ended the run", r->ended);
}

/* `RSS +28 ±54 B (not judged)` */
static void say_metric(char *buf, size_t size, const struct judgement *j, enum metric metric)
{
    const struct judge_metric *m = judgement_metric(j, metric);
    char growth[FIGURE_SIZE];
    size_t used = strlen(buf);
    if (m && isfinite(m->per_conn) && isfinite(m->half_width))
        snprintf(buf + used, size - used, " · %s %s%s", metric_info(metric)->word,
                 figure_growth(growth, sizeof growth, m->per_conn, m->half_width, true),
                 m->state == METRIC_NOT_JUDGED ? " (not judged)" : "");
}

static void say_figures(char *buf, size_t size, const struct result_subject *subject)
{
    const struct judgement *j = &subject->judgement;
    char start[FIGURE_SIZE], end[FIGURE_SIZE];
    const struct judge_metric *blocks = judgement_metric(j, METRIC_OPENSSL_BLOCKS);
    buf[0] = '\0';
    if (!blocks || blocks->state == METRIC_NOT_JUDGED)
        return;
    snprintf(buf, size, "%s %s → %s", parts_label(subject, blocks),
             figure_level(start, sizeof start, blocks->start, blocks->unit),
             figure_level(end, sizeof end, blocks->end, blocks->unit));
    say_metric(buf, size, j, METRIC_HEAP_ALLOCATED);
    say_metric(buf, size, j, METRIC_RSS);
}

char *parts_open(const struct result *r, char *buf, size_t size)
{
    char count[32];
    buf[0] = '\0';
    if (r->run.conns)
        snprintf(buf, size, "%s %s", human_count(count, sizeof count, (int64_t)r->run.conns),
                 unit_holds(r->run.unit));
    return buf;
}

/* `17,200 connections, 30 open` */
static void say_extent(char *buf, size_t size, const struct result *r)
{
    char count[32], open[PARTS_OPEN];
    uint64_t basis = r->run.measured ? r->run.measured : r->run.closed;
    if (r->loops)
        parts_loop(buf, size, r);
    else
        snprintf(buf, size, "%s %ss%s%s", human_count(count, sizeof count, (int64_t)basis),
                 unit_name(r->run.unit), r->run.conns ? ", " : "",
                 parts_open(r, open, sizeof open));
}

void parts_seen(const struct result *r, const struct screen *s)
{
    char extent[CLAUSE], text[SCREEN_TEXT / 2];
    size_t level = 0;
    bool all = r->subjects > 0;
    for (size_t i = 0; i < r->subjects; i++) {
        size_t one = 0;
        all = parts_all_level(&r->subject[i], &one) && one && all;
        level += one;
    }
    say_extent(extent, sizeof extent, r);
    int column = parts_column(VERDICT_INCONCLUSIVE, s);
    if (all && level)
        screen_say(s, "seen", column, "%s; level in all %zu judged figures of both ends", extent,
                   level);
    else
        screen_say(s, "seen", column, "%s", extent);
    if (r->subjects)
        say_figures(text, sizeof text, &r->subject[0]);
    if (r->subjects && text[0])
        screen_say(s, "", column, "%s", text);
}

/* Whether the subject's allocator told nothing of its heap. */
static bool heap_unseen(const struct judgement *j)
{
    for (size_t i = 0; i < j->metrics; i++) {
        if (strncmp(j->metric[i].id, "heap_", 5) == 0)
            return false;
    }
    return j->metrics > 0;
}

static void print_sensitivity(const struct result_subject *subject, int column,
                              const struct screen *s)
{
    const struct judgement *j = &subject->judgement;
    char one_in[FIGURE_SIZE], bytes[FIGURE_SIZE], pages[FIGURE_SIZE], each[SCREEN_TEXT / 2];
    if (!isfinite(j->sensitivity.one_in))
        screen_say(s, "would have shown", column, "unknown: this result has no figure for it");
    else if (j->sensitivity.one_in < 1)
        screen_say(s, "would have shown", column, "nothing for sure: too few %ss for a figure",
                   judgement_unit(j));
    else
        screen_say(s, "would have shown", column, "one block lost in %s %s%s (%d.%d %% sure)%s",
                   figure_one_in(one_in, sizeof one_in, j->sensitivity.one_in), judgement_unit(j),
                   j->sensitivity.one_in < 2 ? "" : "s", JUDGE_CONFIDENCE_PERMILLE / 10,
                   JUDGE_CONFIDENCE_PERMILLE % 10,
                   subject->canary.gone ? ", by a process that stays" : "");
    if (j->sensitivity.malloc_one_in >= 1)
        screen_say(s, "", column, "where no line is known: one in %s; a rarer one is in doubt",
                   figure_one_in(one_in, sizeof one_in, j->sensitivity.malloc_one_in));
    else if (j->sensitivity.malloc_one_in > 0)
        screen_say(s, "", column, "where no line is known: nothing for sure; a loss is in doubt");
    if (j->sensitivity.heap_bytes > 0 && isfinite(j->sensitivity.heap_bytes))
        screen_say(s, "", column, "outside OpenSSL: %s B per %s; pages pinned: %s B",
                   figure_plain(bytes, sizeof bytes, j->sensitivity.heap_bytes), judgement_unit(j),
                   figure_plain(pages, sizeof pages, j->sensitivity.page_bytes));
    else if (heap_unseen(j))
        screen_say(s, "", column, "outside OpenSSL: nothing; only jemalloc tells of it");
    if (parts_attribution_sensitivity(each, sizeof each, subject)[0])
        screen_say(s, "", column, "of each: %s", each);
}

static void print_load(const struct result *r, int column, const struct screen *s)
{
    char rate[CLAUSE], p50[32], p99[32], times[CLAUSE] = "", failed[CLAUSE] = "no errors";
    if (r->run.p99_ns)
        snprintf(times, sizeof times, "handshake %s (p99 %s) · ",
                 human_duration(p50, sizeof p50, r->run.p50_ns),
                 human_duration(p99, sizeof p99, r->run.p99_ns));
    if (r->run.errors.total)
        snprintf(failed, sizeof failed, "%s failed",
                 human_count(p50, sizeof p50, (int64_t)r->run.errors.total));
    screen_say(s, "load", column, "%s · %s%s", parts_rates(rate, sizeof rate, r), times, failed);
}

void parts_shown(const struct result *r, const struct screen *s)
{
    const struct result_subject *lead = parts_lead(r);
    int column = parts_column(r->verdict, s);
    if (lead && r->verdict == VERDICT_PASS)
        print_sensitivity(lead, column, s);
    print_load(r, column, s);
}

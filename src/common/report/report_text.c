/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "report/screen.h"
#include "sections.h"

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
        struct screen_lead word = screen_lead_at(one->name, PARTS_LEAK_COLUMN);
        screen_wrap(s, &word, "%s", verdict_name(one->judgement.verdict));
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
    size_t level;
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
    parts_headline(r, &screen);
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

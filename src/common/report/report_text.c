#include "report/report.h"

#include "report/parts.h"
#include "report/screen.h"

/* A run that broke early leaves a subject without any figure. */
static bool has_figures(const struct result_subject *subject)
{
    return subject->judgement.metrics || subject->judgement.reasons ||
           subject->judgement.verdict == VERDICT_LEAK;
}

static void print_subject(const struct result_subject *subject, const struct screen *s)
{
    bool pass = subject->judgement.verdict == VERDICT_PASS;
    if (subject->judgement.verdict == VERDICT_LEAK)
        parts_leak(subject, s);
    else if (!pass)
        parts_reasons(subject, s);
    if (!pass)
        fputc('\n', s->out);
    parts_metrics(subject, s);
}

/* A second subject that isn't clean either gets its own verdict word and its own table. */
static void print_other(const struct result_subject *subject, const struct screen *s)
{
    if (subject->judgement.verdict == VERDICT_PASS) {
        parts_summary(subject, s);
        return;
    }
    struct screen_lead lead = {.indent = 2, .column = 10, .word = subject->name, .ink = INK_BOLD};
    screen_wrap(s, &lead, "%s", verdict_word(subject->judgement.verdict));
    print_subject(subject, s);
}

void report_text(const struct result *r, const struct report_style *style, bool quiet, FILE *out)
{
    struct screen screen = screen_of(out, style);
    const struct result_subject *lead = parts_lead(r);
    parts_headline(r, &screen);
    if (quiet)
        return;
    fputc('\n', out);
    if (lead && has_figures(lead)) {
        print_subject(lead, &screen);
        fputc('\n', out);
    }
    for (size_t i = 0; i < r->subjects; i++)
        if (&r->subject[i] != lead && has_figures(&r->subject[i])) {
            print_other(&r->subject[i], &screen);
            fputc('\n', out);
        }
    parts_foot(r, &screen);
}

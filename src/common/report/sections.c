/* SPDX-License-Identifier: Apache-2.0 */
/* What several sections of the text report look up. */
#include "sections.h"

#include "report/figures.h"

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

const struct result_stack *parts_stack_of(const struct result_subject *subject,
                                          const struct result_site *site)
{
    for (size_t i = 0; i < subject->capture.stacks; i++) {
        const struct result_stack *stack = &subject->capture.stack[i];
        bool both = site->file && stack->file;
        if (both ? strcmp(site->file, stack->file) == 0 && site->line == stack->line
                 : !site->file && !stack->file)
            return stack;
    }
    return NULL;
}

char *parts_rates(char *buf, size_t size, const struct result *r)
{
    char got[FIGURE_SIZE], asked[FIGURE_SIZE];
    int decimals = r->run.rate_per_s < 10 ? 1 : 0;
    figure_grouped(got, sizeof got, r->run.rate_per_s, decimals);
    figure_grouped(asked, sizeof asked, r->run.asked_per_s, r->run.asked_per_s < 10 ? 1 : 0);
    if (r->run.asked_per_s > 0)
        snprintf(buf, size, "%s/s of %s/s", got, asked);
    else
        snprintf(buf, size, "%s/s (max)", got);
    return buf;
}

bool parts_far_below(const struct result *r)
{
    return r->run.asked_per_s > 0 && r->run.rate_per_s < FAR_BELOW * r->run.asked_per_s;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* All that a judgement says, as text. Header-only, for the unit tests alone. */
#ifndef SOAK_TESTS_JUDGE_GOLDEN_H
#define SOAK_TESTS_JUDGE_GOLDEN_H

#include "stats/judge/judge.h"
#include "tests/unit/stats/golden.h"

static void golden_finding(FILE *out, const struct judgement *j, size_t i)
{
    const struct judge_finding *f = &j->finding[i];
    fprintf(out, "  %s %s", verdict_name(f->verdict), kind_name(f->kind));
    if (f->site != SIZE_MAX)
        fprintf(out, " site %zu%s", f->site, judgement_leaks(j, f->site) ? ", leaks" : "");
    if (f->gauge != METRIC_NONE)
        fprintf(out, " %s", metric_name(f->gauge));
    fprintf(out, ": %lld blocks, %lld bytes, " FIGURE " and " FIGURE " each\n    %s\n",
            (long long)f->blocks, (long long)f->bytes, f->per_conn_blocks, f->per_conn_bytes,
            f->why);
}

static void golden_metric(FILE *out, const struct judge_metric *m)
{
    fprintf(out, "  %s %s, %s: " FIGURE " to " FIGURE ", " FIGURE " +- " FIGURE, m->id,
            metric_state_name(m->state), m->role, m->start, m->end, m->per_conn, m->half_width);
    fprintf(out, " of " FIGURE ", decides " FIGURE "%s%s\n", m->limit, m->decides,
            m->note ? ": " : "", m->note ? m->note : "");
}

static void golden_judgement(FILE *out, const char *name, const struct judgement *j)
{
    const struct judge_sensitivity *s = &j->sensitivity;
    fprintf(out, "%s: %s %s%s%s%s%s%s", name, verdict_name(j->verdict), kind_name(j->kind),
            j->wants_hold ? ", wants a hold" : "", j->wants_more ? ", wants more" : "",
            j->held ? ", held" : "", j->proportional ? ", proportional" : "",
            j->certain ? ", certain" : "");
    if (j->class_ != SIZE_MAX)
        fprintf(out, ", class %zu", j->class_);
    fprintf(out, "\n  " FIGURE " blocks, " FIGURE " bytes per %s; %zu findings\n",
            j->per_conn_blocks, j->per_conn_bytes, judgement_unit(j), j->findings_total);
    fprintf(out, "  1/" FIGURE ", malloc 1/" FIGURE ", of %llu in %d, middle %zu, heap " FIGURE,
            s->one_in, s->malloc_one_in, (unsigned long long)s->closed, s->epochs, s->middle,
            s->heap_bytes);
    fprintf(out, ", pages " FIGURE "\n", s->page_bytes);
    for (size_t i = 0; i < j->reasons; i++)
        fprintf(out, "  %s\n", j->reason[i]);
    for (size_t i = 0; i < j->findings; i++)
        golden_finding(out, j, i);
    for (size_t i = 0; i < j->metrics; i++)
        golden_metric(out, &j->metric[i]);
}

#endif

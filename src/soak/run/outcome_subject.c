/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include <stdio.h>

/* The survivors of a site by the epoch of their birth. */
static void fill_born(struct result_site *site, const struct history *h, size_t from, int64_t *born)
{
    int64_t bytes;
    for (; site->births < history_epochs(h); site->births++)
        history_born(h, from, site->births, &born[site->births], &bytes);
    site->born = born;
}

/* The same at each checkpoint. */
static void fill_alive(struct result_site *site, const struct history *h, size_t from,
                       int64_t *alive)
{
    for (size_t c = 0; c < site->births; c++)
        for (size_t birth = 0; birth <= c; birth++)
            alive[result_alive(birth, c)] = history_alive(h, from, birth, c);
    site->alive = alive;
}

static void fill_sites(struct outcome *o, const struct run *r, size_t subject)
{
    const struct judgement *j = &r->watched[subject].judgement;
    struct result_subject *out = &o->result.subject[subject];
    out->site = o->site[subject];
    for (size_t i = 0; i < j->findings; i++) {
        const struct judge_finding *f = &j->finding[i];
        struct result_site *site = &o->site[subject][out->sites++];
        *site = (struct result_site){.row = f->row, .why = f->why};
        char *attribution = o->site_attribution[subject][i];
        if (r->judged && f->site != SIZE_MAX &&
            attribution_site(r->attribution, subject, f->site, attribution, OUTCOME_TEXT))
            site->attribution = attribution;
        if (f->site == SIZE_MAX)
            continue;
        site->file = history_site(r->watched[subject].history, f->site, &site->line);
        fill_born(site, r->watched[subject].history, f->site, o->born[subject][i]);
        if (i < RESULT_COURSES)
            fill_alive(site, r->watched[subject].history, f->site, o->alive[subject][i]);
    }
}

static void fill_census(struct outcome *o, const struct run *r, size_t subject)
{
    const struct history *h = r->watched[subject].history;
    struct result_subject *out = &o->result.subject[subject];
    if (history_epochs(h) == 0)
        return;
    out->census = o->census[subject];
    for (size_t i = 0; i < history_classes(h); i++) {
        struct result_census *c = &o->census[subject][out->census_count++];
        c->class_ = history_class(h, i);
        history_census(h, i, &c->start, &c->end);
    }
}

static void fill_epochs(struct outcome *o, const struct run *r, size_t subject)
{
    const struct history *h = r->watched[subject].history;
    struct result_subject *out = &o->result.subject[subject];
    out->epoch = o->epoch[subject];
    for (; out->epochs < history_epochs(h); out->epochs++)
        o->epoch[subject][out->epochs] = *history_epoch(h, out->epochs);
    out->size_class = o->size_class[subject];
    for (size_t i = 0; out->epochs && i < PAGE_SIZE_CLASSES; i++) {
        struct result_size_class c = {.size = 0};
        c.size = history_size_class(h, i, &c.start, &c.end);
        if (c.size && (c.start || c.end))
            o->size_class[subject][out->size_classes++] = c;
    }
}

/* Each metric at each checkpoint. */
static void fill_series(struct outcome *o, const struct run *r, size_t subject)
{
    const struct history *h = r->watched[subject].history;
    struct result_subject *out = &o->result.subject[subject];
    const size_t epochs = history_epochs(h);
    for (size_t c = 0; c < epochs; c++)
        o->closed[subject][c] = history_epoch(h, c)->closed;
    for (size_t i = 0; epochs && i < out->judgement.metrics; i++) {
        const struct judge_metric *m = &out->judgement.metric[i];
        double *value = o->value[subject][out->series_count];
        if (history_series(h, m->id, value))
            o->series[subject][out->series_count++] =
                (struct result_series){.id = m->id,
                                       .unit = m->unit,
                                       .count = epochs,
                                       .closed = o->closed[subject],
                                       .value = value};
    }
    out->series = o->series[subject];
}

/* The evidence of the finding to blame. The client isn't what the user came for, so what it does is
 * told beside what the server does. */
static void fill_why(struct result_subject *out, const struct run *r, size_t subject)
{
    const struct judgement *j = &out->judgement;
    bool server_clean = run_judged(r)->judgement.verdict == VERDICT_PASS;
    if (j->findings == 0 || j->kind == KIND_NONE)
        return;
    bool other = r->watched[subject].subject->role == SUBJECT_LOAD && j->verdict == VERDICT_LEAK &&
                 server_clean;
    snprintf(out->why, sizeof out->why, "%s%s", other ? "in the client, not the server: " : "",
             j->finding[0].why);
}

static void fill_behaviours(struct result_attribution *ret, const struct run *r, size_t subject)
{
    const struct behaviours_answer *a = attribution_answer(r->attribution, subject);
    for (size_t b = 0; b < attribution_behaviours(r->attribution); b++) {
        if (a->share[b].connections > 0)
            ret->behaviour[ret->behaviours++] =
                (struct result_behaviour){.name = attribution_name(r->attribution, b),
                                          .one_in = attribution_one_in(r->attribution, subject, b),
                                          .share = a->share[b]};
    }
}

/* Nothing is known when the run ended before its first epoch. */
static bool fill_attribution(const struct run *r, size_t subject, struct result_attribution *ret)
{
    const struct behaviours_answer *a = attribution_answer(r->attribution, subject);
    if (!r->judged || attribution_behaviours(r->attribution) == 0)
        return false;
    *ret = (struct result_attribution){.outcome = a->outcome,
                                       .exact = a->exact,
                                       .sparse = a->sparse,
                                       .by_end = a->by_end,
                                       .freedom = a->freedom,
                                       .residual_blocks = a->residual_blocks,
                                       .residual_bytes = a->residual_bytes,
                                       .chance = a->chance};
    fill_behaviours(ret, r, subject);
    struct attribution_confirmation c;
    if (!attribution_confirmed(r->attribution, subject, &c))
        return true;
    ret->tried = true;
    ret->too_rare = c.too_rare;
    ret->confirmed = c.confirmed;
    ret->alone = c.alone;
    ret->without = c.without;
    return true;
}

/* The ledger of a run that broke, as its page has it: the subject may be gone, its page isn't. */
static void fill_end(struct judgement *j, const struct snapshot *s)
{
    struct judge_metric *blocks = judgement_metric(j, METRIC_OPENSSL_BLOCKS),
                        *bytes = judgement_metric(j, METRIC_OPENSSL_BYTES);
    if (blocks)
        blocks->end = (double)s->blocks;
    if (bytes)
        bytes->end = (double)s->bytes;
}

/* What a run that broke has to say of a subject that doesn't leak: what grew until then. */
static void fill_broken(struct result_subject *out, const struct run *r, size_t subject)
{
    const struct subject *of = r->watched[subject].subject;
    struct snapshot s;
    if (!r->broken[0] || out->judgement.verdict == VERDICT_LEAK)
        return;
    out->judgement.verdict = VERDICT_INVALID;
    if (subject == subject_index(run_judged(r)->subject) && !run_judged_can(r, SUBJECT_HAS_PAGE))
        return; /* nothing of it was to be trusted, and nobody counts its blocks */
    judgement_distrust(&out->judgement, "the run broke");
    if (of->ops->snapshot(of, &s, NULL) != 0)
        return;
    fill_end(&out->judgement, &s);
    snapshot_free(&s);
}

void outcome_subject_figures(struct outcome *o, const struct run *r, size_t subject)
{
    struct result_subject *out = &o->result.subject[subject];
    struct history_cost cost;
    out->name = r->watched[subject].subject->child.name;
    out->judgement = r->watched[subject].judgement;
    history_canary(r->watched[subject].history, &out->canary);
    if (!r->judged) {
        out->judgement.verdict = VERDICT_INVALID;
        out->judgement.class_ = SIZE_MAX;
    }
    fill_broken(out, r, subject);
    fill_why(out, r, subject);
    fill_sites(o, r, subject);
    fill_census(o, r, subject);
    fill_series(o, r, subject);
    fill_epochs(o, r, subject);
    if (out->judgement.class_ != SIZE_MAX)
        out->class_name = history_class(r->watched[subject].history, out->judgement.class_);
    if (fill_attribution(r, subject, &o->attribution[subject]))
        out->attribution = &o->attribution[subject];
    history_cost(r->watched[subject].history, capture_epochs(&r->watched[subject].capture), &cost);
    out->allocs_per_conn = cost.allocs_per_conn;
    out->cpu_us_per_conn = cost.cpu_us_per_conn;
    out->drained_released_bytes = cost.drained_bytes;
    out->rest = r->watched[subject].rest;
    out->ended = r->watched[subject].subject->foreign && r->scenario->loop;
    out->counts_all = r->watched[subject].subject->foreign && r->scenario->malloc_hooks;
    if (r->watched[subject].subject->role == SUBJECT_JUDGED)
        o->result.run.measured = cost.measured;
}

void outcome_subject(struct outcome *o, const struct run *r, size_t subject)
{
    struct result_subject *out = &o->result.subject[subject];
    struct history_cost cost;
    outcome_subject_figures(o, r, subject);
    survivors_name(&o->survivors[subject], &r->watched[subject], r->scenario, &out->capture);
    history_cost(r->watched[subject].history, capture_epochs(&r->watched[subject].capture), &cost);
    out->capture.cpu_us_per_conn = cost.captured_us_per_conn;
    if (r->watched[subject].subject->foreign)
        outcome_processes(o, r, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attribute.h"

#include "base/check.h"
#include "base/text.h"
#include "page/snapshot.h"
#include "stats/attribution/mix.h"
#include "stats/sensitivity.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALONE, WITHOUT, CONFIRMS, CONFIRM_OPENS_MIN = 100, CONFIRM_UNITS_MAX = 8 };

/* So many losses an epoch should show, and with fewer than the second it says nothing. */
static const double CONFIRM_LOSSES = 10, CONFIRM_LOSSES_MIN = 5;

_Static_assert((int)PAGE_BEHAVIOURS <= (int)MIX_MAX && (int)PAGE_BEHAVIOURS <= (int)BEHAVIOURS_MAX,
               "the solver has room for what the page has");

struct attribution {
    struct behaviour_table table; /* as of the last checkpoint */
    struct mix mix;
    struct behaviours_answer answer[RUN_SUBJECTS];
    size_t epoch[CONFIRMS];       /* of the confirmation; SIZE_MAX: not run */
    bool blamed[PAGE_BEHAVIOURS]; /* in the epoch of them alone */
};

struct attribution *attribution_new(void)
{
    struct attribution *w = calloc(1, sizeof *w);
    if (w)
        w->epoch[ALONE] = w->epoch[WITHOUT] = SIZE_MAX;
    return w;
}

void attribution_start(struct run *r)
{
    struct attribution *w = r->attribution;
    behaviour_table_read(r->child[RUN_CLIENT].page, &w->table);
    mix_init(&w->mix, w->table.weight, w->table.count);
    r->plan.in.behaviours = mix_drawn(&w->mix);
}

/* ---- mixes ---- */

static int leaking_subject(const struct run *r)
{
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        if (behaviours_tell(&r->attribution->answer[i]))
            return i;
    }
    return -1;
}

static void blame(struct run *r)
{
    struct attribution *w = r->attribution;
    int subject = leaking_subject(r);
    CHECK(subject >= 0); /* else the plan isn't told to confirm */
    for (size_t b = 0; b < w->table.count; b++)
        w->blamed[b] = w->answer[subject].share[b].verdict == BEHAVIOUR_GUILTY;
}

static void confirm_weights(const struct attribution *w, bool alone, uint64_t *weight)
{
    for (size_t b = 0; b < w->table.count; b++)
        weight[b] = w->blamed[b] == alone ? w->mix.base[b] : 0;
}

/* A behaviour that can't be drawn, such as "failed", may be the only one to be blamed. */
static bool any_weight(const struct attribution *w, const uint64_t *weight)
{
    for (size_t b = 0; b < w->table.count; b++) {
        if (weight[b])
            return true;
    }
    return false;
}

const char *attribution_mix(struct run *r, char *buf, size_t size)
{
    struct attribution *w = r->attribution;
    uint64_t weight[PAGE_BEHAVIOURS] = {0};
    struct text mix = text_into(buf, size);
    if (r->action.step == PLAN_MEASURE && mix_drawn(&w->mix) > 0)
        mix_next(&w->mix, r->action.opens, weight);
    if (r->action.step == PLAN_CONFIRM_ALONE)
        blame(r);
    if (r->action.step == PLAN_CONFIRM_ALONE || r->action.step == PLAN_CONFIRM_WITHOUT)
        confirm_weights(w, r->action.step == PLAN_CONFIRM_ALONE, weight);
    /* The last name is "failed": no connection is drawn to be that. */
    for (size_t b = 0; any_weight(w, weight) && b + 1 < w->table.count; b++)
        text_add(&mix, "%s%" PRIu64, b ? "," : " mix=", weight[b]);
    return buf;
}

/* ---- solving ---- */

void attribution_keep(struct run *r)
{
    struct attribution *w = r->attribution;
    size_t now = history_epochs(r->history[RUN_SERVER]);
    behaviour_table_read(r->child[RUN_CLIENT].page, &w->table);
    if (now == 0)
        return;
    if (r->action.step == PLAN_CONFIRM_ALONE)
        w->epoch[ALONE] = now - 1;
    if (r->action.step == PLAN_CONFIRM_WITHOUT)
        w->epoch[WITHOUT] = now - 1;
}

static bool judged(const struct judge_epoch *e)
{
    return e->measured && !e->hold && e->all_closed && e->opened > 0;
}

/* Of one site, or (SIZE_MAX) of all that leak together. */
static void solve(const struct run *r, int subject, size_t site, struct behaviours_answer *ret)
{
    const struct attribution *w = r->attribution;
    const struct history *h = r->history[subject];
    struct behaviours_epoch epoch[PAGE_EPOCHS];
    struct behaviours_question q = {.count = w->table.count, .epoch = epoch};
    for (size_t c = 0; c < history_epochs(h); c++) {
        if (!judged(history_epoch(h, c)))
            continue;
        struct behaviours_epoch *e = &epoch[q.epochs++];
        *e = (struct behaviours_epoch){.begun = w->table.begun[c], .ended = w->table.ended[c]};
        if (site == SIZE_MAX)
            history_lost(h, &r->judgement[subject], c, &e->blocks, &e->bytes);
        else
            history_born(h, site, c, &e->blocks, &e->bytes);
    }
    behaviours_solve(&q, ret);
}

void attribution_solve(struct run *r)
{
    for (int i = 0; i < RUN_SUBJECTS; i++)
        solve(r, i, SIZE_MAX, &r->attribution->answer[i]);
}

/* ---- the plan ---- */

/* The least loss per connection that is to be confirmed. */
static double least_loss(const struct behaviours_answer *a)
{
    double least = INFINITY;
    for (size_t b = 0; b < a->count; b++) {
        if (a->share[b].verdict == BEHAVIOUR_GUILTY)
            least = fmin(least, a->share[b].blocks);
    }
    return least;
}

static uint64_t confirm_opens(const struct run *r, const struct behaviours_answer *a)
{
    uint64_t least = r->plan.unit > CONFIRM_OPENS_MIN ? r->plan.unit : CONFIRM_OPENS_MIN;
    double wanted = ceil(CONFIRM_LOSSES / least_loss(a));
    uint64_t most = CONFIRM_UNITS_MAX * least;
    return wanted < (double)least ? least : wanted > (double)most ? most : (uint64_t)wanted;
}

void attribution_seen(const struct run *r, struct plan_seen *ret)
{
    const struct attribution *w = r->attribution;
    int subject = leaking_subject(r);
    for (int i = 0; i < RUN_SUBJECTS; i++)
        ret->untold |= w->answer[i].outcome == BEHAVIOURS_UNTOLD;
    if (subject < 0 || w->epoch[WITHOUT] != SIZE_MAX)
        return;
    ret->wants_confirm = true;
    ret->confirm_opens = confirm_opens(r, &w->answer[subject]);
}

/* ---- the result ---- */

/* As the judge's: losses in both halves of the judged connections, here of one behaviour's. */
static double sensitivity_of(const struct run *r, int subject, size_t b)
{
    const struct judge_sensitivity *s = &r->judgement[subject].sensitivity;
    uint64_t half[2] = {0};
    for (size_t c = 0; c < history_epochs(r->history[subject]); c++) {
        if (judged(history_epoch(r->history[subject], c)))
            half[c > s->middle] += r->attribution->table.begun[c][b];
    }
    return s->epochs < JUDGE_MIN_EPOCHS
               ? 0
               : sensitivity_one_in(half, 2, JUDGE_CONVICT_BLOCKS, JUDGE_MIN_EPOCHS,
                                    JUDGE_CONFIDENCE_PERMILLE / 1000.0);
}

static void fill_behaviours(const struct run *r, int subject, struct result_attribution *ret)
{
    const struct attribution *w = r->attribution;
    const struct behaviours_answer *a = &w->answer[subject];
    for (size_t b = 0; b < w->table.count; b++) {
        const struct behaviours_share *s = &a->share[b];
        if (s->connections == 0)
            continue;
        ret->behaviour[ret->behaviours++] =
            (struct result_behaviour){.name = w->table.name[b],
                                      .connections = s->connections,
                                      .one_in = sensitivity_of(r, subject, b),
                                      .blocks = s->blocks,
                                      .bytes = s->bytes,
                                      .blocks_error = s->blocks_error,
                                      .bytes_error = s->bytes_error,
                                      .verdict = s->verdict};
    }
}

static bool agrees(const struct behaviours_answer *a, const struct behaviours_forecast *f,
                   int64_t blocks, int64_t bytes)
{
    if (a->exact)
        return (double)blocks == f->blocks && (double)bytes == f->bytes;
    return fabs((double)blocks - f->blocks) <= f->blocks_off;
}

static void fill_confirm(const struct run *r, int subject, size_t c, struct result_confirm *ret)
{
    const struct attribution *w = r->attribution;
    const struct behaviours_answer *a = &w->answer[subject];
    const uint64_t *begun = w->table.begun[c], *ended = w->table.ended[c];
    struct behaviours_forecast f = behaviours_forecast(a, begun, ended);
    *ret = (struct result_confirm){.predicted_blocks = f.blocks, .predicted_bytes = f.bytes};
    history_lost(r->history[subject], &r->judgement[subject], c, &ret->blocks, &ret->bytes);
    for (size_t b = 0; b < w->table.count; b++) {
        uint64_t n = (a->by_end ? ended : begun)[b];
        ret->connections += n;
        ret->guilty += a->share[b].verdict == BEHAVIOUR_GUILTY ? n : 0;
    }
    ret->agrees = agrees(a, &f, ret->blocks, ret->bytes);
}

/* Only of epochs whose connections have all closed: an interrupted run may leave some open. */
static bool confirmed_until_end(const struct run *r, int subject)
{
    for (int i = 0; i < CONFIRMS; i++) {
        size_t c = r->attribution->epoch[i];
        if (c >= history_epochs(r->history[subject]) ||
            !history_epoch(r->history[subject], c)->all_closed)
            return false;
    }
    return true;
}

bool attribution_result(const struct run *r, int subject, struct result_attribution *ret)
{
    const struct attribution *w = r->attribution;
    const struct behaviours_answer *a = &w->answer[subject];
    if (!r->judged || w->table.count == 0)
        return false;
    *ret = (struct result_attribution){.outcome = a->outcome,
                                       .exact = a->exact,
                                       .sparse = a->sparse,
                                       .by_end = a->by_end,
                                       .freedom = a->freedom,
                                       .residual_blocks = a->residual_blocks,
                                       .residual_bytes = a->residual_bytes,
                                       .chance = a->chance};
    fill_behaviours(r, subject, ret);
    ret->tried = behaviours_tell(a) && confirmed_until_end(r, subject);
    if (!ret->tried)
        return true;
    fill_confirm(r, subject, w->epoch[ALONE], &ret->alone);
    fill_confirm(r, subject, w->epoch[WITHOUT], &ret->without);
    ret->too_rare = ret->alone.predicted_blocks < CONFIRM_LOSSES_MIN;
    return true;
}

bool attribution_site(const struct run *r, int subject, size_t site, char *buf, size_t size)
{
    const struct attribution *w = r->attribution;
    struct behaviours_answer a;
    struct text names = text_list(buf, size, ",");
    if (!judgement_leaks(&r->judgement[subject], site))
        return false;
    solve(r, subject, site, &a);
    if (a.outcome == BEHAVIOURS_ALIKE || a.outcome == BEHAVIOURS_SINGLE)
        text_item(&names, "all");
    for (size_t b = 0; a.outcome == BEHAVIOURS_APART && b < a.count; b++) {
        if (a.share[b].verdict == BEHAVIOUR_GUILTY)
            text_item(&names, "%s", w->table.name[b]);
    }
    return names.used > 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attribution.h"

#include "base/check.h"
#include "base/text.h"
#include "page/snapshot.h"
#include "stats/attribution/mix.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALONE, WITHOUT, CONFIRMS, CONFIRM_OPENS_MIN = 100, CONFIRM_UNITS_MAX = 8 };

/* So many losses an epoch should show, some more than it takes beside those of connections that
 * were open before. Fewer than the second are none of 1,000 to 1 even if the other epoch has none:
 * 0.5^10. */
static const double CONFIRM_LOSSES = 40, CONFIRM_LOSSES_MIN = 10;

_Static_assert((int)PAGE_BEHAVIOURS <= (int)MIX_MAX && (int)PAGE_BEHAVIOURS <= (int)BEHAVIOURS_MAX,
               "the solver has room for what the page has");

struct attribution {
    size_t subjects;
    struct attribution_subject subject[ATTRIBUTION_SUBJECTS];
    struct behaviour_table table; /* as of the last checkpoint */
    struct mix mix;
    struct behaviours_answer answer[ATTRIBUTION_SUBJECTS];
    size_t epoch[CONFIRMS];       /* of the confirmation; SIZE_MAX: not run */
    bool blamed[PAGE_BEHAVIOURS]; /* in the epoch of them alone */
};

struct attribution *attribution_new(const struct attribution_subject *subject, size_t subjects)
{
    struct attribution *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    CHECK(subjects <= ATTRIBUTION_SUBJECTS);
    a->subjects = subjects;
    for (size_t i = 0; i < subjects; i++)
        a->subject[i] = subject[i];
    a->epoch[ALONE] = a->epoch[WITHOUT] = SIZE_MAX;
    return a;
}

size_t attribution_start(struct attribution *a, const struct page *client)
{
    behaviour_table_read(client, &a->table);
    mix_init(&a->mix, a->table.weight, a->table.count);
    return mix_drawn(&a->mix);
}

/* ---- mixes ---- */

/* The first subject whose leak follows behaviours; SIZE_MAX: none. */
static size_t leaking_subject(const struct attribution *a)
{
    for (size_t i = 0; i < a->subjects; i++) {
        if (behaviours_tell(&a->answer[i]))
            return i;
    }
    return SIZE_MAX;
}

static bool is_guilty(const struct attribution *a, size_t subject, size_t behaviour)
{
    return a->answer[subject].share[behaviour].verdict == BEHAVIOUR_GUILTY;
}

static void blame(struct attribution *a)
{
    size_t subject = leaking_subject(a);
    CHECK(subject < a->subjects); /* else the plan isn't told to confirm */
    for (size_t b = 0; b < a->table.count; b++)
        a->blamed[b] = is_guilty(a, subject, b);
}

/* A behaviour that can't be drawn, such as "failed", may be the only one that is guilty, or the
 * only one that isn't. */
static bool can_be_drawn(const struct attribution *a, size_t subject)
{
    bool alone = false, without = false;
    for (size_t b = 0; b < a->table.count; b++) {
        alone |= a->mix.base[b] && is_guilty(a, subject, b);
        without |= a->mix.base[b] && !is_guilty(a, subject, b);
    }
    return alone && without;
}

static void confirm_weights(const struct attribution *a, bool alone, uint64_t *weight)
{
    for (size_t b = 0; b < a->table.count; b++)
        weight[b] = a->blamed[b] == alone ? a->mix.base[b] : 0;
}

static bool any_weight(const struct attribution *a, const uint64_t *weight)
{
    for (size_t b = 0; b < a->table.count; b++) {
        if (weight[b])
            return true;
    }
    return false;
}

const char *attribution_words(struct attribution *a, const struct plan_action *action, char *buf,
                              size_t size)
{
    uint64_t weight[PAGE_BEHAVIOURS] = {0};
    struct text words = text_into(buf, size);
    /* Connections that never join the stable set replace nobody in it. */
    text_add(&words, "%s", action->step == PLAN_TURNOVER ? " stay=1" : "");
    if (action->step == PLAN_MEASURE && mix_drawn(&a->mix) > 0)
        mix_next(&a->mix, action->opens, weight);
    if (action->step == PLAN_CONFIRM_ALONE)
        blame(a);
    if (action->step == PLAN_CONFIRM_ALONE || action->step == PLAN_CONFIRM_WITHOUT)
        confirm_weights(a, action->step == PLAN_CONFIRM_ALONE, weight);
    /* The last name is "failed": no connection is drawn to be that. */
    for (size_t b = 0; any_weight(a, weight) && b + 1 < a->table.count; b++)
        text_add(&words, "%s%" PRIu64, b ? "," : " mix=", weight[b]);
    CHECK(!words.cut); /* a mix that is cut short is another mix */
    return buf;
}

/* ---- solving ---- */

void attribution_keep(struct attribution *a, const struct page *client, enum plan_step step)
{
    size_t now = history_epochs(a->subject[0].history);
    behaviour_table_read(client, &a->table);
    if (now == 0)
        return;
    if (step == PLAN_CONFIRM_ALONE)
        a->epoch[ALONE] = now - 1;
    if (step == PLAN_CONFIRM_WITHOUT)
        a->epoch[WITHOUT] = now - 1;
}

static bool judged(const struct judge_epoch *e)
{
    return e->measured && !e->hold && e->all_closed && e->opened > 0;
}

/* How a site's losses scatter: where it has no line it is all that calls malloc, so that one may
 * take as many blocks as it likes. */
static void add_scatter(const struct attribution_subject *of, size_t site,
                        struct behaviours_question *q)
{
    int64_t blocks[PAGE_EPOCHS];
    uint32_t line;
    size_t epochs = 0;
    for (size_t c = 0; c < history_epochs(of->history); c++) {
        if (judged(history_epoch(of->history, c)))
            blocks[epochs++] = history_lost_at(of->history, of->judgement, site, c).blocks;
    }
    history_site(of->history, site, &line);
    double deviation = behaviours_deviation(blocks, epochs);
    q->deviation += deviation;
    q->unlike |= !line && deviation > 0;
}

/* Of one site, or (SIZE_MAX) of all that leak together. */
static void solve(const struct attribution *a, size_t subject, size_t site,
                  struct behaviours_answer *ret)
{
    const struct attribution_subject *of = &a->subject[subject];
    struct behaviours_epoch epoch[PAGE_EPOCHS];
    bool unknown = a->table.count == 0;
    if (unknown || of->judgement->unit == UNIT_RELOAD) { /* it isn't what peers do that counts */
        *ret = (struct behaviours_answer){.outcome = BEHAVIOURS_NONE};
        return;
    }
    struct behaviours_question q = {.count = a->table.count, .epoch = epoch};
    for (size_t c = 0; c < history_epochs(of->history); c++) {
        if (!judged(history_epoch(of->history, c)))
            continue;
        const struct history_loss lost = site == SIZE_MAX
                                             ? history_lost(of->history, of->judgement, c)
                                             : history_lost_at(of->history, of->judgement, site, c);
        epoch[q.epochs++] = (struct behaviours_epoch){.begun = a->table.begun[c],
                                                      .ended = a->table.ended[c],
                                                      .blocks = lost.blocks,
                                                      .bytes = lost.bytes};
    }
    for (size_t i = 0; q.epochs && i < history_sites(of->history); i++) {
        if (i == site || (site == SIZE_MAX && judgement_leaks(of->judgement, i)))
            add_scatter(of, i, &q);
    }
    behaviours_solve(&q, ret);
}

void attribution_solve(struct attribution *a)
{
    for (size_t i = 0; i < a->subjects; i++)
        solve(a, i, SIZE_MAX, &a->answer[i]);
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

static uint64_t confirm_opens(uint64_t unit, const struct behaviours_answer *a)
{
    uint64_t least = unit > CONFIRM_OPENS_MIN ? unit : CONFIRM_OPENS_MIN;
    double wanted = ceil(CONFIRM_LOSSES / behaviours_losses(a, least_loss(a)));
    uint64_t most = CONFIRM_UNITS_MAX * least;
    return wanted < (double)least ? least : wanted > (double)most ? most : (uint64_t)wanted;
}

void attribution_seen(const struct attribution *a, uint64_t unit, struct plan_seen *ret)
{
    size_t subject = leaking_subject(a);
    for (size_t i = 0; i < a->subjects; i++)
        ret->untold |= a->answer[i].outcome == BEHAVIOURS_UNTOLD;
    if (subject == SIZE_MAX || a->epoch[WITHOUT] != SIZE_MAX || !can_be_drawn(a, subject))
        return;
    ret->wants_confirm = true;
    ret->confirm_opens = confirm_opens(unit, &a->answer[subject]);
}

/* ---- what it came to ---- */

bool attribution_site(const struct attribution *a, size_t subject, size_t site, char *buf,
                      size_t size)
{
    struct behaviours_answer of;
    struct text names = text_list(buf, size, ",");
    if (!judgement_leaks(a->subject[subject].judgement, site))
        return false;
    solve(a, subject, site, &of);
    if (of.outcome == BEHAVIOURS_ALIKE || of.outcome == BEHAVIOURS_SINGLE)
        text_item(&names, "all");
    for (size_t b = 0; of.outcome == BEHAVIOURS_APART && b < of.count; b++) {
        if (of.share[b].verdict == BEHAVIOUR_GUILTY)
            text_item(&names, "%s", a->table.name[b]);
    }
    return names.used > 0;
}

const struct behaviours_answer *attribution_answer(const struct attribution *a, size_t subject)
{
    return &a->answer[subject];
}

size_t attribution_behaviours(const struct attribution *a)
{
    return a->table.count;
}

const char *attribution_name(const struct attribution *a, size_t behaviour)
{
    return a->table.name[behaviour];
}

/* What would have followed the warm-up with its last epoch's share of the behaviour. */
static struct reach_warm_up warm_up_of(const struct judge_sensitivity *s, uint64_t of, uint64_t all)
{
    struct reach_warm_up ret = s->warm_up;
    for (int i = 0; i < REACH_LONGER; i++)
        ret.longer[i] = (uint64_t)ceil((double)ret.longer[i] * (double)of / (double)all);
    return ret;
}

/* As the judge's, through all the rules that it names, but of losses by one behaviour's connections
 * alone; and among blocks that come and go as much rarer ones than that have to be. */
double attribution_one_in(const struct attribution *a, size_t subject, size_t behaviour)
{
    const struct history *h = a->subject[subject].history;
    const struct judge_sensitivity *s = &a->subject[subject].judgement->sensitivity;
    uint64_t opened[PAGE_EPOCHS] = {0}, losing[PAGE_EPOCHS] = {0};
    struct reach r = {
        .opened = opened, .losing = losing, .epochs = history_epochs(h), .threads = s->threads};
    for (size_t c = 0; c < r.epochs; c++) {
        const struct judge_epoch *e = history_epoch(h, c);
        opened[c] = judged(e) ? e->opened : 0;
        losing[c] = judged(e) ? a->table.begun[c][behaviour] : 0;
    }
    if (s->base < r.epochs && history_epoch(h, s->base)->opened > 0) {
        r.warm = a->table.begun[s->base][behaviour];
        r.warm_up = warm_up_of(s, r.warm, history_epoch(h, s->base)->opened);
    }
    return s->share * reach_one_in(&r);
}

static bool agrees(const struct behaviours_confirm *c, bool exact)
{
    const struct behaviours_forecast *f = &c->predicted;
    if (exact)
        return (double)c->blocks == f->blocks && (double)c->bytes == f->bytes;
    return fabs((double)c->blocks - f->blocks) <= f->blocks_off;
}

static void confirm(const struct attribution *a, size_t subject, size_t c,
                    struct behaviours_confirm *ret)
{
    const struct behaviours_answer *answer = &a->answer[subject];
    const struct attribution_subject *of = &a->subject[subject];
    const uint64_t *begun = a->table.begun[c], *ended = a->table.ended[c];
    *ret = (struct behaviours_confirm){.predicted = behaviours_forecast(answer, begun, ended)};
    const struct history_loss lost = history_lost(of->history, of->judgement, c);
    ret->blocks = lost.blocks;
    ret->bytes = lost.bytes;
    for (size_t b = 0; b < a->table.count; b++) {
        uint64_t n = (answer->by_end ? ended : begun)[b];
        ret->connections += n;
        ret->guilty += is_guilty(a, subject, b) ? n : 0;
    }
    ret->agrees = agrees(ret, answer->exact);
}

/* Only of epochs whose connections have all closed: an interrupted run may leave some open. */
static bool confirmed_until_end(const struct attribution *a, size_t subject)
{
    const struct history *h = a->subject[subject].history;
    for (int i = 0; i < CONFIRMS; i++) {
        size_t c = a->epoch[i];
        if (c >= history_epochs(h) || !history_epoch(h, c)->all_closed)
            return false;
    }
    return true;
}

/* The epochs are those of whom was blamed then: later epochs, and what the caches give back at the
 * end, may tell it otherwise. */
static bool blames_the_same(const struct attribution *a, size_t subject)
{
    for (size_t b = 0; b < a->table.count; b++) {
        if (a->blamed[b] != is_guilty(a, subject, b))
            return false;
    }
    return true;
}

bool attribution_confirmed(const struct attribution *a, size_t subject,
                           struct attribution_confirmation *ret)
{
    const struct behaviours_answer *answer = &a->answer[subject];
    if (!behaviours_tell(answer) || !confirmed_until_end(a, subject) ||
        !blames_the_same(a, subject))
        return false;
    confirm(a, subject, a->epoch[ALONE], &ret->alone);
    confirm(a, subject, a->epoch[WITHOUT], &ret->without);
    ret->too_rare = behaviours_losses(answer, ret->alone.predicted.blocks) < CONFIRM_LOSSES_MIN;
    ret->confirmed = !ret->too_rare && behaviours_confirmed(answer, &ret->alone, &ret->without);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_simulate.h"

#include "base/check.h"
#include "base/rng.h"
#include "stats/hits.h"
#include "stats/judge/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 64, SITES = 2, HELD = 0, LOST = 1, BLOCK = 32, HELD_BLOCKS = 7 };

struct site {
    int64_t born[EPOCHS], blocks[EPOCHS]; /* by epoch; at its end */
};

/* A program: each open connection holds a few blocks, and some lose one. */
struct program {
    struct rng rng;
    const struct plan *plan;
    double chance;
    uint64_t opened;
    size_t epochs;
    struct judge_epoch epoch[EPOCHS];
    struct site site[SITES];
    int64_t bytes[SITES][2][EPOCHS];
    bool drained;
};

static int64_t sum(const int64_t *of, size_t count)
{
    int64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += of[i];
    return all;
}

static void churn(struct program *p, const struct plan_action *a)
{
    size_t now = p->epochs++;
    CHECK(now < EPOCHS);
    uint64_t opens = a->step == PLAN_HOLD ? 0 : a->opens;
    struct site *held = &p->site[HELD], *lost = &p->site[LOST];
    p->opened += opens;
    p->epoch[now] = (struct judge_epoch){
        .opened = opens,
        .closed = p->opened > p->plan->in.conns ? p->opened - p->plan->in.conns : 0,
        .seconds = opens ? (double)opens / p->plan->in.rate_per_s : (double)a->hold_ms / 1000,
        .measured = a->step != PLAN_WARM,
        .hold = a->step == PLAN_HOLD};
    for (size_t c = 0; c < now && opens >= p->plan->in.conns; c++) {
        p->epoch[c].all_closed = true;
        held->born[c] = 0;
    }
    if (opens)
        held->born[now] =
            HELD_BLOCKS * (int64_t)(opens < p->plan->in.conns ? opens : p->plan->in.conns);
    lost->born[now] = hits_draw(&p->rng, opens, p->chance);
    for (size_t i = 0; i < SITES; i++)
        p->site[i].blocks[now] = sum(p->site[i].born, p->epochs);
}

static uint64_t elapsed_ms(const struct program *p)
{
    double seconds = 0;
    for (size_t c = 0; c < p->epochs; c++)
        seconds += p->epoch[c].seconds;
    return (uint64_t)(seconds * 1000);
}

/* What a probe would have seen. */
static void look(struct program *p, struct judgement *ret)
{
    struct judge_site lent[SITES];
    for (size_t i = 0; i < SITES; i++) {
        const struct site *s = &p->site[i];
        int64_t left = 0;
        for (size_t c = 0; c < p->epochs; c++) {
            p->bytes[i][0][c] = s->blocks[c] * BLOCK;
            p->bytes[i][1][c] = s->born[c] * BLOCK;
            left += i == LOST && p->epoch[c].measured && p->epoch[c].all_closed ? s->born[c] : 0;
        }
        left = p->drained ? left : 0;
        lent[i] = (struct judge_site){.file = "ssl/simulated.c",
                                      .line = (uint32_t)(100 + i),
                                      .blocks = s->blocks,
                                      .bytes = p->bytes[i][0],
                                      .born_blocks = s->born,
                                      .born_bytes = p->bytes[i][1],
                                      .drained_blocks = left,
                                      .flushed_blocks = left,
                                      .flushed_bytes = left * BLOCK};
    }
    struct evidence e = {.epochs = p->epochs,
                         .epoch = p->epoch,
                         .sites = SITES,
                         .site = lent,
                         .drained = p->drained,
                         .hooked = true,
                         .tried = p->opened,
                         .handshakes = p->opened,
                         .want_one_in = p->plan->in.one_in};
    plan_warm_up(p->plan, p->opened, elapsed_ms(p), &e.warm_up);
    judge(&e, ret);
}

static struct plan_seen see(const struct program *p, const struct judgement *j)
{
    struct plan_seen seen = {.opened = p->opened,
                             .wants_hold = j->wants_hold,
                             .wants_more = j->wants_more,
                             .hold_ms = j->hold_ms,
                             .certain = j->certain,
                             .elapsed_ms = elapsed_ms(p)};
    uint64_t opened = p->opened;
    for (size_t i = 0; i < 3 && i < p->epochs; i++) {
        size_t c = p->epochs - 1 - i;
        seen.ledger_blocks[i] = p->site[HELD].blocks[c] + p->site[LOST].blocks[c];
        seen.ledger_opened[i] = opened;
        opened -= p->epoch[c].opened;
        seen.checkpoints++;
    }
    return seen;
}

static void run(const struct plan_input *in, uint64_t seed, double chance, struct judgement *ret)
{
    struct program *p = calloc(1, sizeof *p);
    struct plan plan;
    CHECK(p);
    *p = (struct program){.rng.state = seed, .plan = &plan, .chance = chance};
    *ret = (struct judgement){.reasons = 0};
    plan_init(&plan, in);
    for (;;) {
        struct plan_seen seen = see(p, ret);
        struct plan_action a = plan_next(&plan, &seen);
        if (a.step == PLAN_DRAIN)
            break;
        churn(p, &a);
        look(p, ret);
    }
    p->drained = true;
    look(p, ret);
    free(p);
}

/* ---- what is drawn ---- */

enum bound { BOUND_NONE, BOUND_CLOSED, BOUND_SURE, BOUND_TIME, BOUNDS };

static void draw(struct rng *r, struct plan_input *in, struct campaign_simulated *ret)
{
    static const char *const rows[BOUNDS] = {"without a bound", "--closed", "--until-sure",
                                             "--for"};
    enum bound bound = (enum bound)rng_below(r, BOUNDS);
    *in = (struct plan_input){
        .conns = 1 + rng_below(r, 200), .rate_per_s = 1000, .early_stop = rng_below(r, 2)};
    int n = snprintf(ret->line, sizeof ret->line, "--conns=%" PRIu64, in->conns);
    char *rest = ret->line + n;
    size_t room = sizeof ret->line - (size_t)n;
    if (bound == BOUND_CLOSED) {
        uint64_t least = plan_closed_for(in, 2);
        in->closed = least + rng_below(r, 20 * least);
        snprintf(rest, room, " --closed=%" PRIu64, in->closed);
    } else if (bound == BOUND_SURE) {
        in->one_in = 100 + rng_below(r, 100000);
        in->until_sure = true;
        in->for_ms = 3600000;
        snprintf(rest, room, " --until-sure --sensitivity=1/%" PRIu64, in->one_in);
    } else if (bound == BOUND_TIME) {
        in->for_ms = 1000 * (5 + rng_below(r, 200));
        snprintf(rest, room, " --for=%" PRIu64 "s", in->for_ms / 1000);
    }
    snprintf(ret->row, sizeof ret->row, "%s", rows[bound]);
}

static enum campaign_outcome outcome_of(const struct judgement *j, uint64_t one_in)
{
    static const enum campaign_outcome of[] = {[VERDICT_PASS] = CAMPAIGN_MISSED,
                                               [VERDICT_LEAK] = CAMPAIGN_RIGHT,
                                               [VERDICT_INVALID] = CAMPAIGN_BROKEN,
                                               [VERDICT_INCONCLUSIVE] = CAMPAIGN_DOUBT};
    bool below = j->verdict == VERDICT_PASS && j->sensitivity.one_in < (double)one_in;
    return below ? CAMPAIGN_BELOW : of[j->verdict];
}

void campaign_simulate_times(uint64_t seed, uint64_t number, double times,
                             struct campaign_simulated *ret)
{
    struct rng r = {.state = seed * UINT64_C(0x100000001b3) + number};
    struct plan_input in;
    struct judgement clean, j;
    *ret = (struct campaign_simulated){.row = ""};
    draw(&r, &in, ret);
    run(&in, rng_next(&r), 0, &clean);
    if (clean.verdict != VERDICT_PASS || clean.sensitivity.one_in < 1) {
        ret->outcome = CAMPAIGN_BROKEN;
        snprintf(ret->said, sizeof ret->said, "a clean run is no PASS");
        return;
    }
    ret->one_in = (uint64_t)clean.sensitivity.one_in;
    run(&in, rng_next(&r), times / (double)ret->one_in, &j);
    ret->outcome = outcome_of(&j, ret->one_in);
    snprintf(ret->said, sizeof ret->said, "%s", j.reasons ? j.reason[0] : "");
}

void campaign_simulate(uint64_t seed, uint64_t number, struct campaign_simulated *ret)
{
    campaign_simulate_times(seed, number, 1, ret);
}

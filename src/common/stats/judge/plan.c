/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "base/check.h"
#include "judge.h"

#include <math.h>

enum {
    UNIT_MS = 250,
    UNIT_MIN = 30,
    UNIT_MAX = 250, /* connections: whether a higher rate is reached is known after an epoch */
    UNIT_RELOADS = 4,
    TURNOVER_RELOADS = 2, /* one would do where the old configuration goes at once */
    DEFAULT_MS = 60000,
    HOLD_MS = 1500,
    HOLD_PARTS = 2,           /* a longer hold takes no more than half of the time until then, */
    HOLD_PARTS_OF_BOUND = 10, /* or a tenth of a bound in time */
    WARM_MIN = 2,
    WARM_MAX = 5,    /* n, n, 2n, 4n, 8n */
    EPOCHS_MAX = 52, /* the page has room for 64; the hold and the turnover come on top */
    PARTS_MIN = 8,   /* an epoch is at most an eighth of what is measured, or less where that */
    PARTS_MAX = 40,  /* gives fewer epochs than there are behaviours to be told apart */
    CONFIRMS = 2,
    MAKE_UP_EPOCHS = 4,
    EXTRA_EPOCHS = 2,
    EXTRA_EPOCHS_SURE = 16, /* three times as long in all; what is in doubt then, stays so */
    PROFILE_PARTS = 4,      /* of a bounded run may go to the profile: no more is kept for it */
    PROFILE_OPENS = 128     /* beyond the stable set: enough to tell growth from chance */
};

static uint64_t parts(const struct plan *p)
{
    size_t wanted = p->in.behaviours + 4;
    return wanted < PARTS_MIN ? PARTS_MIN : wanted > PARTS_MAX ? PARTS_MAX : wanted;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What is left of `a` beyond `b`. */
static uint64_t beyond(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* The run isn't bounded: it ends when it has seen enough. */
static bool is_default(const struct plan *p)
{
    return p->in.closed == 0 && (p->in.for_ms == 0 || p->in.until_sure);
}

/* How long the run is to take, in any case. */
static double aimed_ms(const struct plan *p)
{
    return p->in.until_sure ? 0 : (double)(p->in.for_ms ? p->in.for_ms : DEFAULT_MS);
}

/* An epoch may be smaller than the stable set: its connections are then still open at its end, and
 * are judged at a later one. A large set at a slow rate must not use up a run by two epochs. */
static uint64_t unit_of(const struct plan_input *in)
{
    if (in->unit == UNIT_RELOAD)
        return in->closed ? larger(smaller(in->closed / 32, UNIT_RELOADS), 1) : UNIT_RELOADS;
    double quarter = ceil(in->rate_per_s * UNIT_MS / 1000.0);
    uint64_t n = in->rate_per_s > 0 && quarter < UNIT_MAX ? (uint64_t)quarter : UNIT_MAX;
    if (in->closed)
        n = smaller(in->closed / 32, n);
    /* What each connection makes at its first or second operation and keeps is then made in the
     * warm-up, in all of them. */
    if (in->unit == UNIT_OPERATION)
        return larger(n, in->conns);
    return larger(larger(n, smaller(in->conns, UNIT_MIN)), in->epoch_opens);
}

/* The stable set and a bit: a few opens never join it, such as handshakes broken off by intent. */
static uint64_t turnover_opens(const struct plan *p)
{
    if (p->in.unit == UNIT_RELOAD)
        return TURNOVER_RELOADS;
    return p->in.conns + p->in.conns / 4 + 8;
}

/* The first step opens the stable set anew, the second one does so again and what grows shows. */
static uint64_t profile_opens(const struct plan *p)
{
    return 2 * turnover_opens(p) + PROFILE_OPENS;
}

static uint64_t needed(const struct plan *p)
{
    return p->in.conns + 4 * p->unit + p->need + turnover_opens(p);
}

/* At what a run without a bound in connections aims. */
static void aim(struct plan *p)
{
    p->need = plan_unbounded(&p->in);
    if (is_default(p))
        p->total = larger(p->total, needed(p));
}

void plan_init(struct plan *p, const struct plan_input *in)
{
    *p = (struct plan){.in = *in, .unit = unit_of(in)};
    p->next_opens = p->unit;
    p->total = in->closed;
    if (in->closed)
        return;
    if (in->rate_per_s > 0)
        p->total = (uint64_t)(in->rate_per_s * aimed_ms(p) / 1000.0);
    aim(p);
}

/* Which threads serve the connections is known once they do. */
static void learn(struct plan *p, const struct plan_seen *seen)
{
    if (seen->threads <= p->in.threads)
        return;
    p->in.threads = seen->threads;
    if (!p->in.closed)
        aim(p);
}

/* Connections in so much time at the pace reached so far. */
static uint64_t at_pace(const struct plan_seen *seen, double ms)
{
    return (uint64_t)((double)seen->opened * ms / (double)seen->elapsed_ms);
}

/* No more than its time has room for at the pace reached. */
static uint64_t within_time(const struct plan *p, const struct plan_seen *seen, uint64_t total)
{
    return p->in.for_ms && seen->elapsed_ms
               ? smaller(total, larger(at_pace(seen, (double)p->in.for_ms), seen->opened))
               : total;
}

/* What the run will come to: its bound, or what the rate reached so far gives in its time. So a
 * bound in time ends the run too: when it has passed, this is no more than what was opened. */
static uint64_t expected_total(const struct plan *p, const struct plan_seen *seen)
{
    if (p->in.closed)
        return within_time(p, seen, p->total);
    uint64_t reached = seen->elapsed_ms ? at_pace(seen, aimed_ms(p)) : p->total;
    if (!is_default(p))
        return reached ? reached : p->total;
    uint64_t total = p->in.rate_per_s > 0 ? smaller(p->total, larger(reached, needed(p)))
                                          : larger(reached, needed(p));
    return within_time(p, seen, total);
}

uint64_t plan_expected(const struct plan *p, uint64_t opened, uint64_t elapsed_ms)
{
    const struct plan_seen seen = {.opened = opened, .elapsed_ms = elapsed_ms};
    return expected_total(p, &seen);
}

double plan_left_ms(const struct plan *p, uint64_t opened, uint64_t elapsed_ms)
{
    uint64_t left = beyond(plan_expected(p, opened, elapsed_ms), opened);
    return (double)left * (double)elapsed_ms / (double)opened;
}

/* No more than the time limit has room for at the pace reached. */
static uint64_t within_limit(const struct plan *p, const struct plan_seen *seen, uint64_t opens)
{
    bool limits = p->in.until_sure || p->in.closed;
    if (!limits || !p->in.for_ms || !seen->elapsed_ms)
        return opens;
    return smaller(opens, beyond(at_pace(seen, (double)p->in.for_ms), seen->opened));
}

/* ---- the warm-up ---- */

static bool unchanged(const struct plan_seen *s)
{
    return s->checkpoints >= 2 && s->ledger_blocks[0] == s->ledger_blocks[1];
}

static bool grows_steadily(const struct plan_seen *s)
{
    if (s->checkpoints < 3 || s->ledger_opened[0] <= s->ledger_opened[1])
        return false;
    double newer = (double)(s->ledger_blocks[0] - s->ledger_blocks[1]) /
                   (double)(s->ledger_opened[0] - s->ledger_opened[1]);
    double older = (double)(s->ledger_blocks[1] - s->ledger_blocks[2]) /
                   (double)(s->ledger_opened[1] - s->ledger_opened[2]);
    return fabs(newer - older) <= 0.1 * newer; /* never where it shrinks */
}

/* Of the epoch that so many went before. */
static uint64_t warm_opens(const struct plan *p, int before)
{
    if (before == 0)
        return p->in.conns + p->unit;
    return p->unit << (before - 1);
}

/* One more would be too large a part of the run. */
static bool is_long(uint64_t opened, uint64_t more, uint64_t total)
{
    enum { PARTS = 3 };
    return (opened + more) * PARTS > total;
}

static bool is_warm(const struct plan *p, const struct plan_seen *seen)
{
    if (p->measured_epochs > 0 || p->warm_epochs >= WARM_MAX)
        return true;
    if (p->warm_epochs < WARM_MIN)
        return false;
    if (unchanged(seen) || grows_steadily(seen))
        return true;
    return is_long(seen->opened, warm_opens(p, p->warm_epochs), expected_total(p, seen));
}

/* What is measured where the warm-up takes so many of all: something, as that isn't long. */
static double measured_after(const struct plan *p, uint64_t warm, uint64_t total)
{
    uint64_t left = beyond(total, warm + turnover_opens(p));
    return (double)(is_default(p) ? larger(left, p->need) : left);
}

void plan_warm_up(const struct plan *p, uint64_t opened, uint64_t elapsed_ms,
                  struct reach_warm_up *ret)
{
    _Static_assert(WARM_MAX - WARM_MIN == REACH_LONGER, "an epoch each");
    uint64_t total = plan_expected(p, opened, elapsed_ms), sum = 0;
    for (int i = 0; i < p->warm_epochs; i++)
        sum += warm_opens(p, i);
    double measured = measured_after(p, sum, total);
    *ret = (struct reach_warm_up){.longer = {0}};
    for (int i = p->warm_epochs; i >= WARM_MIN && i < WARM_MAX; i++) {
        uint64_t opens = warm_opens(p, i);
        if (is_long(sum, opens, total))
            break;
        sum += opens;
        ret->longer[i - p->warm_epochs] = opens;
        ret->left[i - p->warm_epochs] = measured_after(p, sum, total) / measured;
    }
}

/* ---- measuring ---- */

static uint64_t remaining(const struct plan *p, const struct plan_seen *seen)
{
    uint64_t confirm = seen->wants_confirm ? CONFIRMS * seen->confirm_opens : 0;
    uint64_t spent = seen->opened + turnover_opens(p) + confirm, total = expected_total(p, seen);
    if (!is_default(p) && seen->suspects_heap && profile_opens(p) <= total / PROFILE_PARTS)
        spent += profile_opens(p);
    uint64_t left = beyond(total, spent);
    if (is_default(p))
        left = larger(left, beyond(p->need, p->measured_opens));
    return within_limit(p, seen, left);
}

/* The measuring goes on until it is worth no further epoch. */
static uint64_t measure_opens(const struct plan *p, const struct plan_seen *seen)
{
    uint64_t left = remaining(p, seen);
    uint64_t cap = larger((p->measured_opens + left) / parts(p), p->unit);
    uint64_t opens = smaller(p->next_opens, cap);
    /* What would be left after it is less than half of it: it takes that as well. */
    if (left < opens + opens / 2)
        opens = left;
    return opens * 2 < p->unit ? 0 : opens;
}

static uint64_t extra_opens(struct plan *p, const struct plan_seen *seen)
{
    int most = p->in.until_sure ? EXTRA_EPOCHS_SURE : EXTRA_EPOCHS;
    if (!is_default(p) || !seen->wants_more || p->extra_epochs >= most)
        return 0;
    p->extra_epochs++;
    uint64_t part = smaller(p->total / parts(p), expected_total(p, seen));
    uint64_t opens = within_limit(p, seen, larger(part, p->unit));
    return opens * 2 < p->unit ? 0 : opens;
}

static uint64_t next_measure(struct plan *p, const struct plan_seen *seen)
{
    if (p->warm_epochs + p->measured_epochs >= EPOCHS_MAX)
        return 0;
    bool told = !seen->untold || p->measured_epochs >= (int)p->in.behaviours + 2;
    if (seen->certain && told && p->in.early_stop)
        return 0;
    /* Less than two measured epochs give no verdict at all; a bound that is too tight for them
     * is exceeded by two small ones. */
    if (p->measured_epochs < 2)
        return larger(measure_opens(p, seen), p->unit);
    uint64_t opens = p->extra_epochs ? 0 : measure_opens(p, seen);
    return opens ? opens : extra_opens(p, seen);
}

static struct plan_action measure(struct plan *p, uint64_t opens)
{
    p->measured_epochs++;
    p->measured_opens += opens;
    p->next_opens = p->next_opens < UINT64_MAX / 2 ? p->next_opens * 2 : p->next_opens;
    return (struct plan_action){.step = PLAN_MEASURE, .opens = opens};
}

/* 0: none, or no more of them. A bounded run isn't made longer by it. */
static uint64_t next_profile(const struct plan *p, const struct plan_seen *seen)
{
    if (p->profiled == 1)
        return turnover_opens(p) + PROFILE_OPENS;
    bool room = is_default(p) || seen->opened + profile_opens(p) <= expected_total(p, seen);
    return p->profiled == 0 && seen->wants_profile && room ? turnover_opens(p) : 0;
}

/* A leak may be convicted by the turnover only: then the confirmation comes after it, and another
 * turnover closes its connections. */
static bool confirms(const struct plan *p, const struct plan_seen *seen)
{
    return seen->wants_confirm && p->confirms < CONFIRMS;
}

static struct plan_action confirm(struct plan *p, const struct plan_seen *seen)
{
    enum plan_step step = p->confirms++ ? PLAN_CONFIRM_WITHOUT : PLAN_CONFIRM_ALONE;
    p->turned_over = false;
    return (struct plan_action){.step = step, .opens = seen->confirm_opens};
}

static struct plan_action turn_over(struct plan *p)
{
    p->turned_over = true;
    return (struct plan_action){.step = PLAN_TURNOVER, .opens = turnover_opens(p)};
}

/* How alike the halves are, and which connections could be judged, is known once all have closed: a
 * run that is to reach a sensitivity makes up for what is missing. 0: nothing, or no room for it.
 */
static uint64_t make_up_opens(const struct plan *p, const struct plan_seen *seen)
{
    bool full = p->warm_epochs + p->measured_epochs >= EPOCHS_MAX;
    if (!is_default(p) || !seen->falls_short || full || p->makes_up >= MAKE_UP_EPOCHS)
        return 0;
    uint64_t opens = within_limit(p, seen, larger(p->need / parts(p), p->unit));
    return opens * 2 < p->unit ? 0 : opens;
}

static struct plan_action make_up(struct plan *p, uint64_t opens)
{
    p->makes_up++;
    p->turned_over = false;
    return measure(p, opens);
}

/* What tells few losses from time is known at the end, with their rate. */
static uint64_t long_hold_ms(const struct plan *p, const struct plan_seen *seen)
{
    uint64_t most = seen->elapsed_ms / HOLD_PARTS, limit = p->in.for_ms;
    if (limit)
        most = smaller(most, p->in.until_sure ? beyond(limit, seen->elapsed_ms)
                                              : limit / HOLD_PARTS_OF_BOUND);
    if (p->in.hold_most_ms)
        most = smaller(most, p->in.hold_most_ms);
    return larger(smaller(seen->hold_ms, most), HOLD_MS);
}

static bool wants_hold(const struct plan *p, const struct plan_seen *seen)
{
    return seen->wants_hold && !p->held;
}

static struct plan_action hold(struct plan *p, uint64_t ms)
{
    p->held = true;
    return (struct plan_action){.step = PLAN_HOLD, .hold_ms = ms};
}

/* The warm-up, the measuring and the hold. False: they are done. */
static bool next_before(struct plan *p, const struct plan_seen *seen, struct plan_action *ret)
{
    if (p->measured_out)
        return false;
    if (!is_warm(p, seen)) {
        *ret = (struct plan_action){.step = PLAN_WARM, .opens = warm_opens(p, p->warm_epochs)};
        p->warm_epochs++;
        return true;
    }
    if (wants_hold(p, seen)) {
        *ret = hold(p, HOLD_MS);
        return true;
    }
    uint64_t opens = next_measure(p, seen);
    p->measured_out = opens == 0;
    if (opens)
        *ret = measure(p, opens);
    return opens > 0;
}

struct plan_action plan_next(struct plan *p, const struct plan_seen *seen)
{
    struct plan_action action;
    CHECK(!p->drained);
    learn(p, seen);
    if (!seen->interrupted) {
        if (next_before(p, seen, &action))
            return action;
        if (confirms(p, seen))
            return confirm(p, seen);
        if (!p->turned_over)
            return turn_over(p);
        uint64_t missing = make_up_opens(p, seen);
        if (missing)
            return make_up(p, missing);
        /* The growth of a short run shows when all its connections have closed, and not before. */
        if (wants_hold(p, seen) || (seen->hold_ms && !p->held_long)) {
            p->held_long = true;
            return hold(p, long_hold_ms(p, seen));
        }
    }
    uint64_t opens = seen->interrupted || !p->turned_over ? 0 : next_profile(p, seen);
    if (opens) {
        p->profiled++;
        return (struct plan_action){.step = PLAN_PROFILE, .opens = opens};
    }
    p->drained = true;
    return (struct plan_action){.step = PLAN_DRAIN};
}

int plan_epochs_estimate(const struct plan *p)
{
    int epochs = p->warm_epochs > WARM_MIN ? p->warm_epochs : WARM_MIN;
    uint64_t total = larger(p->total, needed(p)), left = total - p->in.conns, opens = p->unit;
    if (p->in.closed)
        left = beyond(p->total, p->in.conns);
    for (; left > opens / 2 && epochs < EPOCHS_MAX; epochs++) {
        left -= smaller(left, opens);
        opens = smaller(opens * 2, larger(total / parts(p), p->unit));
    }
    int done = p->warm_epochs + p->measured_epochs;
    return epochs > done ? epochs : done;
}

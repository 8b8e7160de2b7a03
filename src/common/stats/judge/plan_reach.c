/* SPDX-License-Identifier: Apache-2.0 */
/* How long a run must be: for how many connections it measures, and the bound that surely gives it
 * so many. */
#include "base/check.h"
#include "judge.h"
#include "plan.h"

enum { COURSE_EPOCHS = 64, WARM_LEAST = 2, WARM_MOST = 5 };

/* What a clean subject may answer a plan that is bounded in connections: at which epoch its ledger
 * stands still, and after how many measured epochs its heap looks as if it grew. */
struct course {
    struct plan_input in;
    int warm, suspected;
};

/* The connections of the measured epochs. */
static void course_measures(const struct course *c, uint64_t opens[COURSE_EPOCHS],
                            struct reach *ret)
{
    struct plan p;
    struct plan_seen seen = {.checkpoints = 2};
    struct plan_action action;
    *ret = (struct reach){.opened = opens, .threads = c->in.threads};
    plan_init(&p, &c->in);
    do {
        seen.ledger_blocks[0] = p.warm_epochs >= c->warm ? 0 : 1;
        seen.suspects_heap = p.measured_epochs >= c->suspected;
        action = plan_next(&p, &seen);
        seen.opened += action.opens;
        CHECK(ret->epochs < COURSE_EPOCHS);
        if (action.step == PLAN_MEASURE)
            opens[ret->epochs++] = action.opens;
        else if (action.step == PLAN_WARM)
            ret->warm = action.opens;
    } while (action.step != PLAN_TURNOVER);
    plan_warm_up(&p, seen.opened, 0, &ret->warm_up);
}

/* Returns how many epochs it measures, or 0 when these don't reach the sensitivity. */
static size_t course_reaches(const struct course *c, uint64_t one_in)
{
    uint64_t opens[COURSE_EPOCHS];
    struct reach reach;
    course_measures(c, opens, &reach);
    return reach_shows(&reach, (double)one_in) ? reach.epochs : 0;
}

/* Growth that shows in the heap after the last epoch changes nothing. */
static bool reaches_from(struct course c, uint64_t one_in)
{
    size_t epochs = 1;
    for (c.suspected = 0; epochs && c.suspected <= (int)epochs; c.suspected += 1 + c.suspected / 2)
        epochs = course_reaches(&c, one_in);
    return epochs > 0;
}

/* On every course. Behaviours that the client's library can't do get no weight: any number of them
 * up to the one asked for may be left. */
static bool reaches(const struct plan_input *in, uint64_t closed, uint64_t one_in)
{
    struct course c = {.in = *in};
    c.in.closed = closed;
    c.in.for_ms = 0;
    for (c.in.behaviours = 0; c.in.behaviours <= in->behaviours; c.in.behaviours++) {
        for (c.warm = WARM_LEAST; c.warm <= WARM_MOST; c.warm++) {
            if (!reaches_from(c, one_in))
                return false;
        }
    }
    return true;
}

/* Two digits, rounded up, from 1,000 on. */
static uint64_t rounded(uint64_t n)
{
    uint64_t unit = 1;
    while (n >= 1000 && n / unit >= 100)
        unit *= 10;
    return (n + unit - 1) / unit * unit;
}

uint64_t plan_closed_for(const struct plan_input *in, uint64_t one_in)
{
    CHECK(one_in >= 1);
    uint64_t rounds = in->unit == UNIT_CONNECTION ? PLAN_TURNOVERS : PLAN_ROUNDS;
    uint64_t least = plan_least_for(one_in), replaced = rounds * in->conns;
    uint64_t closed = rounded(least > replaced ? least : replaced);
    while (!reaches(in, closed, one_in))
        closed = rounded(closed + 1);
    return closed;
}

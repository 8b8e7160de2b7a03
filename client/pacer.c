/* SPDX-License-Identifier: Apache-2.0 */
#include "pacer.h"

#include "base/check.h"

static const double NS_PER_S = 1e9;

static uint64_t elapsed_ns(const struct pacer *p, uint64_t now_ns)
{
    if (!p->running || now_ns < p->since_ns)
        return p->ran_ns;
    return p->ran_ns + (now_ns - p->since_ns);
}

void pacer_init(struct pacer *p, double per_s, bool max)
{
    CHECK(max || per_s > 0);
    *p = (struct pacer){.per_s = per_s, .max = max};
}

void pacer_run(struct pacer *p, uint64_t now_ns)
{
    if (p->running)
        return;
    p->running = true;
    p->since_ns = now_ns;
}

void pacer_pause(struct pacer *p, uint64_t now_ns)
{
    p->ran_ns = elapsed_ns(p, now_ns);
    p->running = false;
}

uint64_t pacer_due(const struct pacer *p, uint64_t now_ns)
{
    if (p->max)
        return p->taken;
    return (uint64_t)((double)elapsed_ns(p, now_ns) * p->per_s / NS_PER_S);
}

bool pacer_ready(const struct pacer *p, uint64_t now_ns)
{
    return p->running && (p->max || pacer_due(p, now_ns) > p->taken);
}

void pacer_take(struct pacer *p)
{
    p->taken++;
}

uint64_t pacer_wait_ns(const struct pacer *p, uint64_t now_ns)
{
    if (!p->running)
        return UINT64_MAX;
    if (pacer_ready(p, now_ns))
        return 0;
    double due_at_ns = ((double)p->taken + 1) * NS_PER_S / p->per_s;
    double wait_ns = due_at_ns - (double)elapsed_ns(p, now_ns);
    return wait_ns < 1 ? 1 : wait_ns < 1e18 ? (uint64_t)wait_ns : UINT64_MAX;
}

void quota_start(struct quota *q, uint64_t opens, uint64_t empty_slots)
{
    q->owed = empty_slots;
    q->left = opens > empty_slots ? opens : empty_slots;
}

bool quota_spare(const struct quota *q)
{
    return q->left > q->owed;
}

void quota_vacate(struct quota *q)
{
    CHECK(quota_spare(q));
    q->owed++;
}

void quota_begin(struct quota *q, bool aborts)
{
    CHECK(q->owed > 0 && q->left >= q->owed);
    CHECK(!aborts || quota_spare(q));
    q->left--;
    if (!aborts)
        q->owed--;
}

void quota_failed(struct quota *q)
{
    q->left++;
    q->owed++;
}

void quota_finish(struct quota *q)
{
    q->left = q->owed;
}

void rounds_start(struct rounds *r, uint64_t operations)
{
    CHECK(r->under_way == 0);
    *r = (struct rounds){.left = operations};
}

bool rounds_spare(const struct rounds *r)
{
    return r->left > 0;
}

void rounds_begin(struct rounds *r)
{
    CHECK(rounds_spare(r));
    r->left--;
    r->under_way++;
}

void rounds_done(struct rounds *r)
{
    CHECK(r->under_way > 0);
    r->under_way--;
}

void rounds_failed(struct rounds *r)
{
    rounds_done(r);
    if (!r->finishing)
        r->left++;
}

void rounds_finish(struct rounds *r)
{
    r->finishing = true;
    r->left = 0;
}

bool rounds_over(const struct rounds *r)
{
    return r->left == 0 && r->under_way == 0;
}

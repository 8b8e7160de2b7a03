/* SPDX-License-Identifier: Apache-2.0 */
#include "torture_step.h"

#include <signal.h>
#include <string.h>

/* The client gives up after three seconds; who doesn't answer in three times that is stuck. */
enum { STUCK_MS = 10000, ABORT_MS = 2000, NS_PER_MS = 1000000 };

static uint64_t patience_ms(const struct bench *b)
{
    uint64_t watchdog_ms = b->pair.scenario->watchdog_ns / NS_PER_MS;
    return watchdog_ms && watchdog_ms < STUCK_MS ? watchdog_ms : STUCK_MS;
}

static void free_before(struct bench *b)
{
    for (int side = 0; side < PAIR_SIDES; side++)
        snapshot_free(&b->before[side]);
}

static int read_both(struct bench *b, struct snapshot *ret, struct err *e)
{
    for (int side = 0; side < PAIR_SIDES; side++) {
        if (snapshot_read(b->pair.subjects.subject[side].child.page, &ret[side], e) == 0)
            continue;
        if (side > 0)
            snapshot_free(&ret[0]);
        return -1;
    }
    return 0;
}

int bench_begin(struct bench *b, struct err *e)
{
    struct snapshot now[PAIR_SIDES];
    if (read_both(b, now, e) != 0)
        return -1;
    free_before(b);
    memcpy(b->before, now, sizeof now);
    return 0;
}

void bench_end(struct bench *b)
{
    free_before(b);
}

/* ---- the plan and the answer, in the page ---- */

static void plan_failure(struct page *page, uint64_t nth)
{
    struct page_fail *fail = &page->fail;
    atomic_store(&fail->nth, nth);
    atomic_store(&fail->asked, 0);
    atomic_store(&fail->failed, 0);
    atomic_store(&fail->connection, atomic_load(&page->app.opened) + 1);
}

static void copy_stack(const struct page_trace *from, struct step_stack *to)
{
    uint64_t frames = atomic_load_explicit(&from->frames, memory_order_acquire);
    to->frames = frames < PAGE_STACK_FRAMES ? (size_t)frames : PAGE_STACK_FRAMES;
    memcpy(to->frame, from->frame, to->frames * sizeof to->frame[0]);
}

static void read_hit(const struct page *page, struct step *s)
{
    const struct page_fail *fail = &page->fail;
    s->asked = atomic_load(&fail->asked);
    s->hit = atomic_load_explicit(&fail->failed, memory_order_acquire) != 0;
    if (!s->hit)
        return;
    uint64_t number = atomic_load(&fail->site);
    const struct page_site *site = &page->site[number < PAGE_SITES ? number : 0];
    const char *file = site->file;
    while (strncmp(file, "../", 3) == 0)
        file += 3;
    snprintf(s->file, sizeof s->file, "%.*s", (int)sizeof s->file - 1, file);
    s->line = (uint32_t)site->line;
    s->size = atomic_load(&fail->size);
    copy_stack(&fail->stack, &s->stack);
}

static void read_end(const struct pair *p, int side, struct step *s)
{
    s->end_side = side;
    s->signal = p->subjects.subject[side].child.exit_signal;
    copy_stack(&p->subjects.subject[side].child.page->crash.stack, &s->end_stack);
}

/* ---- what stays ---- */

/* Returns whether anything is other than before. */
static bool differs(const struct bench *b, const struct snapshot *now, struct kept *kept)
{
    bool differs = false;
    for (int side = 0; side < PAIR_SIDES; side++) {
        kept_compare(&b->before[side], &now[side], &kept[side]);
        differs |= kept[side].blocks != 0 || kept[side].bytes != 0;
    }
    return differs;
}

/* Reads the ledgers. When they differ it may be too early, a side may still be freeing: so both
 * first pass an order on, which each thread takes only between two turns. */
static int look(struct bench *b, struct step *s, enum pair_end *ret_end, struct err *e)
{
    struct snapshot now[PAIR_SIDES];
    if (read_both(b, now, e) != 0)
        return -1;
    if (differs(b, now, s->kept)) {
        for (int side = 0; side < PAIR_SIDES; side++)
            snapshot_free(&now[side]);
        memset(s->kept, 0, sizeof s->kept);
        *ret_end = pair_settle(&b->pair, patience_ms(b));
        if (*ret_end != PAIR_DONE)
            return 0;
        if (read_both(b, now, e) != 0)
            return -1;
        differs(b, now, s->kept);
    }
    free_before(b);
    memcpy(b->before, now, sizeof now);
    return 0;
}

/* ---- the step ---- */

/* The server's session cache keeps a session of each connection, so it is emptied after each. */
static bool has_cache(const struct bench *b)
{
    return b->pair.scenario->session == SESSION_CACHE;
}

static enum pair_end connect_one(struct bench *b, const struct step_plan *plan)
{
    struct pair *p = &b->pair;
    struct page *page = p->subjects.subject[plan->side].child.page;
    enum pair_end end = PAIR_DONE;
    /* One that is to resume needs a session, and one that fails brings none for the next. */
    if (p->scenario->resume > 0)
        end = pair_connections(p, plan->behaviour, 1, patience_ms(b));
    plan_failure(page, plan->nth);
    if (end == PAIR_DONE)
        end = pair_connections(p, plan->behaviour, 1, patience_ms(b));
    atomic_store(&page->fail.nth, 0);
    return end == PAIR_DONE && has_cache(b) ? pair_flush(p, patience_ms(b)) : end;
}

static bool one_has_died(const struct pair *p)
{
    return !p->subjects.subject[PAIR_SERVER].child.running ||
           !p->subjects.subject[PAIR_CLIENT].child.running;
}

/* Who is stuck isn't known from outside: the side whose allocation failed is asked first where it
 * is, by a signal that its probe catches. */
static void abort_stuck(struct pair *p, int side)
{
    if (p->subjects.subject[side].child.running)
        uv_process_kill(&p->subjects.subject[side].child.process, SIGABRT);
    pair_wait(p, one_has_died, ABORT_MS);
    child_kill(&p->subjects.subject[side].child); /* one that is stopped doesn't hear of it */
    pair_wait(p, one_has_died, ABORT_MS);
}

static void ended_badly(struct bench *b, int side, enum pair_end end, struct step *s)
{
    struct pair *p = &b->pair;
    s->outcome = end == PAIR_LATE ? STEP_STUCK : STEP_CRASHED;
    if (end == PAIR_LATE)
        abort_stuck(p, side);
    else
        side = p->subjects.subject[PAIR_SERVER].child.running ? PAIR_CLIENT : PAIR_SERVER;
    read_end(p, side, s);
}

static enum step_outcome outcome(const struct page_app *client, uint64_t failed, uint64_t late)
{
    if (atomic_load(&client->fail_timeout) > late)
        return STEP_HUNG;
    return atomic_load(&client->failed) > failed ? STEP_FAILED : STEP_WENT_ON;
}

int step_run(struct bench *b, const struct step_plan *plan, struct step *ret, struct err *e)
{
    struct pair *p = &b->pair;
    struct page *page = p->subjects.subject[plan->side].child.page;
    const struct page_app *client = &p->subjects.subject[PAIR_CLIENT].child.page->app;
    uint64_t failed = atomic_load(&client->failed), late = atomic_load(&client->fail_timeout);
    *ret = (struct step){.outcome = STEP_INTERRUPTED};
    enum pair_end end = connect_one(b, plan);
    read_hit(page, ret);
    ret->outcome = outcome(client, failed, late);
    /* A server that has just died refuses a connection before its end is heard of. */
    if (end == PAIR_DONE && ret->outcome == STEP_FAILED && !ret->hit)
        end = pair_settle(p, patience_ms(b));
    if (end == PAIR_DONE && look(b, ret, &end, e) != 0)
        return -1;
    if (end == PAIR_INTERRUPTED)
        ret->outcome = STEP_INTERRUPTED;
    else if (end != PAIR_DONE)
        ended_badly(b, plan->side, end, ret);
    return 0;
}

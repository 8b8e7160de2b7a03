/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include "base/clock.h"
#include "checkpoint.h"
#include "churn.h"
#include "run.h"

#include <inttypes.h>

/* It ends the epoch, not a number: what the program makes beyond {count} is counted too. */
static const uint64_t OPENS = UINT32_MAX;

/* Where it makes so many more than it was asked for it won't end. */
enum { TOO_MANY_TIMES = 4, TOO_MANY_MORE = 1000 };

static size_t runs(const struct run *r)
{
    return (size_t)r->scenario->loop;
}

/* The number of the run that is under way, or comes next. */
static size_t now(const struct run *r)
{
    return r->loop.record.runs;
}

static struct page *page_of(const struct run *r)
{
    return run_judged(r)->subject->child.page;
}

static uint64_t accepted(const struct run *r)
{
    return atomic_load(&run_load(r)->subject->child.page->app.opened);
}

static uint64_t failed(const struct run *r)
{
    return atomic_load(&run_load(r)->subject->child.page->app.failed);
}

bool loop_is_last(const struct run *r)
{
    return now(r) + 1 == runs(r);
}

static void start(struct run *r)
{
    struct run_loop *l = &r->loop;
    struct subject *program = run_judged(r)->subject, *load = run_load(r)->subject;
    struct err e = {{0}};
    r->subjects.asked = l->asked[now(r)];
    l->accepted = accepted(r);
    l->ended = false;
    l->looks = 0;
    if (loop_is_last(r))
        canary_record_arm(history_canary_record(run_judged(r)->history), page_of(r),
                          r->subjects.asked);
    if (!r->epoch_start_ns)
        r->epoch_start_ns = r->epoch_ns = clock_now_ns();
    run_state_set(r, RUN_START_CLIENT);
    churn_begin(r);
    load->ops->epoch(load, OPENS, "");
    if (program->ops->start(program, r->scenario, &e) != 0)
        run_break(r, "%s", e.text);
}

bool loop_next(struct run *r)
{
    if (now(r) == 0)
        scenario_loop(r->scenario, r->loop.asked);
    if (now(r) == runs(r) || r->interrupted)
        return false;
    r->action = (struct plan_action){.step = PLAN_MEASURE, .opens = r->loop.asked[now(r)]};
    start(r);
    return true;
}

void loop_started(struct run *r)
{
    run_state_set(r, RUN_CHURN);
    r->churn_began.ns = clock_now_ns(); /* not its start; what it has made by now is counted */
}

/* Its addresses have their names in what it has mapped, which goes with it. At its first connection
 * it has loaded nearly all, and at half of them all: but it may have ended when soak gets to look.
 */
static void look(struct run *r)
{
    struct child *c = &run_judged(r)->subject->child;
    child_keep_image(c);
    r->mapped_count = mapped_read(r->programs, c->pid, r->mapped);
    processes_look(r);
    r->loop.looks++;
}

void loop_poll(struct run *r)
{
    struct run_loop *l = &r->loop;
    uint64_t made = accepted(r) - l->accepted, asked = r->subjects.asked;
    if (r->state != RUN_CHURN || l->ended)
        return;
    if (l->looks == 0 && made)
        look(r);
    if (l->looks < 2 && made * 2 >= asked) {
        look(r);
        if (now(r) == 0 && checkpoint_blind(r)) /* of one that lives it says more */
            return;
    }
    if (made > asked * TOO_MANY_TIMES + TOO_MANY_MORE)
        run_break(r,
                  "the client has made %" PRIu64 " connections where {count} was %" PRIu64
                  ", and goes on: with --loop it must end by itself",
                  made, asked);
}

bool loop_ended(struct run *r, const struct subject *s)
{
    struct run_loop *l = &r->loop;
    struct foreign_end end;
    bool runs_now = r->state == RUN_START_CLIENT || r->state == RUN_CHURN;
    if (!r->scenario->loop || s->role != SUBJECT_JUDGED || !runs_now || !foreign_ended(s, &end))
        return false;
    bool worked = accepted(r) > l->accepted && end.signal == 0;
    if (!worked && !r->interrupted)
        return false;
    l->ended = true;
    l->status = end.status;
    struct subject *load = run_load(r)->subject;
    load->ops->finish(load);
    return true;
}

void loop_interrupted(struct run *r)
{
    struct subject *program = run_judged(r)->subject;
    if (!r->scenario->loop || r->state != RUN_CHURN || r->loop.ended)
        return;
    r->loop.cut = true;
    r->loop.failed = failed(r);
    program->ops->stop(program);
}

uint64_t loop_failed(const struct run *r)
{
    return r->loop.cut ? r->loop.failed : failed(r);
}

int loop_keep(struct run *r, const struct history_sample *sample, struct err *e)
{
    struct run_loop *l = &r->loop;
    const struct loop_run run = {.asked = r->subjects.asked,
                                 .made = accepted(r) - l->accepted,
                                 .status = l->status,
                                 .seconds = (double)(clock_now_ns() - r->epoch_ns) / 1e9,
                                 .armed = loop_is_last(r),
                                 .planted =
                                     loop_is_last(r) && atomic_load(&page_of(r)->check.lost_epoch),
                                 .snapshot = sample->snapshot};
    if (r->interrupted)
        return 0;
    if (loop_record_add(&l->record, &run) != 0 ||
        loop_record_fold(&l->record, run_judged(r)->history) != 0)
        return err_set(e, "out of memory");
    return 0;
}

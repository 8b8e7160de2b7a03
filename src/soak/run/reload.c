/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include "base/clock.h"
#include "churn.h"
#include "settle.h"
#include "user_command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/types.h>

/* Beyond the time in which the page is to be quiet: a signal takes its time on a busy machine. */
static const uint64_t UNHEARD_NS = 5000000000u;

static struct page *page_of(const struct run *r)
{
    return run_judged(r)->subject->child.page;
}

/* What is lost on purpose must be lost by a process that stays, which workers don't; and the stacks
 * of theirs would be taken for those of survivors, as nobody frees their blocks one by one. Where
 * the program itself counts nothing, the first process that does is as good as any. */
static void choose_process(const struct run *r)
{
    const struct subject *s = run_judged(r)->subject;
    struct snapshot_process row[PAGE_PROCESSES];
    pid_t main = foreign_main(s);
    for (size_t i = foreign_processes(s, row); i-- > 0;) {
        if (row[i].pid != main || row[i].mode == PAGE_MODE_INACTIVE)
            continue;
        atomic_store(&page_of(r)->check.pid, (uint64_t)main);
        atomic_store(&page_of(r)->capture.pid, (uint64_t)main);
    }
}

static void end_epoch(struct run *r)
{
    churn_end(r);
    settle_begin(r, SETTLE_CHECKPOINT);
}

static void on_command_done(struct run *r)
{
    if (r->interrupted)
        end_epoch(r);
    else
        settle_reload(r);
}

static void next(struct run *r)
{
    struct run_reload *reload = &r->reload;
    if (reload->left == 0 || r->interrupted) {
        end_epoch(r);
        return;
    }
    reload->left--;
    reload->begun_ns = clock_now_ns();
    reload->allocs = snapshot_allocs(page_of(r));
    reload->count++;
    r->oldest = r->epoch; /* what an epoch before has made is replaced */
    user_command_start(r, "reload", r->scenario->reload, on_command_done);
}

void reload_epoch(struct run *r, uint64_t reloads)
{
    if (r->reload.count == 0)
        choose_process(r);
    churn_begin(r);
    r->reload.left = reloads;
    next(r);
}

/* A signal that nobody waits for, or a command that does nothing, would look like a program without
 * a leak. */
static bool is_unheard(struct run *r)
{
    const struct run_reload *reload = &r->reload;
    uint64_t waited_ns = clock_now_ns() - reload->begun_ns;
    if (snapshot_allocs(page_of(r)) != reload->allocs)
        return false;
    if (waited_ns < UNHEARD_NS + r->scenario->settle_ns)
        settle_reload(r);
    else
        run_break(r, "--reload '%s' had no effect: the server allocated nothing within %.3g s%s",
                  r->scenario->reload, (double)waited_ns / 1e9,
                  r->scenario->malloc_hooks ? "" : "; --malloc-hooks counts its malloc, too");
    return true;
}

void reload_quiet(struct run *r)
{
    struct subject *s = run_judged(r)->subject;
    if (r->interrupted) {
        end_epoch(r);
        return;
    }
    if (is_unheard(r))
        return;
    run_state_set(r, RUN_READY);
    s->ops->again(s);
}

void reload_ready(struct run *r)
{
    run_state_set(r, RUN_CHURN);
    struct subject *load = run_load(r)->subject;
    load->ops->epoch(load, r->scenario->conns, "");
}

void reload_loaded(struct run *r)
{
    next(r);
}

void reload_interrupted(struct run *r)
{
    if (r->state == RUN_COMMAND && r->command.done == on_command_done)
        user_command_drop(r);
    else if (r->state == RUN_READY) /* the server may stay down */
        run_quit(r);
}

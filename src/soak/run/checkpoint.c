/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint.h"

#include "base/clock.h"
#include "sampler.h"
#include "settle.h"
#include "subject/agent_load.h"
#include "unfinished.h"

#include <stdio.h>

static uint64_t elapsed_ms(const struct run *r)
{
    return r->epoch_start_ns ? (clock_now_ns() - r->epoch_start_ns) / 1000000u : 0;
}

struct history_question checkpoint_question(const struct run *r)
{
    const struct page_app *client = &run_load(r)->subject->child.page->app;
    const struct scenario *s = r->scenario;
    struct history_question question = {.limit_heap = s->limit_heap,
                                        .limit_rss = s->limit_rss,
                                        .want_one_in = s->sensitivity,
                                        .unasked = s->unasked,
                                        .expected = s->expect_cache,
                                        .held = checkpoint_at_once(r),
                                        .seed = r->seed,
                                        .load = checkpoint_load(r),
                                        .foreign = checkpoint_foreign(r),
                                        .handshakes = atomic_load(&client->handshakes) +
                                                      atomic_load(&client->operations)};
    plan_warm_up(&r->plan, run_begun(r), elapsed_ms(r), &question.warm_up);
    return question;
}

static void judge_one(struct run *r, struct watched *w, struct history_question *question)
{
    char text[192];
    bool judged = w->subject->role == SUBJECT_JUDGED;
    question->moving = judged ? settle_moving(r) : NULL;
    question->outside = subject_outside(w->subject, text, sizeof text);
    question->expected = judged ? r->scenario->expect_cache : 0;
    question->processes = processes_of(r, w->subject);
    history_judge(w->history, question, &w->judgement);
    if (judged)
        processes_doubt(r, question, &w->judgement);
}

/* A leak ends the run early: the other subject had no chance to reach the sensitivity asked for,
 * and is judged by what it did reach. */
static void judge_without_asking(struct run *r, struct history_question *question)
{
    question->want_one_in = 0;
    for (size_t i = 0; i < r->subjects.count; i++) {
        if (r->watched[i].judgement.verdict != VERDICT_LEAK)
            judge_one(r, &r->watched[i], question);
    }
}

void checkpoint_judge(struct run *r)
{
    if (r->scenario->loop && r->loop.record.runs == 0) /* it was interrupted in the first one */
        return;
    struct history_question question = checkpoint_question(r);
    bool leak = false;
    for (size_t i = 0; i < r->subjects.count; i++) {
        judge_one(r, &r->watched[i], &question);
        leak |= r->watched[i].judgement.verdict == VERDICT_LEAK;
    }
    r->judged = true;
    if (leak)
        judge_without_asking(r, &question);
    attribution_solve(r->attribution);
}

static enum history_phase phase_of(const struct run *r)
{
    if (r->disturbed)
        return HISTORY_DISTURBED;
    switch (r->action.step) {
    case PLAN_WARM:
        return HISTORY_WARM;
    case PLAN_HOLD:
        return HISTORY_HOLD;
    case PLAN_CONFIRM_ALONE:
    case PLAN_CONFIRM_WITHOUT:
        return HISTORY_CONFIRM;
    case PLAN_MEASURE:
    case PLAN_TURNOVER:
    case PLAN_PROFILE:
    case PLAN_DRAIN:
        break;
    }
    return HISTORY_MEASURE;
}

/* Whether a program that isn't soak's is counted nowhere, and why. */
static bool is_blind(const struct run *r, char *buf, size_t size)
{
    const struct subject *s = run_judged(r)->subject;
    return s->ops->blind && r->scenario->probe && s->ops->blind(s, buf, size);
}

/* A program whose counted processes have all ended by the end of the run. Returns 0, or -1 with why
 * its others aren't counted. */
static int gone_blind(const struct run *r, const struct snapshot *judged, struct err *e)
{
    char text[512];
    if (judged->mode != PAGE_MODE_INACTIVE || r->scenario->loop || !is_blind(r, text, sizeof text))
        return 0;
    return err_set(e, "at the run's end %s", text);
}

/* Whether its checkpoints are the ends of its runs: nothing comes after them. */
static bool is_looped(const struct run *r, size_t i)
{
    return r->scenario->loop && r->watched[i].subject->foreign;
}

/* Copies the stacks of the epoch that ended, and marks the sites whose stacks the next one is to
 * take. Nothing is allocated now but by a subject's own clock. */
static int keep_stacks(struct run *r, const struct history_sample *sample, struct err *e)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct capture *c = &r->watched[i].capture;
        struct page *page = r->watched[i].subject->child.page;
        bool loops = is_looped(r, i);
        const struct capture_end end = {page, &sample[i].snapshot, r->epoch - 1,
                                        loops ? UINT64_MAX : r->oldest};
        if (capture_keep(c, &end, e) != 0)
            return -1;
        if (!loops || loop_is_last(r)) /* each process has addresses of its own */
            capture_choose(c, &r->watched[i].judgement);
        capture_mark(c, page, r->epoch);
        child_keep_image(&r->watched[i].subject->child);
    }
    return 0;
}

/* Of both subjects. */
static int keep_history(struct run *r, const struct history_sample *sample, struct err *e)
{
    double seconds = (double)(clock_now_ns() - r->epoch_ns) / 1e9;
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct watched *w = &r->watched[i];
        if (is_looped(r, i)) {
            if (loop_keep(r, &sample[i], e) != 0)
                return -1;
            continue;
        }
        if (w->subject->foreign)
            processes_checkpoint(r, &sample[i], phase_of(r), seconds);
        history_checkpoint(w->history, &sample[i], phase_of(r), seconds, r->oldest);
        history_threads(w->history, w->subject->child.page);
    }
    if (!r->scenario->loop) /* what the runs differ by isn't what they meet */
        attribution_keep(r->attribution, run_load(r)->subject->child.page, r->action.step);
    return 0;
}

static int keep_epoch(struct run *r, const struct history_sample *sample, struct err *e)
{
    stayed_look(r);
    if (keep_history(r, sample, e) != 0)
        return -1;
    r->epoch++;
    for (size_t i = 0; i < r->subjects.count; i++)
        capture_mark(&r->watched[i].capture, r->watched[i].subject->child.page, r->epoch);
    r->epoch_ns = clock_now_ns();
    checkpoint_judge(r);
    unfinished_write(r);
    return keep_stacks(r, sample, e);
}

/* What each process keeps now that nothing is open and nothing is cached. */
static void keep_rest(struct run *r, const struct history_sample *sample)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        const struct snapshot *s = &sample[i].snapshot;
        if (is_looped(r, i))
            continue;
        r->watched[i].rest = (struct result_rest){.known = true,
                                                  .anon_bytes = sample[i].proc.rss_anon_bytes,
                                                  .ledger_bytes = s->bytes + s->uv_bytes,
                                                  .heap = s->heap.present != 0,
                                                  .heap_allocated_bytes = s->heap.allocated,
                                                  .heap_active_bytes = s->heap.active};
    }
}

static int keep(struct run *r, const struct history_sample *sample, struct err *e)
{
    switch (r->settle) {
    case SETTLE_CHECKPOINT:
        return keep_epoch(r, sample, e);
    case SETTLE_RELOAD:
        check_fail(__FILE__, __LINE__, "a reload takes no sample");
    case SETTLE_HEAP_START:
    case SETTLE_HEAP_FIRST:
    case SETTLE_HEAP_LAST:
        return 0;
    case SETTLE_CLOSED:
        for (size_t i = 0; i < r->subjects.count; i++)
            history_closed(r->watched[i].history, &sample[i].snapshot);
        return 0;
    case SETTLE_DRAINED:
        for (size_t i = 0; i < r->subjects.count; i++)
            if (!is_looped(r, i))
                history_drained(r->watched[i].history, &sample[i].snapshot);
        return 0;
    case SETTLE_FLUSHED:
        keep_rest(r, sample);
        for (size_t i = 0; i < r->subjects.count; i++)
            if (!is_looped(r, i))
                history_flushed(r->watched[i].history, &sample[i].snapshot);
        checkpoint_judge(r);
        return gone_blind(r, &sample[subject_index(run_judged(r)->subject)].snapshot, e);
    }
    return 0;
}

static bool is_sampled(enum run_settle purpose)
{
    return purpose == SETTLE_CHECKPOINT || purpose == SETTLE_CLOSED || purpose == SETTLE_DRAINED ||
           purpose == SETTLE_FLUSHED;
}

/* Operations are the load's to count, and so are the connections of a program that doesn't tell
 * them: its page counts SSL objects, of which it may have two for one, or use one again. */
static void count_by_load(const struct run *r, const struct watched *w,
                          struct history_sample *sample)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    sample->unit = run_unit(r);
    sample->by_load = !(w->subject->ops->can & SUBJECT_COUNTS_CONNECTIONS);
    sample->several = w->subject->processes > 1;
    sample->operations =
        run_unit(r) == UNIT_RELOAD ? r->reload.count : atomic_load(&app->operations);
    sample->opened = atomic_load(&app->opened);
    sample->closed = atomic_load(&app->closed);
    bool asks_one = !w->subject->serves || run_unit(r) == UNIT_RELOAD;
    sample->one_process = sample->by_load && asks_one;
    sample->gone = sample->by_load && atomic_load(&w->subject->child.page->gone.allocs);
}

bool checkpoint_blind(struct run *r)
{
    char text[512];
    if (!is_blind(r, text, sizeof text))
        return false;
    run_break(r, "%s", text);
    return true;
}

int checkpoint_take(struct run *r, struct err *e)
{
    struct history_sample sample[SUBJECTS_MAX];
    const struct subject *judged = run_judged(r)->subject;
    if (!is_sampled(r->settle))
        return 0;
    if (judged->ops->check && judged->ops->check(judged, e) != 0)
        return -1;
    r->disturbed = r->settle == SETTLE_CHECKPOINT && agent_load_disturbed(run_load(r)->subject);
    r->own_ended = sampler_own_bytes();
    for (size_t i = 0; i < r->subjects.count; i++) {
        if (sampler_take(&r->watched[i], &sample[i], e) == 0) {
            count_by_load(r, &r->watched[i], &sample[i]);
            continue;
        }
        while (i-- > 0)
            snapshot_free(&sample[i].snapshot);
        return -1;
    }
    static const char *const kind[] = {[SETTLE_CHECKPOINT] = "checkpoint",
                                       [SETTLE_CLOSED] = "closed",
                                       [SETTLE_DRAINED] = "drained",
                                       [SETTLE_FLUSHED] = "flushed"};
    sampler_write(r, kind[r->settle], sample);
    int rc = keep(r, sample, e);
    for (size_t i = 0; i < r->subjects.count; i++)
        snapshot_free(&sample[i].snapshot);
    return rc;
}

/* Sure of a leak, and of where it comes from as far as that can be had. */
static bool is_certain(const struct watched *w)
{
    return w->judgement.certain && capture_has_enough(&w->capture, &w->judgement);
}

/* A leak has been seen whatever the sensitivity is. */
static bool falls_short(const struct run *r)
{
    bool short_of = false;
    for (size_t i = 0; i < run_looked_at(r); i++) {
        if (r->watched[i].judgement.verdict == VERDICT_LEAK)
            return false;
        short_of |= r->watched[i].judgement.sensitivity.one_in < (double)r->scenario->sensitivity;
    }
    return short_of && r->scenario->probe;
}

/* What has been judged of one subject calls for. */
static void add_seen(struct plan_seen *ret, const struct watched *w)
{
    if (w->judgement.sensitivity.threads > ret->threads)
        ret->threads = w->judgement.sensitivity.threads;
    ret->wants_hold |= w->judgement.wants_hold;
    ret->wants_more |= w->judgement.wants_more;
    if (w->judgement.hold_ms > ret->hold_ms)
        ret->hold_ms = w->judgement.hold_ms;
    ret->certain |= is_certain(w);
    /* It dumps its profile when told to; several processes would dump several. */
    if (w->subject->ops->can & SUBJECT_CAN_SETTLE && w->subject->processes == 1 &&
        !w->subject->agents) {
        ret->suspects_heap |= profiler_suspects(&w->judgement);
        ret->wants_profile |= profiler_wants(&w->judgement);
    }
}

static int64_t blocks_at(const struct run *r, size_t c)
{
    int64_t blocks = 0;
    for (size_t i = 0; i < r->subjects.count; i++)
        blocks += history_blocks(r->watched[i].history, c);
    return blocks;
}

void checkpoint_seen(const struct run *r, struct plan_seen *ret)
{
    *ret = (struct plan_seen){.opened = run_begun(r),
                              .elapsed_ms = elapsed_ms(r),
                              .falls_short = falls_short(r),
                              .interrupted = r->interrupted};
    for (size_t i = 0; i < r->subjects.count; i++)
        add_seen(ret, &r->watched[i]);
    attribution_seen(r->attribution, r->plan.unit, ret);
    const struct history *judged = run_judged(r)->history;
    size_t n = history_epochs(judged);
    for (size_t i = 0; i < 3 && i < n; i++) {
        size_t c = n - 1 - i;
        ret->ledger_blocks[i] = blocks_at(r, c);
        ret->ledger_opened[i] = history_opened(judged, c);
        ret->checkpoints = (int)i + 1;
    }
}

/* Whether nobody but soak and its client count what the subject does on held connections, or that
 * it is reloaded. */
static bool is_counted_for(const struct run *r, const struct subject *s)
{
    return run_unit(r) != UNIT_CONNECTION && !(s->ops->can & SUBJECT_COUNTS_CONNECTIONS);
}

void checkpoint_forward_operations(struct run *r)
{
    const struct subject *judged = run_judged(r)->subject, *load = run_load(r)->subject;
    if (is_counted_for(r, judged) && judged->child.page && load->child.page)
        atomic_store(&judged->child.page->app.operations,
                     run_unit(r) == UNIT_RELOAD ? r->reload.count
                                                : atomic_load(&load->child.page->app.operations));
}

void checkpoint_begin_canary(struct run *r, size_t subject)
{
    const struct watched *w = &r->watched[subject];
    struct page *page = w->subject->child.page;
    if (!r->scenario->probe || !(w->subject->ops->can & SUBJECT_HAS_PAGE))
        return;
    if (is_counted_for(r, w->subject))
        atomic_fetch_or(&page->epoch, PAGE_EPOCH_TURNS);
    /* That it is reloaded is no matter of the client's. */
    bool by_connection = run_unit(r) == UNIT_RELOAD && !is_counted_for(r, w->subject);
    atomic_store(&page->check.shared, w->subject->foreign || w->subject->processes > 1);
    canary_record_begin(history_canary_record(w->history), page,
                        by_connection ? UNIT_CONNECTION : run_unit(r),
                        r->seed + 1 + (uint64_t)subject);
}

/* The first two measured epochs, at least: no run but an interrupted one has less. */
void checkpoint_plan_canary(struct run *r)
{
    if (!r->scenario->probe || r->action.step != PLAN_MEASURE)
        return;
    for (size_t i = 0; i < r->subjects.count; i++)
        canary_record_arm(history_canary_record(r->watched[i].history),
                          r->watched[i].subject->child.page, r->action.opens + r->plan.unit);
}

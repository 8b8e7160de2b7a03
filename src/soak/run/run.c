/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "base/check.h"
#include "base/clock.h"
#include "checkpoint.h"
#include "churn.h"
#include "display.h"
#include "ending.h"
#include "guard.h"
#include "reload.h"
#include "sampler.h"
#include "settle.h"
#include "user_command.h"
#include "watchdog.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { POLL_MS = 5, SAMPLE_MS = 1000, LIVE_MS = 250 };

void run_state_set(struct run *r, enum run_state state)
{
    if (r->state == RUN_CHURN && state != RUN_CHURN && run_unit(r) != UNIT_RELOAD)
        churn_end(r);
    r->state = state;
    r->moved_ns = r->step_ns = clock_now_ns();
}

void run_kill(struct run *r)
{
    subjects_kill(&r->subjects);
    user_command_kill(r);
}

void run_break(struct run *r, const char *format, ...)
{
    if (!r->broken[0]) {
        va_list args;
        va_start(args, format);
        vsnprintf(r->broken, sizeof r->broken, format, args);
        va_end(args);
    }
    run_kill(r);
    if (r->state != RUN_DONE)
        run_state_set(r, RUN_QUIT);
}

/* ---- steps ---- */

static void begin_churn(struct run *r, uint64_t opens)
{
    run_state_set(r, RUN_CHURN);
    churn_begin(r);
    char words[LINE_MAX_BYTES];
    struct subject *load = run_load(r)->subject;
    load->ops->epoch(load, opens,
                     attribution_words(r->attribution, &r->action, words, sizeof words));
}

static void begin_epoch(struct run *r, uint64_t opens)
{
    if (!r->epoch_start_ns)
        r->epoch_start_ns = r->epoch_ns = clock_now_ns();
    (run_unit(r) == UNIT_RELOAD ? reload_epoch : begin_churn)(r, opens);
}

static void begin_drain(struct run *r)
{
    run_state_set(r, RUN_DRAIN_CLIENT);
    run_load(r)->subject->ops->drain(run_load(r)->subject);
}

/* The first step begins with a word to the subjects that are profiled, the second one at once. */
static void profile(struct run *r)
{
    if (r->plan.profiled == 1) {
        profiler_begin(r);
        settle_begin(r, SETTLE_HEAP_START);
    } else {
        begin_churn(r, r->action.opens);
    }
}

void run_next(struct run *r)
{
    struct plan_seen seen;
    if (r->scenario->loop) {
        if (!loop_next(r))
            begin_drain(r);
        display_phase(r);
        return;
    }
    checkpoint_seen(r, &seen);
    r->action = plan_next(&r->plan, &seen);
    display_phase(r);
    checkpoint_plan_canary(r);
    r->own_began = sampler_own_bytes();
    switch (r->action.step) {
    case PLAN_WARM:
    case PLAN_MEASURE:
    case PLAN_CONFIRM_ALONE:
    case PLAN_CONFIRM_WITHOUT:
    case PLAN_TURNOVER:
        begin_epoch(r, r->action.opens);
        return;
    case PLAN_HOLD:
        run_state_set(r, RUN_HOLD);
        return;
    case PLAN_PROFILE:
        profile(r);
        return;
    case PLAN_DRAIN:
        begin_drain(r);
        return;
    }
}

void run_quit(struct run *r)
{
    run_state_set(r, RUN_QUIT);
    subjects_stop(&r->subjects);
}

/* What held connections kept goes when they close; what is freed from here on was deferred. */
static void drain_server(struct run *r)
{
    run_state_set(r, RUN_DRAIN_SERVER);
    struct subject *s = run_judged(r)->subject;
    s->ops->drain(s);
}

static void begin_flush(struct run *r)
{
    run_state_set(r, RUN_FLUSH);
    struct subject *s = run_judged(r)->subject;
    s->ops->flush(s);
}

/* What it runs on. */
static void keep_mapped(struct run *r)
{
    r->mapped_count = mapped_read(r->programs, run_judged(r)->subject->child.pid, r->mapped);
}

/* The sample's purpose is served: what comes after it. */
static void settled(struct run *r)
{
    struct err e = {{0}};
    if (r->epoch == 0 && checkpoint_blind(r))
        return;
    if (r->epoch == 0 && !r->scenario->loop)
        keep_mapped(r); /* a client program has loaded what it uses by now */
    if (checkpoint_take(r, &e) != 0) {
        run_break(r, "%s", e.text);
        return;
    }
    switch (r->settle) {
    case SETTLE_CHECKPOINT:
        run_next(r);
        return;
    case SETTLE_RELOAD:
        check_fail(__FILE__, __LINE__, "a reload takes no sample");
    case SETTLE_HEAP_START:
        begin_churn(r, r->action.opens);
        return;
    case SETTLE_HEAP_FIRST:
    case SETTLE_HEAP_LAST:
        profiler_read(r);
        run_next(r);
        return;
    case SETTLE_CLOSED:
        drain_server(r);
        return;
    case SETTLE_DRAINED:
        begin_flush(r);
        return;
    case SETTLE_FLUSHED:
        run_quit(r);
        return;
    }
}

static void on_drain_done(struct run *r)
{
    settle_begin(r, SETTLE_DRAINED);
}

/* ---- what the subjects say ---- */

/* Who connects is started once there is something to connect to. */
static void server_ready(struct run *r, const struct subject *s, const struct subject_word *word)
{
    struct err e = {{0}};
    if (r->state != RUN_START_SERVER || !word->numbered) {
        run_break(r, "server: said '%.80s' out of turn", word->line);
        return;
    }
    struct subject *client = subject_partner(s);
    if (r->scenario->loop) {
        run_next(r);
        return;
    }
    run_state_set(r, RUN_START_CLIENT);
    if (client->ops->start(client, r->scenario, &e) != 0)
        run_break(r, "%s", e.text);
}

static void ready(struct run *r, struct subject *s, const struct subject_word *word)
{
    struct err e = {{0}};
    if (s->ops->ready(s, &e) != 0) {
        run_break(r, "%s: %s", s->child.name, e.text);
        return;
    }
    if (r->state == RUN_READY) {
        reload_ready(r);
        return;
    }
    if (s->role == SUBJECT_JUDGED)
        keep_mapped(r);
    if (s->serves) {
        server_ready(r, s, word);
        return;
    }
    if (r->scenario->loop) {
        loop_started(r);
        return;
    }
    size_t behaviours = attribution_start(r->attribution, run_load(r)->subject->child.page);
    if (run_unit(r) != UNIT_RELOAD)
        r->plan.in.behaviours = behaviours;
    run_next(r);
}

static void load_quiet(struct run *r, const struct subject_word *word)
{
    if (r->state != RUN_CHURN || !word->numbered) {
        run_break(r, "client: said '%.80s' out of turn", word->line);
        return;
    }
    if (run_unit(r) == UNIT_RELOAD) {
        reload_loaded(r);
        return;
    }
    r->oldest = word->number;
    if (r->action.step == PLAN_PROFILE)
        settle_begin(r, r->plan.profiled == 1 ? SETTLE_HEAP_FIRST : SETTLE_HEAP_LAST);
    else
        settle_begin(r, SETTLE_CHECKPOINT);
}

static void drained(struct run *r, enum subject_role role)
{
    if (r->state == RUN_DRAIN_CLIENT && role == SUBJECT_LOAD) {
        if (run_unit(r) == UNIT_OPERATION)
            settle_begin(r, SETTLE_CLOSED);
        else
            drain_server(r);
    } else if (r->state == RUN_DRAIN_SERVER && role == SUBJECT_JUDGED) {
        user_command_start(r, "on-drain", r->scenario->on_drain, on_drain_done);
    }
}

static void on_said(struct subject *s, const struct subject_word *word)
{
    struct run *r = s->all->owner;
    if (r->state == RUN_QUIT || r->state == RUN_DONE)
        return;
    switch (word->said) {
    case SUBJECT_READY:
        ready(r, s, word);
        return;
    case SUBJECT_QUIET:
        if (s->role == SUBJECT_LOAD)
            load_quiet(r, word);
        return;
    case SUBJECT_SETTLED:
        if (r->state == RUN_PUBLISH && word->numbered &&
            subjects_settled(&r->subjects, s, word->number))
            settled(r);
        return;
    case SUBJECT_DRAINED:
        drained(r, s->role);
        return;
    case SUBJECT_FLUSHED:
        if (r->state == RUN_FLUSH)
            settle_begin(r, SETTLE_FLUSHED);
        return;
    }
}

void run_finish(struct run *r)
{
    run_state_set(r, RUN_DONE);
    handle_close(&r->poll_timer);
    handle_close(&r->sample_timer);
    handle_close(&r->live_timer);
    display_stop(r);
    interrupts_stop_and_hold(&r->signals);
}

static void on_exit_subject(struct subject *s, const struct child *c)
{
    struct run *r = s->all->owner;
    if (loop_ended(r, s))
        return;
    bool expected = c->quitting && c->exit_signal == 0 && c->exit_status == 0;
    if (!expected && !r->broken[0] && !(r->interrupts > 1))
        ending_break(r, s, c);
    if (!subjects_running(&r->subjects))
        run_finish(r);
}

static void on_broken_subject(struct subject *s, const char *sentence)
{
    run_break(s->all->owner, "%s", sentence);
}

/* ---- timers ---- */

static void on_poll(uv_timer_t *timer)
{
    struct run *r = timer->data;
    const struct subject *judged = run_judged(r)->subject;
    if (judged->ops->look && judged->child.running)
        judged->ops->look(run_judged(r)->subject);
    checkpoint_forward_operations(r);
    if (r->scenario->loop)
        loop_poll(r);
    if (r->state == RUN_SETTLE)
        settle_poll(r);
    else if (r->state == RUN_HOLD &&
             (clock_now_ns() - r->step_ns >= r->action.hold_ms * 1000000u || r->interrupted))
        settle_begin(r, SETTLE_CHECKPOINT);
    watchdog_look_failing(r);
    watchdog_look(r);
}

static void on_sample(uv_timer_t *timer)
{
    struct run *r = timer->data;
    if (r->state > RUN_START_CLIENT && r->state < RUN_QUIT)
        sampler_tick(r);
}

static void on_live(uv_timer_t *timer)
{
    struct run *r = timer->data;
    if (r->state > RUN_START_CLIENT && r->state < RUN_QUIT)
        display_tick(r);
}

/* ---- the whole ---- */

static void start_timer(struct run *r, uv_timer_t *timer, uv_timer_cb cb, uint64_t every_ms)
{
    CHECK(uv_timer_init(&r->subjects.loop, timer) == 0);
    timer->data = r;
    CHECK(uv_timer_start(timer, cb, every_ms, every_ms) == 0);
}

static int init_watched(struct run *r, size_t i, struct err *e)
{
    struct watched *w = &r->watched[i];
    w->subject = &r->subjects.subject[i];
    w->history = history_new();
    if (!w->history)
        return err_set(e, "out of memory");
    if (subject_open(w->subject, e) != 0)
        return -1;
    checkpoint_begin_canary(r, i);
    return 0;
}

static int init_attribution(struct run *r, struct err *e)
{
    struct attribution_subject of[SUBJECTS_MAX];
    for (size_t i = 0; i < r->subjects.count; i++)
        of[i] = (struct attribution_subject){r->watched[i].history, &r->watched[i].judgement};
    r->attribution = attribution_new(of, r->subjects.count);
    return r->attribution ? 0 : err_set(e, "out of memory");
}

static int init(struct run *r, struct err *e)
{
    r->subjects = (struct subjects){.owner = r,
                                    .on_said = on_said,
                                    .on_exit = on_exit_subject,
                                    .on_broken = on_broken_subject,
                                    .on_note = display_say,
                                    .programs = r->programs,
                                    .dir = &r->dir,
                                    .seed = r->seed};
    if (subjects_init(&r->subjects, e) < 0)
        return -1;
    r->samples = sample_log_new();
    if (!r->samples)
        return err_set(e, "out of memory");
    for (size_t i = 0; i < r->subjects.count; i++)
        if (init_watched(r, i, e) != 0)
            return -1;
    struct plan_input in;
    scenario_plan(r->scenario, &in);
    plan_init(&r->plan, &in);
    return init_attribution(r, e) == 0 ? display_open(r, e) : -1;
}

int run_execute(struct run *r, struct err *e)
{
    int rc = init(r, e);
    if (rc != 0)
        return rc;
    r->start_ns = clock_now_ns();
    r->memory_kills = ending_memory_kills("");
    run_state_set(r, RUN_START_SERVER);
    interrupts_start(&r->signals, &r->subjects.loop, ending_interrupt, r);
    start_timer(r, &r->poll_timer, on_poll, POLL_MS);
    start_timer(r, &r->sample_timer, on_sample, SAMPLE_MS);
    start_timer(r, &r->live_timer, on_live, LIVE_MS);
    struct subject *judged = run_judged(r)->subject;
    struct subject *server = judged->serves ? judged : subject_partner(judged);
    rc = server->ops->start(server, r->scenario, e);
    if (rc != 0)
        run_finish(r);
    uv_run(&r->subjects.loop, UV_RUN_DEFAULT);
    display_close(r);
    return rc;
}

void run_fini(struct run *r)
{
    settle_end(r);
    processes_fini(&r->processes);
    subjects_fini(&r->subjects);
    for (size_t i = 0; i < r->subjects.count; i++) {
        history_free(r->watched[i].history);
        capture_fini(&r->watched[i].capture);
        profiler_fini(&r->watched[i].profiler);
    }
    loop_record_free(&r->loop.record);
    free(r->attribution);
    sample_log_free(r->samples);
}

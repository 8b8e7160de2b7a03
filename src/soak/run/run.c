/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "base/check.h"
#include "base/clock.h"
#include "checkpoint.h"
#include "display.h"
#include "ending.h"
#include "sampler.h"
#include "settle.h"
#include "subject/args.h"
#include "user_command.h"
#include "watchdog.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 5, SAMPLE_MS = 1000, LIVE_MS = 250 };

void run_state_set(struct run *r, enum run_state state)
{
    if (r->state == RUN_CHURN && state != RUN_CHURN) {
        r->churn_ns += clock_now_ns() - r->churn_begin_ns;
        r->churn_closed = run_ended(r);
    }
    r->state = state;
    r->moved_ns = r->step_ns = clock_now_ns();
}

static void kill_children(struct run *r)
{
    for (int i = 0; i < RUN_SUBJECTS; i++)
        child_kill(&r->child[i]);
    on_drain_kill(r);
}

void run_break(struct run *r, const char *format, ...)
{
    if (!r->broken[0]) {
        va_list args;
        va_start(args, format);
        vsnprintf(r->broken, sizeof r->broken, format, args);
        va_end(args);
    }
    kill_children(r);
    if (r->state != RUN_DONE)
        run_state_set(r, RUN_QUIT);
}

/* ---- steps ---- */

static void begin_churn(struct run *r, uint64_t opens)
{
    run_state_set(r, RUN_CHURN);
    r->churn_begin_ns = clock_now_ns();
    if (!r->epoch_start_ns)
        r->epoch_start_ns = r->epoch_ns = r->churn_begin_ns;
    char mix[LINE_MAX_BYTES];
    /* Connections that never join the stable set replace nobody in it. */
    const char *stay = r->action.step == PLAN_TURNOVER ? " stay=1" : "";
    child_send(&r->child[RUN_CLIENT], "epoch opens=%" PRIu64 "%s%s", opens, stay,
               attribution_mix(r->attribution, &r->action, mix, sizeof mix));
}

static void begin_drain(struct run *r)
{
    run_state_set(r, RUN_DRAIN_CLIENT);
    child_send(&r->child[RUN_CLIENT], "drain");
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
    checkpoint_seen(r, &seen);
    r->action = plan_next(&r->plan, &seen);
    display_phase(r);
    checkpoint_plan_canary(r);
    switch (r->action.step) {
    case PLAN_WARM:
    case PLAN_MEASURE:
    case PLAN_CONFIRM_ALONE:
    case PLAN_CONFIRM_WITHOUT:
    case PLAN_TURNOVER:
        begin_churn(r, r->action.opens);
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
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        r->child[i].quitting = true;
        child_send(&r->child[i], "quit");
    }
}

/* What held connections kept goes when they close; what is freed from here on was deferred. */
static void drain_server(struct run *r)
{
    run_state_set(r, RUN_DRAIN_SERVER);
    child_send(&r->child[RUN_SERVER], "drain");
}

static void begin_flush(struct run *r)
{
    run_state_set(r, RUN_FLUSH);
    child_send(&r->child[RUN_SERVER], "flush");
}

/* The sample's purpose is served: what comes after it. */
static void settled(struct run *r)
{
    struct err e = {{0}};
    if (checkpoint_take(r, &e) != 0) {
        run_break(r, "%s", e.text);
        return;
    }
    switch (r->settle) {
    case SETTLE_CHECKPOINT:
        run_next(r);
        return;
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

/* ---- the children ---- */

static int start_client(struct run *r, struct err *e)
{
    char address[64];
    snprintf(address, sizeof address, "%s", r->scenario->listen);
    *strrchr(address, ':') = '\0'; /* scenario_check: address:port */
    struct args args;
    args_client(&args, r->scenario, "soak-client", r->seed, address, r->server_port);
    run_state_set(r, RUN_START_CLIENT);
    return programs_start(r->programs, &r->child[RUN_CLIENT], false, &r->loop, args.argv, &r->dir,
                          r->pki_fd[RUN_CLIENT], e);
}

static void server_ready(struct run *r, const char *line)
{
    struct err e = {{0}};
    const struct assembly *asked = r->programs->assembled ? &r->programs->assembly : NULL;
    r->mapped_count = mapped_read(asked, r->child[RUN_SERVER].pid, r->mapped);
    if (r->state != RUN_START_SERVER || line_number(line, "port", &r->server_port) != 0) {
        run_break(r, "server: said '%.80s' out of turn", line);
        return;
    }
    if (start_client(r, &e) != 0)
        run_break(r, "%s", e.text);
}

static void client_quiet(struct run *r, const char *line)
{
    if (r->state != RUN_CHURN || line_number(line, "oldest", &r->oldest) != 0) {
        run_break(r, "client: said '%.80s' out of turn", line);
        return;
    }
    if (r->action.step == PLAN_PROFILE)
        settle_begin(r, r->plan.profiled == 1 ? SETTLE_HEAP_FIRST : SETTLE_HEAP_LAST);
    else
        settle_begin(r, SETTLE_CHECKPOINT);
}

static void drained(struct run *r, int subject)
{
    if (r->state == RUN_DRAIN_CLIENT && subject == RUN_CLIENT) {
        if (run_counts_operations(r))
            settle_begin(r, SETTLE_CLOSED);
        else
            drain_server(r);
    } else if (r->state == RUN_DRAIN_SERVER && subject == RUN_SERVER) {
        run_state_set(r, RUN_ON_DRAIN);
        on_drain_start(r, on_drain_done);
    }
}

static void keep_libs(struct run *r, int subject, const char *line)
{
    const char *libs = strstr(line, "openssl=");
    snprintf(r->lib[subject], sizeof r->lib[subject], "%s", libs ? libs : "");
}

static void on_line(struct child *c, const char *line)
{
    struct run *r = c->owner;
    int subject = c == &r->child[RUN_SERVER] ? RUN_SERVER : RUN_CLIENT;
    uint64_t id;
    if (r->state == RUN_QUIT || r->state == RUN_DONE)
        return;
    if (line_is(line, "ready")) {
        struct err e = {{0}};
        keep_libs(r, subject, line);
        if (programs_check(r->programs, c, subject == RUN_SERVER, r->lib[subject], &e) != 0) {
            run_break(r, "%s: %s", c->name, e.text);
            return;
        }
        child_keep_image(c);
        if (subject == RUN_SERVER) {
            server_ready(r, line);
        } else {
            r->plan.in.behaviours = attribution_start(r->attribution, c->page);
            run_next(r);
        }
    } else if (line_is(line, "quiet") && subject == RUN_CLIENT) {
        client_quiet(r, line);
    } else if (line_is(line, "settled") && line_number(line, "id", &id) == 0) {
        if (settle_answer(r, subject, id))
            settled(r);
    } else if (line_is(line, "drained")) {
        drained(r, subject);
    } else if (line_is(line, "flushed") && r->state == RUN_FLUSH) {
        settle_begin(r, SETTLE_FLUSHED);
    }
}

static bool any_running(const struct run *r)
{
    return r->child[RUN_SERVER].running || r->child[RUN_CLIENT].running;
}

static void close_handle(void *handle)
{
    uv_handle_t *h = handle;
    if (h->type != UV_UNKNOWN_HANDLE && !uv_is_closing(h))
        uv_close(h, NULL);
}

static void finish(struct run *r)
{
    run_state_set(r, RUN_DONE);
    close_handle(&r->poll_timer);
    close_handle(&r->sample_timer);
    close_handle(&r->live_timer);
    interrupts_stop(&r->signals);
}

static void on_exit_child(struct child *c)
{
    struct run *r = c->owner;
    bool expected = c->quitting && c->exit_signal == 0 && c->exit_status == 0;
    if (!expected && !r->broken[0] && !(r->interrupts > 1)) {
        char text[ENDING_TEXT];
        const struct ending ending = {.child = c,
                                      .folder = r->dir.path,
                                      .ready = r->lib[c == &r->child[RUN_CLIENT]][0] != '\0',
                                      .told_to_quit = r->state == RUN_QUIT,
                                      .by_memory_limit = ending_memory_kills("") > r->memory_kills};
        r->crashed = c;
        run_break(r, "%s", ending_text(&ending, text, sizeof text));
    }
    if (!any_running(r))
        finish(r);
}

/* ---- timers ---- */

static void on_poll(uv_timer_t *timer)
{
    struct run *r = timer->data;
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

/* The first Ctrl-C ends the run in order; the second, or another signal, at once, keeping the
 * files.
 */
static void on_interrupt(void *owner, int number)
{
    struct run *r = owner;
    r->interrupted = true;
    r->interrupts += number == SIGINT ? 1 : 2;
    if (r->interrupts > 1 || r->state <= RUN_START_CLIENT) {
        r->interrupts = 2;
        kill_children(r);
        run_state_set(r, RUN_QUIT);
        if (!any_running(r))
            finish(r);
        return;
    }
    display_note(r, "interrupted: finishing this epoch; once more stops at once");
    if (r->state == RUN_CHURN)
        child_send(&r->child[RUN_CLIENT], "finish");
}

/* ---- the whole ---- */

static void start_timer(struct run *r, uv_timer_t *timer, uv_timer_cb cb, uint64_t every_ms)
{
    CHECK(uv_timer_init(&r->loop, timer) == 0);
    timer->data = r;
    CHECK(uv_timer_start(timer, cb, every_ms, every_ms) == 0);
}

static int init_subject(struct run *r, int subject, const char *name, struct err *e)
{
    struct child *c = &r->child[subject];
    c->name = name;
    c->owner = r;
    c->on_line = on_line;
    c->on_exit = on_exit_child;
    r->history[subject] = history_new();
    if (!r->history[subject])
        return err_set(e, "out of memory");
    return child_init(c, e);
}

static int init(struct run *r, struct err *e)
{
    r->pki_fd[RUN_SERVER] = r->pki_fd[RUN_CLIENT] = -1;
    r->child[RUN_SERVER].page_fd = r->child[RUN_CLIENT].page_fd = -1;
    CHECK(uv_loop_init(&r->loop) == 0);
    if (init_subject(r, RUN_SERVER, "server", e) != 0 ||
        init_subject(r, RUN_CLIENT, "client", e) != 0)
        return -1;
    if (r->scenario->client_auth != CLIENT_AUTH_NONE &&
        pki_make(&r->pki_fd[RUN_SERVER], &r->pki_fd[RUN_CLIENT], e) < 0)
        return -1;
    struct plan_input in;
    scenario_plan(r->scenario, &in);
    plan_init(&r->plan, &in);
    r->attribution = attribution_new(
        (const struct attribution_subject[]){{r->history[RUN_SERVER], &r->judgement[RUN_SERVER]},
                                             {r->history[RUN_CLIENT], &r->judgement[RUN_CLIENT]}},
        RUN_SUBJECTS);
    if (!r->attribution)
        return err_set(e, "out of memory");
    r->live = r->scenario->quiet ? NULL : live_new();
    return 0;
}

int run_execute(struct run *r, struct err *e)
{
    int rc = init(r, e);
    if (rc != 0)
        return rc;
    r->start_ns = clock_now_ns();
    r->memory_kills = ending_memory_kills("");
    run_state_set(r, RUN_START_SERVER);
    interrupts_start(&r->signals, &r->loop, on_interrupt, r);
    start_timer(r, &r->poll_timer, on_poll, POLL_MS);
    start_timer(r, &r->sample_timer, on_sample, SAMPLE_MS);
    start_timer(r, &r->live_timer, on_live, LIVE_MS);
    struct args args;
    args_server(&args, r->scenario, "soak-server", r->seed);
    rc = programs_start(r->programs, &r->child[RUN_SERVER], true, &r->loop, args.argv, &r->dir,
                        r->pki_fd[RUN_SERVER], e);
    if (rc != 0)
        finish(r);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    live_free(r->live);
    r->live = NULL;
    return rc;
}

void run_fini(struct run *r)
{
    CHECK(uv_loop_close(&r->loop) == 0);
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        history_free(r->history[i]);
        capture_fini(&r->capture[i]);
        profiler_fini(&r->profiler[i]);
        child_fini(&r->child[i]);
        if (r->pki_fd[i] >= 0)
            close(r->pki_fd[i]);
    }
    free(r->attribution);
}

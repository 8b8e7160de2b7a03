/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "control/control.h"
#include "control/event_loop.h"
#include "options/grammar.h"
#include "options/limits.h"
#include "page/snapshot.h"
#include "probe/heap_profile.h"
#include "probe/probe.h"
#include "recipe.h"
#include "sandbox/sandbox.h"
#include "worker.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SECOND_MS = 1000 };

enum phase { PHASE_IDLE, PHASE_EPOCH, PHASE_DRAIN, PHASE_DRAINED, PHASE_QUIT };

struct client {
    const struct options *o;
    struct worker_shared shared;
    struct worker *worker[LIMIT_WORKERS]; /* owned */
    int workers;
    struct choice choice;
    enum phase phase;
    int awaited;        /* replies that end the phase */
    int settle_awaited; /* replies that end a settle */
    uint64_t settle_id;
    uint64_t oldest; /* least of the replies */
    uint64_t began_ns;
    bool by_hand, finishing;
    uint64_t silence_s, silent_s; /* of who beats; silence_s 0: nobody does */
    unsigned failures_said;
    struct control control;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t second;
    uv_signal_t interrupt, terminate;
};

static void order(struct client *c, enum worker_order what)
{
    for (int i = 0; i < c->workers; i++)
        worker_order(c->worker[i], what);
}

static void begin_epoch(struct client *c, uint64_t opens, const struct behaviour_mix *mix,
                        enum worker_order how)
{
    uint64_t slots = c->o->conns;
    c->phase = PHASE_EPOCH;
    c->awaited = c->workers;
    c->oldest = UINT64_MAX;
    c->shared.mix = *mix;
    for (int i = 0; i < c->workers; i++) {
        struct worker *w = c->worker[i];
        uint64_t from = w->first_slot, to = w->first_slot + w->slots;
        atomic_store(&w->opens, load_share(opens, from, to, slots));
        worker_order(w, how);
    }
}

static void begin_drain(struct client *c)
{
    c->phase = PHASE_DRAIN;
    c->awaited = c->workers;
    order(c, WORKER_DRAIN);
}

static void quit(struct client *c)
{
    if (c->phase == PHASE_QUIT)
        return;
    c->phase = PHASE_QUIT;
    control_close(&c->control);
    uv_close((uv_handle_t *)&c->wake, NULL);
    uv_close((uv_handle_t *)&c->second, NULL);
    uv_close((uv_handle_t *)&c->interrupt, NULL);
    uv_close((uv_handle_t *)&c->terminate, NULL);
}

static _Noreturn void refuse(struct client *c, const char *why)
{
    control_say(&c->control, "fatal text=%s", why);
    _exit(EXIT_FAILURE);
}

/* To soak, and into the log, which tells more than the first. */
static void say_failures(struct client *c)
{
    while (c->failures_said < PEER_FAILURES &&
           atomic_load(&c->shared.failure[c->failures_said].ready)) {
        const struct worker_failure *f = &c->shared.failure[c->failures_said++];
        control_say(&c->control, "problem kind=%s behaviour=%s text=%s", peer_failure_name(f->kind),
                    f->behaviour, f->text);
        fprintf(stderr, "soak-client: %s: %s\n", f->behaviour, f->text);
    }
}

static void on_all_quiet(struct client *c)
{
    struct page *page = c->shared.page;
    c->phase = PHASE_IDLE;
    /* With nothing open there is nothing older than now. */
    if (c->oldest == UINT64_MAX)
        c->oldest = page_epoch(atomic_load(&page->epoch));
    control_say(&c->control, "quiet opened=%llu closed=%llu oldest=%llu",
                (unsigned long long)atomic_load(&page->app.opened),
                (unsigned long long)atomic_load(&page->app.closed), (unsigned long long)c->oldest);
    if (c->by_hand)
        begin_drain(c);
}

static void on_all_drained(struct client *c)
{
    c->phase = PHASE_DRAINED;
    probe_on_drain();
    control_say(&c->control, "drained");
    if (!c->by_hand)
        return;
    summary_print(stdout, c->shared.page, clock_now_ns() - c->began_ns);
    quit(c);
}

static void on_all_settled(struct client *c)
{
    probe_thread_flush();
    heap_profile_end();
    probe_publish(true);
    control_say(&c->control, "settled id=%llu", (unsigned long long)c->settle_id);
}

static void on_reply(struct client *c, struct worker *w, unsigned replies)
{
    if (replies & WORKER_IS_QUIET) {
        uint64_t oldest = atomic_load(&w->oldest);
        c->oldest = oldest < c->oldest ? oldest : c->oldest;
        /* A drain may have been asked for meanwhile: then no one waits for this. */
        if (c->phase == PHASE_EPOCH && --c->awaited == 0)
            on_all_quiet(c);
    }
    if ((replies & WORKER_IS_DRAINED) && --c->awaited == 0)
        on_all_drained(c);
    if ((replies & WORKER_IS_SETTLED) && --c->settle_awaited == 0)
        on_all_settled(c);
}

static void on_wake(uv_async_t *wake)
{
    struct client *c = wake->data;
    say_failures(c);
    for (int i = 0; i < c->workers; i++)
        on_reply(c, c->worker[i], atomic_exchange(&c->worker[i]->replies, 0));
}

static void on_epoch_line(struct client *c, const char *line)
{
    uint64_t opens = 0, stay = 0;
    char text[LINE_MAX_BYTES];
    struct behaviour_mix mix = c->choice.mix;
    if (line_number(line, "opens", &opens) < 0)
        refuse(c, "epoch: opens=NUMBER is missing");
    if (c->phase == PHASE_EPOCH)
        refuse(c, "epoch: the one before is still running");
    if (c->phase != PHASE_IDLE)
        refuse(c, "epoch: not after drain");
    if (line_text(line, "mix", false, text, sizeof text) == 0 &&
        behaviour_mix_parse(text, &c->choice.rows, &mix) < 0)
        refuse(c, "epoch: mix=WEIGHT,... has a weight for each behaviour and not all 0");
    if (line_number(line, "stay", &stay) == 0 && stay)
        mix = recipe_held_part(&mix, c->choice.holder);
    begin_epoch(c, opens, &mix, WORKER_EPOCH);
}

/* One by one means one in all, so only a client of one worker can. */
static void on_alone_line(struct client *c, const char *line)
{
    uint64_t opens = 0;
    char text[LINE_MAX_BYTES];
    struct behaviour_mix mix;
    if (line_number(line, "opens", &opens) < 0 ||
        line_text(line, "mix", false, text, sizeof text) < 0 ||
        behaviour_mix_parse(text, &c->choice.rows, &mix) < 0)
        refuse(c, "alone: opens=NUMBER mix=WEIGHT,... with a weight for each behaviour");
    if ((c->phase != PHASE_IDLE && c->phase != PHASE_DRAINED) || c->workers > 1 ||
        atomic_load(&c->shared.page->app.established))
        refuse(c, "alone: only with one worker, and while nothing is open");
    begin_epoch(c, opens, &mix, WORKER_ALONE);
}

static void on_settle_line(struct client *c, const char *line)
{
    if (line_number(line, "id", &c->settle_id) < 0)
        refuse(c, "settle: id=NUMBER is missing");
    if (c->settle_awaited > 0)
        refuse(c, "settle: the one before isn't answered yet");
    heap_profile_begin(line);
    c->settle_awaited = c->workers;
    order(c, WORKER_SETTLE);
}

static void on_drain_line(struct client *c)
{
    if (c->phase == PHASE_IDLE || c->phase == PHASE_EPOCH)
        begin_drain(c);
    else if (c->phase == PHASE_DRAINED)
        control_say(&c->control, "drained");
}

/* From an agent. When it stands still its run goes on without it, and without this client. */
static void on_beat_line(struct client *c, const char *line)
{
    if (line_number(line, "silence", &c->silence_s) < 0)
        refuse(c, "beat: silence=SECONDS is missing");
    c->silent_s = 0;
}

static void on_line(void *ctx, const char *line)
{
    struct client *c = ctx;
    if (line_is(line, "beat"))
        on_beat_line(c, line);
    else if (line_is(line, "epoch"))
        on_epoch_line(c, line);
    else if (line_is(line, "alone"))
        on_alone_line(c, line);
    else if (line_is(line, "settle"))
        on_settle_line(c, line);
    else if (line_is(line, "finish") && c->phase == PHASE_EPOCH)
        order(c, WORKER_FINISH);
    else if (line_is(line, "drain"))
        on_drain_line(c);
    else if (line_is(line, "quit"))
        quit(c);
    else if (!line_is(line, "finish"))
        refuse(c, "a line that isn't in the protocol");
}

/* A pause of this machine counts for a second of silence, however long. */
static void on_second(uv_timer_t *timer)
{
    struct client *c = timer->data;
    probe_publish(false);
    if (c->silence_s > 0 && ++c->silent_s > c->silence_s)
        refuse(c, "nothing was heard of the agent for too long");
}

/* By hand: the first signal ends the run in order, the second at once. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct client *c = handle->data;
    (void)number;
    if (c->finishing)
        _exit(EXIT_INTERRUPTED);
    c->finishing = true;
    order(c, WORKER_FINISH);
}

static void start_timer(struct client *c)
{
    uv_timer_init(&c->loop, &c->second);
    c->second.data = c;
    uv_timer_start(&c->second, on_second, SECOND_MS, SECOND_MS);
    uv_unref((uv_handle_t *)&c->second);
}

static void start_signals(struct client *c)
{
    uv_signal_init(&c->loop, &c->interrupt);
    uv_signal_init(&c->loop, &c->terminate);
    c->interrupt.data = c->terminate.data = c;
    if (!c->by_hand)
        return;
    uv_signal_start(&c->interrupt, on_signal, SIGINT);
    uv_signal_start(&c->terminate, on_signal, SIGTERM);
}

/* Bytes that differ from place to place, so that an echo of other bytes shows. */
static uint8_t *make_payload(const struct options *o)
{
    struct rng rng = {.state = o->seed};
    size_t count = (size_t)o->payload + PEER_PAYLOAD_SPARE;
    uint8_t *payload = malloc(count);
    CHECK(payload);
    for (size_t i = 0; i < count; i++)
        payload[i] = (uint8_t)rng_next(&rng);
    return payload;
}

/* All is open but the connections, and no other thread runs. */
static int enter_sandbox(const struct options *o, struct err *e)
{
    const struct sandbox_options sandbox = {
        .name = "soak-client", .connects = true, .port = target_port(&o->target)};
    return o->no_sandbox ? 0 : sandbox_enter(&sandbox, e);
}

static int start_workers(struct client *c, struct err *e)
{
    for (int i = 0; i < c->o->workers; i++) {
        c->worker[i] = worker_new(&c->shared, i, e);
        if (!c->worker[i])
            return -1;
    }
    if (enter_sandbox(c->o, e) < 0)
        return -1;
    for (int i = 0; i < c->o->workers; i++) {
        if (worker_start(c->worker[i], e) < 0)
            return -1;
        c->workers++;
    }
    return 0;
}

static void say_skipped(struct client *c)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (!c->choice.unable[i])
            continue;
        control_say(&c->control, "skipped name=%s text=%s", behaviour_name(i), c->choice.unable[i]);
        if (c->by_hand)
            fprintf(stderr, "soak-client: %s is skipped: %s\n", behaviour_name(i),
                    c->choice.unable[i]);
    }
}

static void start_shared(struct client *c)
{
    c->shared.options = c->o;
    c->shared.page = probe_page();
    choice_publish(&c->choice, (enum operation)c->o->operate, c->shared.page);
    c->shared.choice = &c->choice;
    c->shared.payload = make_payload(c->o);
    c->shared.wake = &c->wake;
    for (int i = 0; i < PEER_FAILURES; i++)
        atomic_flag_clear(&c->shared.failed[i]);
}

static int start(struct client *c, struct err *e)
{
    if ((!c->o->no_sandbox && sandbox_hide_io_uring(e) < 0) ||
        event_loop_open(&c->loop, EVENT_LOOP_FEW, e) < 0)
        return -1;
    CHECK(uv_async_init(&c->loop, &c->wake, on_wake) == 0);
    c->wake.data = c;
    if (choice_make(c->o->weight, c->o->foreign, &c->choice, e) < 0)
        return -1;
    start_shared(c);
    start_timer(c);
    start_signals(c);
    const char *certs = c->o->client_certs;
    if (probe_census_start(e) < 0 || (certs && client_certs_read(certs, &c->shared.certs, e) < 0) ||
        start_workers(c, e) < 0)
        return -1;
    c->control = (struct control){.on_line = on_line, .ctx = c};
    if (!c->by_hand)
        return control_open(&c->control, &c->loop, c->o->control_fd, e);
    return 0;
}

static void end(struct client *c)
{
    for (int i = 0; i < c->workers; i++)
        worker_end(c->worker[i]);
    CHECK(uv_loop_close(&c->loop) == 0);
    client_certs_free(c->shared.certs);
    free(c->shared.payload);
}

int client_run(const struct options *options, struct err *e)
{
    static struct client client; /* large, and one per process */
    struct client *c = &client;
    char versions[128];
    c->o = options;
    c->by_hand = options->control_fd < 0;
    c->began_ns = clock_now_ns();
    if (start(c, e) < 0)
        return -1;
    control_say(&c->control, "ready %s", probe_versions(versions, sizeof versions));
    say_skipped(c);
    if (c->by_hand)
        begin_epoch(c, options->closed ? options->closed : UINT64_MAX / 2, &c->choice.mix,
                    WORKER_EPOCH);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    bool failed = c->by_hand && atomic_load(&c->shared.page->app.failed) > 0;
    end(c);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int client_check(const struct options *options, struct err *e)
{
    struct choice choice;
    char versions[128];
    SSL_CTX *ctx = NULL;
    if (choice_make(options->weight, options->foreign, &choice, e) < 0 ||
        worker_context_new(options, &ctx, e) < 0)
        return -1;
    SSL_CTX_free(ctx);
    printf("checked %s\n", probe_versions(versions, sizeof versions));
    return 0;
}

static double quantile_ms(const struct hist *times, double fraction)
{
    return (double)hist_quantile(times, fraction) / 1e6;
}

void summary_print(FILE *out, const struct page *page, uint64_t took_ns)
{
    static struct hist times; /* large */
    const struct page_app *app = &page->app;
    char done[32], closed[32], took[32], handshakes[32], resumed[32], intended[32], failed[32];
    uint64_t count = atomic_load(&app->closed);
    fprintf(out, "%s connections in %s, %.0f/s\n",
            human_count(closed, sizeof closed, (int64_t)count),
            human_duration(took, sizeof took, took_ns), (double)count * 1e9 / (double)took_ns);
    fprintf(out, "handshakes  %s, %s resumed, %s aborted as intended\n",
            human_count(handshakes, sizeof handshakes, (int64_t)atomic_load(&app->handshakes)),
            human_count(resumed, sizeof resumed, (int64_t)atomic_load(&app->resumed)),
            human_count(intended, sizeof intended, (int64_t)atomic_load(&app->expected_aborts)));
    if (atomic_load(&app->operations) > 0)
        fprintf(out, "operations  %s, %.0f/s\n",
                human_count(done, sizeof done, (int64_t)atomic_load(&app->operations)),
                (double)atomic_load(&app->operations) * 1e9 / (double)took_ns);
    page_times_read(&page->times, &times);
    fprintf(out, "times       p50 %.1f ms  p90 %.1f ms  p99 %.1f ms  max %.1f ms\n",
            quantile_ms(&times, 0.5), quantile_ms(&times, 0.9), quantile_ms(&times, 0.99),
            quantile_ms(&times, 1));
    fprintf(out, "failed      %s",
            human_count(failed, sizeof failed, (int64_t)atomic_load(&app->failed)));
    if (atomic_load(&app->failed) > 0)
        fprintf(out,
                " (connect %" PRIu64 ", handshake %" PRIu64 ", echo %" PRIu64 ", timeout %" PRIu64
                ", lost %" PRIu64 ")",
                atomic_load(&app->fail_connect), atomic_load(&app->fail_handshake),
                atomic_load(&app->fail_echo), atomic_load(&app->fail_timeout),
                atomic_load(&app->fail_lost));
    fprintf(out, "\n");
}

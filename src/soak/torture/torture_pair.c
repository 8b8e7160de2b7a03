/* SPDX-License-Identifier: Apache-2.0 */
#include "torture_pair.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "run/ending.h"
#include "subject/args.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TICK_MS = 1,
    START_MS = 60000,
    STOP_MS = 30000,
    CLIENT_PATIENCE_S =
        3, /* less than the server lingers, so that who waits in vain is the client */
    NS_PER_S = 1000000000
};

static const char *const names[PAIR_SIDES] = {"server", "client"};

/* ---- the children ---- */

static void on_line(struct child *c, const char *line)
{
    struct pair *p = c->owner;
    int side = c == &p->child[PAIR_SERVER] ? PAIR_SERVER : PAIR_CLIENT;
    uint64_t id;
    if (line_is(line, "ready")) {
        const char *libs = strstr(line, "openssl=");
        snprintf(p->lib[side], sizeof p->lib[side], "%s", libs ? libs : "");
        p->ready[side] = side == PAIR_CLIENT || line_number(line, "port", &p->port) == 0;
    } else if (line_is(line, "quiet") && side == PAIR_CLIENT) {
        p->quiet = true;
    } else if (line_is(line, side == PAIR_SERVER ? "flushed" : "drained")) {
        p->flushed |= 1u << side;
    } else if (line_is(line, "settled") && line_number(line, "id", &id) == 0 &&
               id == p->settle_id) {
        p->settled |= 1u << side;
    }
}

static void on_exit_child(struct child *c)
{
    (void)c; /* pair_wait looks at `running` */
}

static int make_child(struct pair *p, int side, struct err *e)
{
    struct child *c = &p->child[side];
    *c = (struct child){
        .name = names[side], .owner = p, .on_line = on_line, .on_exit = on_exit_child};
    p->ready[side] = false;
    if (child_init(c, e) != 0)
        return -1;
    atomic_store(&c->page->epoch, PAGE_EPOCH_FAILS);
    return 0;
}

static int start_child(struct pair *p, int side, const struct args *args, struct err *e)
{
    return programs_start(p->programs, &p->child[side], side == PAIR_SERVER, &p->loop, args->argv,
                          p->dir, p->pki_fd[side], e);
}

static bool server_ready(const struct pair *p)
{
    return p->ready[PAIR_SERVER];
}

static bool client_ready(const struct pair *p)
{
    return p->ready[PAIR_CLIENT];
}

static int wait_ready(struct pair *p, int side, struct err *e)
{
    char how[ENDING_TEXT];
    switch (pair_wait(p, side == PAIR_SERVER ? server_ready : client_ready, START_MS)) {
    case PAIR_DONE:
        return programs_check(p->programs, &p->child[side], side == PAIR_SERVER, p->lib[side], e);
    case PAIR_LATE:
        return err_set(e, "%s: it doesn't start within a minute", names[side]);
    case PAIR_INTERRUPTED:
        return err_set(e, "interrupted");
    case PAIR_DIED:
        break;
    }
    side = p->child[side].running ? !side : side;
    const struct ending ending = {.child = &p->child[side], .folder = p->dir->path};
    return err_set(e, "%s", ending_text(&ending, how, sizeof how));
}

static int start_server(struct pair *p, struct err *e)
{
    struct scenario s = *p->scenario;
    struct args args;
    s.workers = 1;
    args_server(&args, &s, "soak-server", p->seed);
    return start_child(p, PAIR_SERVER, &args, e) == 0 ? wait_ready(p, PAIR_SERVER, e) : -1;
}

static int start_client(struct pair *p, struct err *e)
{
    struct scenario s = *p->scenario;
    struct args args;
    char address[64];
    snprintf(address, sizeof address, "%s", s.listen);
    *strrchr(address, ':') = '\0'; /* scenario_check: address:port */
    s.conns = 1;
    s.client_workers = 1;
    if (s.handshake_timeout_ns > (uint64_t)CLIENT_PATIENCE_S * NS_PER_S)
        s.handshake_timeout_ns = (uint64_t)CLIENT_PATIENCE_S * NS_PER_S;
    args_client(&args, &s, "soak-client", p->seed, address, p->port);
    return start_child(p, PAIR_CLIENT, &args, e) == 0 ? wait_ready(p, PAIR_CLIENT, e) : -1;
}

int pair_start(struct pair *p, struct err *e)
{
    p->running = true;
    if (make_child(p, PAIR_SERVER, e) != 0 || make_child(p, PAIR_CLIENT, e) != 0 ||
        start_server(p, e) != 0 || start_client(p, e) != 0)
        return -1;
    for (int side = 0; side < PAIR_SIDES; side++)
        child_keep_image(&p->child[side]);
    return 0;
}

static bool none_runs(const struct pair *p)
{
    return !p->child[PAIR_SERVER].running && !p->child[PAIR_CLIENT].running;
}

static void forget_child(struct pair *p, int side)
{
    if (p->symbols[side])
        symbols_close(p->symbols[side]);
    p->symbols[side] = NULL;
    child_fini(&p->child[side]);
}

/* Runs the loop until no child runs, or the time is over. */
static void wait_for_ends(struct pair *p, uint64_t limit_ms)
{
    uint64_t until_ns = clock_now_ns() + limit_ms * 1000000;
    while (!none_runs(p) && clock_now_ns() < until_ns)
        uv_run(&p->loop, UV_RUN_ONCE);
}

void pair_stop(struct pair *p)
{
    if (!p->running)
        return;
    p->running = false;
    bool whole = p->child[PAIR_SERVER].running && p->child[PAIR_CLIENT].running;
    for (int side = 0; side < PAIR_SIDES; side++) {
        p->child[side].quitting = true;
        child_send(&p->child[side], "quit");
    }
    if (whole)
        wait_for_ends(p, p->interrupted ? 0 : STOP_MS);
    for (int side = 0; side < PAIR_SIDES; side++)
        child_kill(&p->child[side]);
    wait_for_ends(p, UINT64_MAX / 1000000 / 2);
    uv_run(&p->loop, UV_RUN_NOWAIT);
    for (int side = 0; side < PAIR_SIDES; side++)
        forget_child(p, side);
}

/* ---- waiting ---- */

static bool has_died(const struct pair *p)
{
    for (int side = 0; side < PAIR_SIDES; side++) {
        const struct child *c = &p->child[side];
        if (c->pid && !c->running)
            return true;
    }
    return false;
}

enum pair_end pair_wait(struct pair *p, pair_fn done, uint64_t limit_ms)
{
    uint64_t until_ns = clock_now_ns() + limit_ms * 1000000;
    while (!done(p)) {
        if (p->interrupted)
            return PAIR_INTERRUPTED;
        if (has_died(p))
            return PAIR_DIED;
        if (clock_now_ns() > until_ns)
            return PAIR_LATE;
        uv_run(&p->loop, UV_RUN_ONCE);
    }
    return PAIR_DONE;
}

/* The server hears of a connection after the client, maybe after the client has left it. */
static bool connections_gone(const struct pair *p)
{
    const struct page_app *client = &p->child[PAIR_CLIENT].page->app;
    const struct page_app *server = &p->child[PAIR_SERVER].page->app;
    if (!p->quiet)
        return false;
    uint64_t made = atomic_load(&client->opened) - atomic_load(&client->fail_connect);
    uint64_t closed = atomic_load(&server->closed), opened = atomic_load(&server->opened);
    return opened >= made && closed == opened;
}

/* `0,0,1,0`: this behaviour alone. */
static void mix_text(const struct pair *p, size_t behaviour, char *text, size_t size)
{
    size_t count = atomic_load(&p->child[PAIR_CLIENT].page->behaviours);
    struct text list = text_list(text, size, ",");
    for (size_t i = 0; i + 1 < count && i < PAGE_BEHAVIOURS; i++)
        text_item(&list, "%d", i == behaviour);
}

enum pair_end pair_connections(struct pair *p, size_t behaviour, uint64_t opens, uint64_t limit_ms)
{
    char mix[LINE_MAX_BYTES / 2];
    mix_text(p, behaviour, mix, sizeof mix);
    p->quiet = false;
    child_send(&p->child[PAIR_CLIENT], "alone opens=%" PRIu64 " mix=%s", opens, mix);
    return pair_wait(p, connections_gone, limit_ms);
}

static bool has_flushed(const struct pair *p)
{
    return p->flushed == (1u << PAIR_SIDES) - 1;
}

enum pair_end pair_flush(struct pair *p, uint64_t limit_ms)
{
    p->flushed = 0;
    child_send(&p->child[PAIR_SERVER], "flush");
    child_send(&p->child[PAIR_CLIENT], "drain"); /* none is open: it drops its sessions */
    return pair_wait(p, has_flushed, limit_ms);
}

static bool both_settled(const struct pair *p)
{
    return p->settled == (1u << PAIR_SIDES) - 1;
}

enum pair_end pair_settle(struct pair *p, uint64_t limit_ms)
{
    p->settle_id++;
    p->settled = 0;
    for (int side = 0; side < PAIR_SIDES; side++)
        child_send(&p->child[side], "settle id=%" PRIu64, p->settle_id);
    return pair_wait(p, both_settled, limit_ms);
}

struct symbols *pair_symbols(struct pair *p, int side)
{
    if (!p->symbols[side])
        p->symbols[side] = symbols_open(&p->child[side].image, NULL);
    if (p->symbols[side] && p->scenario->debuginfod)
        symbols_ask_servers(p->symbols[side]);
    return p->symbols[side];
}

/* ---- the loop ---- */

static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* wakes pair_wait */
}

static void on_interrupt(void *owner, int number)
{
    struct pair *p = owner;
    (void)number;
    p->interrupted = true;
}

int pair_init(struct pair *p, struct err *e)
{
    p->pki_fd[PAIR_SERVER] = p->pki_fd[PAIR_CLIENT] = -1;
    p->child[PAIR_SERVER].page_fd = p->child[PAIR_CLIENT].page_fd = -1;
    if (p->scenario->client_auth != CLIENT_AUTH_NONE &&
        pki_make(&p->pki_fd[PAIR_SERVER], &p->pki_fd[PAIR_CLIENT], e) < 0)
        return -1;
    CHECK(uv_loop_init(&p->loop) == 0);
    CHECK(uv_timer_init(&p->loop, &p->tick) == 0);
    CHECK(uv_timer_start(&p->tick, on_tick, TICK_MS, TICK_MS) == 0);
    interrupts_start(&p->interrupts, &p->loop, on_interrupt, p);
    return 0;
}

void pair_fini(struct pair *p)
{
    pair_stop(p);
    uv_close((uv_handle_t *)&p->tick, NULL);
    interrupts_stop(&p->interrupts);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&p->loop) == 0);
    for (int i = 0; i < 2; i++) {
        if (p->pki_fd[i] >= 0)
            close(p->pki_fd[i]);
    }
}

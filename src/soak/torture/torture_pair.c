/* SPDX-License-Identifier: Apache-2.0 */
#include "torture_pair.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "run/ending.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 1,
    START_MS = 60000,
    STOP_MS = 30000,
    CLIENT_PATIENCE_S =
        3, /* less than the server lingers, so that who waits in vain is the client */
    NS_PER_S = 1000000000
};

/* ---- the two ---- */

static struct subject *side_of(struct pair *p, int side)
{
    return &p->subjects.subject[side];
}

static void on_said(struct subject *s, const struct subject_word *word)
{
    struct pair *p = s->all->owner;
    int side = (int)subject_index(s);
    switch (word->said) {
    case SUBJECT_READY:
        p->ready[side] = side == PAIR_CLIENT || word->numbered;
        return;
    case SUBJECT_QUIET:
        p->quiet |= side == PAIR_CLIENT;
        return;
    case SUBJECT_FLUSHED:
    case SUBJECT_DRAINED:
        if (word->said == (side == PAIR_SERVER ? SUBJECT_FLUSHED : SUBJECT_DRAINED))
            p->flushed |= 1u << side;
        return;
    case SUBJECT_SETTLED:
        p->settled |= word->numbered && subjects_settled(&p->subjects, s, word->number);
        return;
    }
}

static void on_exit_subject(struct subject *s, const struct child *c)
{
    (void)s;
    (void)c; /* pair_wait looks at `running` */
}

static int open_side(struct pair *p, int side, struct err *e)
{
    struct subject *s = side_of(p, side);
    p->ready[side] = false;
    if (subject_open(s, e) != 0)
        return -1;
    atomic_store(&s->child.page->epoch, PAGE_EPOCH_FAILS);
    return 0;
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
        return side_of(p, side)->ops->ready(side_of(p, side), e);
    case PAIR_LATE:
        return err_set(e, "%s: it doesn't start within a minute", side_of(p, side)->child.name);
    case PAIR_INTERRUPTED:
        return err_set(e, "interrupted");
    case PAIR_DIED:
        break;
    }
    side = p->subjects.subject[side].child.running ? !side : side;
    const struct ending ending = {.child = &p->subjects.subject[side].child,
                                  .folder = p->dir->path};
    return err_set(e, "%s", ending_text(&ending, how, sizeof how));
}

static int start_side(struct pair *p, int side, const struct scenario *scenario, struct err *e)
{
    struct subject *s = side_of(p, side);
    return s->ops->start(s, scenario, e) == 0 ? wait_ready(p, side, e) : -1;
}

/* One connection at a time. */
static int start_both(struct pair *p, struct err *e)
{
    struct scenario s = *p->scenario;
    s.workers = 1;
    if (start_side(p, PAIR_SERVER, &s, e) != 0)
        return -1;
    s.conns = 1;
    s.client_workers = 1;
    if (s.handshake_timeout_ns > (uint64_t)CLIENT_PATIENCE_S * NS_PER_S)
        s.handshake_timeout_ns = (uint64_t)CLIENT_PATIENCE_S * NS_PER_S;
    return start_side(p, PAIR_CLIENT, &s, e);
}

int pair_start(struct pair *p, struct err *e)
{
    p->running = true;
    return open_side(p, PAIR_SERVER, e) != 0 || open_side(p, PAIR_CLIENT, e) != 0 ||
                   start_both(p, e) != 0
               ? -1
               : 0;
}

static void forget_side(struct pair *p, int side)
{
    if (p->symbols[side])
        symbols_close(p->symbols[side]);
    p->symbols[side] = NULL;
    subject_close(side_of(p, side));
}

/* Runs the loop until no child runs, or the time is over. */
static void wait_for_ends(struct pair *p, uint64_t limit_ms)
{
    uint64_t until_ns = clock_now_ns() + limit_ms * 1000000;
    while (subjects_running(&p->subjects) && clock_now_ns() < until_ns)
        uv_run(&p->subjects.loop, UV_RUN_ONCE);
}

void pair_stop(struct pair *p)
{
    if (!p->running)
        return;
    p->running = false;
    bool whole = p->subjects.subject[PAIR_SERVER].child.running &&
                 p->subjects.subject[PAIR_CLIENT].child.running;
    subjects_stop(&p->subjects);
    if (whole)
        wait_for_ends(p, p->interrupted ? 0 : STOP_MS);
    subjects_kill(&p->subjects);
    wait_for_ends(p, UINT64_MAX / 1000000 / 2);
    uv_run(&p->subjects.loop, UV_RUN_NOWAIT);
    for (int side = 0; side < PAIR_SIDES; side++)
        forget_side(p, side);
}

/* ---- waiting ---- */

static bool has_died(const struct pair *p)
{
    for (int side = 0; side < PAIR_SIDES; side++) {
        const struct child *c = &p->subjects.subject[side].child;
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
        uv_run(&p->subjects.loop, UV_RUN_ONCE);
    }
    return PAIR_DONE;
}

/* The server hears of a connection after the client, maybe after the client has left it. */
static bool connections_gone(const struct pair *p)
{
    const struct page_app *client = &p->subjects.subject[PAIR_CLIENT].child.page->app;
    const struct page_app *server = &p->subjects.subject[PAIR_SERVER].child.page->app;
    if (!p->quiet)
        return false;
    uint64_t made = atomic_load(&client->opened) - atomic_load(&client->fail_connect);
    uint64_t closed = atomic_load(&server->closed), opened = atomic_load(&server->opened);
    return opened >= made && closed == opened;
}

/* `0,0,1,0`: this behaviour alone. */
static void mix_text(const struct pair *p, size_t behaviour, char *text, size_t size)
{
    size_t count = atomic_load(&p->subjects.subject[PAIR_CLIENT].child.page->behaviours);
    struct text list = text_list(text, size, ",");
    for (size_t i = 0; i + 1 < count && i < PAGE_BEHAVIOURS; i++)
        text_item(&list, "%d", i == behaviour);
}

enum pair_end pair_connections(struct pair *p, size_t behaviour, uint64_t opens, uint64_t limit_ms)
{
    char mix[LINE_MAX_BYTES / 2];
    mix_text(p, behaviour, mix, sizeof mix);
    p->quiet = false;
    child_send(&p->subjects.subject[PAIR_CLIENT].child, "alone opens=%" PRIu64 " mix=%s", opens,
               mix);
    return pair_wait(p, connections_gone, limit_ms);
}

static bool has_flushed(const struct pair *p)
{
    return p->flushed == (1u << PAIR_SIDES) - 1;
}

enum pair_end pair_flush(struct pair *p, uint64_t limit_ms)
{
    struct subject *server = side_of(p, PAIR_SERVER), *client = side_of(p, PAIR_CLIENT);
    p->flushed = 0;
    server->ops->flush(server);
    client->ops->drain(client); /* none is open: it drops its sessions */
    return pair_wait(p, has_flushed, limit_ms);
}

static bool both_settled(const struct pair *p)
{
    return p->settled;
}

enum pair_end pair_settle(struct pair *p, uint64_t limit_ms)
{
    p->settled = false;
    subjects_settle(&p->subjects, NULL);
    return pair_wait(p, both_settled, limit_ms);
}

struct symbols *pair_symbols(struct pair *p, int side)
{
    if (!p->symbols[side])
        p->symbols[side] = symbols_open(&p->subjects.subject[side].child.image, NULL);
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
    p->subjects = (struct subjects){.owner = p,
                                    .on_said = on_said,
                                    .on_exit = on_exit_subject,
                                    .programs = p->programs,
                                    .dir = p->dir,
                                    .seed = p->seed};
    if (subjects_init(&p->subjects, e) < 0) {
        subjects_fini(&p->subjects);
        return -1;
    }
    CHECK(uv_timer_init(&p->subjects.loop, &p->tick) == 0);
    CHECK(uv_timer_start(&p->tick, on_tick, TICK_MS, TICK_MS) == 0);
    interrupts_start(&p->interrupts, &p->subjects.loop, on_interrupt, p);
    return 0;
}

void pair_fini(struct pair *p)
{
    pair_stop(p);
    uv_close((uv_handle_t *)&p->tick, NULL);
    interrupts_stop_and_hold(&p->interrupts);
    subjects_fini(&p->subjects);
}

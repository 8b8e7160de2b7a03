/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include "base/check.h"
#include "base/text.h"
#include "base/version.h"
#include "catalog.h"
#include "channel/channel.h"
#include "channel/figures.h"
#include "control/control.h"
#include "control/event_loop.h"
#include "guard.h"
#include "options/limits.h"
#include "page/page_file.h"
#include "page/snapshot.h"
#include "subject/args.h"
#include "subject/child.h"
#include "subject/environment.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    POLL_MS = 5,
    FIGURES_EVERY = 20, /* polls: 100 ms */
    BEAT_EVERY = 200,   /* polls: a second */
    QUIET_POLLS = 3     /* as of a run's own processes: settle.c */
};

/* One of the run's client processes. */
struct relayed {
    struct relay *of;
    struct child child;
    struct args args; /* so far; argv[0] is the program */
    bool joined;      /* the last of them goes on */
    bool used;
    char held[LINE_MAX_BYTES]; /* `quiet`, until nothing moves any more; "": nothing */
};

struct relay {
    uv_loop_t loop;
    struct channel_loop net;
    struct channel channel;
    uv_timer_t poll;
    struct interrupts signals;
    char program[PATH_MAX];
    char **environment; /* owned */
    struct page *page;  /* of all its clients */
    int page_fd;
    struct figures told;
    struct relayed *share[LIMIT_PROCESSES]; /* owned; NULL: never given */
    uint64_t silence_s, silent_s, polls;
    uint64_t activity; /* at the last poll, and for how many it has been that */
    int still;
    bool joined, over; /* the run has said so */
    bool interrupted;
    char why[256];
};

static void say_line(void *ctx, const char *line)
{
    struct relay *r = ctx;
    channel_say(&r->channel, "%s", line);
}

/* ---- its end ---- */

static void kill_clients(struct relay *r)
{
    for (size_t i = 0; i < LIMIT_PROCESSES; i++)
        if (r->share[i])
            child_kill(&r->share[i]->child);
}

static void leave(struct relay *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void leave(struct relay *r, const char *format, ...)
{
    va_list args;
    if (!r->why[0]) {
        va_start(args, format);
        vsnprintf(r->why, sizeof r->why, format, args);
        va_end(args);
    }
    kill_clients(r);
    channel_close(&r->channel);
    handle_close(&r->poll);
    interrupts_stop(&r->signals);
}

/* ---- its clients' words ---- */

static size_t number_of(const struct relayed *s)
{
    size_t i = 0;
    while (s->of->share[i] != s)
        i++;
    return i;
}

static void pass_on(struct relayed *s, const char *line)
{
    figures_tell(&s->of->told, s->of->page, say_line, s->of);
    channel_say(&s->of->channel, "say share=%zu text=%.980s", number_of(s), line);
}

/* What the client counts once it is quiet is what the run's checkpoint has: `quiet` waits until
 * connections that it has replaced are gone. */
static void on_line(struct child *c, const char *line)
{
    struct relayed *s = c->owner;
    if (line_is(line, "quiet"))
        snprintf(s->held, sizeof s->held, "%s", line);
    else
        pass_on(s, line);
    s->of->still = 0;
}

static void on_exit_client(struct child *c)
{
    struct relayed *s = c->owner;
    char text[LINE_MAX_BYTES + 64];
    figures_tell(&s->of->told, s->of->page, say_line, s->of);
    bool failed = c->exit_signal || c->exit_status;
    channel_say(&s->of->channel, "gone share=%zu status=%d text=%.200s", number_of(s), failed,
                child_end_text(c, text, sizeof text));
}

static bool nothing_moves(struct relay *r)
{
    const struct page_app *app = &r->page->app;
    uint64_t now = snapshot_activity(r->page);
    bool lingers =
        atomic_load(&app->opened) - atomic_load(&app->closed) != atomic_load(&app->established);
    r->still = now == r->activity && !lingers ? r->still + 1 : 0;
    r->activity = now;
    return r->still >= QUIET_POLLS;
}

static void look_for_quiet(struct relay *r)
{
    bool waits = false;
    for (size_t i = 0; i < LIMIT_PROCESSES; i++)
        waits |= r->share[i] && r->share[i]->held[0];
    if (!waits || !nothing_moves(r))
        return;
    for (size_t i = 0; i < LIMIT_PROCESSES; i++) {
        struct relayed *s = r->share[i];
        if (!s || !s->held[0])
            continue;
        pass_on(s, s->held);
        s->held[0] = '\0';
    }
}

/* So that it ends when this process stands still, and the run has given its share to another. */
static void beat(struct relayed *s)
{
    child_send(&s->child, "beat silence=%" PRIu64, s->of->silence_s);
}

/* ---- what the run says ---- */

static struct relayed *relayed_new(struct relay *r)
{
    struct relayed *s = calloc(1, sizeof *s);
    CHECK(s);
    s->of = r;
    s->args.argv[0] = r->program;
    s->args.count = 1;
    return s;
}

/* Adds a part of an option, which ends at a NUL. Returns 0 or -1. */
static int add_part(struct args *a, const char *part, bool begins)
{
    size_t length = strlen(part);
    if (!begins)
        a->used--;
    if (length >= sizeof a->bytes - a->used || (begins && a->count >= ARGS_MAX - 2))
        return -1;
    if (begins)
        a->argv[a->count++] = a->bytes + a->used;
    memcpy(a->bytes + a->used, part, length + 1);
    a->used += length + 1;
    return 0;
}

/* The first part has the whole name, for it is known by it. */
static void on_option(struct relay *r, size_t at, const char *line)
{
    char part[LINE_MAX_BYTES];
    uint64_t more = 0;
    if (!r->share[at])
        r->share[at] = relayed_new(r);
    struct relayed *s = r->share[at];
    line_number(line, "more", &more);
    if (s->used || line_text(line, "text", true, part, sizeof part) != 0 ||
        add_part(&s->args, part, !s->joined) != 0)
        leave(r, "the run gave an option that can't be: '%.100s'", line);
    else if (!s->joined && (!args_client_takes(part) || (more && !strchr(part, '='))))
        leave(r, "the run gave an option that an agent doesn't take: '%.100s'", part);
    s->joined = more != 0;
}

static void start_client(struct relay *r, struct relayed *s)
{
    struct err e = {{0}};
    struct args *a = &s->args;
    a->argv[a->count++] = (char *)(uintptr_t)args_control;
    a->argv[a->count++] = (char *)(uintptr_t)args_page;
    s->child = (struct child){.name = "client",
                              .owner = s,
                              .on_line = on_line,
                              .on_exit = on_exit_client,
                              .page = r->page,
                              .page_fd = r->page_fd,
                              .page_lent = true};
    const struct child_launch launch = {.loop = &r->loop,
                                        .path = r->program,
                                        .argv = a->argv,
                                        .environment = r->environment,
                                        .log_fd = STDERR_FILENO,
                                        .extra_fd = -1,
                                        .heap_fd = -1};
    if (child_start(&s->child, &launch, &e) != 0)
        leave(r, "%.200s", e.text);
    else
        beat(s);
}

static void on_start(struct relay *r, size_t at)
{
    struct relayed *s = r->share[at];
    if (!s || s->used || s->joined) {
        leave(r, "the run started a share twice");
        return;
    }
    s->used = true;
    start_client(r, s);
}

static void on_share_line(struct relay *r, const char *line)
{
    uint64_t at;
    char told[LINE_MAX_BYTES];
    if (line_number(line, "share", &at) != 0 || at >= LIMIT_PROCESSES) {
        leave(r, "the run said what an agent doesn't know: '%.100s'", line);
    } else if (line_is(line, "option")) {
        on_option(r, (size_t)at, line);
    } else if (line_is(line, "start")) {
        on_start(r, (size_t)at);
    } else if (line_is(line, "tell") && r->share[at] && r->share[at]->used &&
               line_text(line, "text", true, told, sizeof told) == 0 && told[0]) {
        struct child *c = &r->share[at]->child;
        c->quitting |= line_is(told, "quit");
        child_send(c, "%s", told);
    } else {
        leave(r, "the run said what an agent doesn't know: '%.100s'", line);
    }
}

static void on_channel_line(struct channel *c, const char *line)
{
    struct relay *r = c->owner;
    uint64_t number = 0;
    char text[256] = "";
    r->silent_s = 0;
    if (line_is(line, "beat")) {
        return;
    } else if (line_is(line, "welcome")) {
        r->joined = true;
        line_number(line, "silence", &r->silence_s);
        line_number(line, "agent", &number);
        fprintf(stderr, "soak: agent: joined as agent %" PRIu64 "\n", number);
    } else if (line_is(line, "refused")) {
        line_text(line, "text", true, text, sizeof text);
        leave(r, "the run %s this agent: %s", r->joined ? "goes on without" : "refused",
              text_clean(text));
    } else if (line_is(line, "stamp")) {
        if (line_number(line, "epoch", &number) == 0 && number <= PAGE_EPOCHS)
            atomic_store(&r->page->epoch, page_epoch_word(number));
    } else if (line_is(line, "end")) {
        r->over = true;
        leave(r, "the run is over");
    } else {
        on_share_line(r, line);
    }
}

static void on_open(struct channel *c)
{
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    channel_say(c, "hello protocol=%s version=%s files=%" PRIu64 " name=%s", CHANNEL_PROTOCOL,
                soak_version, program_raise_files(), host);
}

static void on_closed(struct channel *c, const char *why)
{
    leave(c->owner, "%s: %.150s", c->open ? "the run is gone" : "can't join", why);
}

/* ---- the whole ---- */

/* A pause of this machine counts for a poll, however long: what came meanwhile is heard first. */
static void on_poll(uv_timer_t *timer)
{
    struct relay *r = timer->data;
    look_for_quiet(r);
    r->polls++;
    /* A run that doesn't read has what it needs first. */
    if (r->polls % FIGURES_EVERY == 0 && channel_kept(&r->channel) == 0)
        figures_tell_app(&r->told, r->page, say_line, r);
    if (r->polls % BEAT_EVERY)
        return;
    channel_say(&r->channel, "beat");
    for (size_t i = 0; i < LIMIT_PROCESSES; i++)
        if (r->share[i])
            beat(r->share[i]);
    if (++r->silent_s > r->silence_s)
        leave(r, "nothing was heard of the run for %" PRIu64 " s", r->silence_s);
}

static void on_interrupt(void *owner, int number)
{
    struct relay *r = owner;
    (void)number;
    r->interrupted = true;
    leave(r, "interrupted");
}

/* What it runs is always the same, whatever the run is: its memory isn't what is asked about. */
static int find_client(struct relay *r, struct err *e)
{
    char folder[PATH_MAX - 16];
    const struct opts_list none = {.count = 0};
    if (catalog_programs(folder, sizeof folder, e) != 0)
        return -1;
    snprintf(r->program, sizeof r->program, "%s/soak-client", folder);
    if (access(r->program, X_OK) != 0)
        return err_set(e, "%.300s: %s", r->program, strerror(errno));
    r->environment = environment_make(&(struct environment_request){
        .allocator = SCENARIO_JEMALLOC ? MALLOC_JEMALLOC : MALLOC_LIBC,
        .library_path = "",
        .passed = &none});
    return page_file_make(&r->page_fd, &r->page, e);
}

static int begin(struct relay *r, int fd, const char *token, struct err *e)
{
    static const struct channel_events events = {on_open, on_channel_line, on_closed};
    if (find_client(r, e) != 0 || channel_loop_init(&r->net, &r->loop, token, false, e) != 0) {
        close(fd);
        return -1;
    }
    r->channel.events = &events;
    r->channel.owner = r;
    CHECK(uv_timer_init(&r->loop, &r->poll) == 0);
    r->poll.data = r;
    CHECK(uv_timer_start(&r->poll, on_poll, POLL_MS, POLL_MS) == 0);
    interrupts_start(&r->signals, &r->loop, on_interrupt, r);
    channel_connect(&r->channel, &r->net, fd);
    return 0;
}

static void finish(struct relay *r)
{
    CHECK(uv_loop_close(&r->loop) == 0);
    for (size_t i = 0; i < LIMIT_PROCESSES; i++)
        free(r->share[i]);
    channel_loop_fini(&r->net);
    environment_free(r->environment);
    if (r->page)
        page_file_unmap(r->page);
    if (r->page_fd >= 0)
        close(r->page_fd);
}

int relay_run(int fd, const char *token, struct err *e)
{
    struct relay *r = calloc(1, sizeof *r);
    CHECK(r);
    r->page_fd = -1;
    r->silence_s = 30;
    if (event_loop_open(&r->loop, EVENT_LOOP_FEW, e) < 0) {
        close(fd);
        free(r);
        return -1;
    }
    int rc = begin(r, fd, token, e);
    if (rc == 0)
        uv_run(&r->loop, UV_RUN_DEFAULT);
    finish(r);
    if (rc == 0 && !r->over)
        rc = err_set(e, "%s", r->why);
    rc = r->interrupted ? -EINTR : rc;
    free(r);
    return rc;
}

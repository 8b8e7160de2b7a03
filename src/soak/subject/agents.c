/* SPDX-License-Identifier: Apache-2.0 */
#include "agents.h"

#include "base/check.h"
#include "base/text.h"
#include "base/version.h"
#include "guard.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 64, TICK_MS = 1000, TOLD_MOST = 8, PART = 800 };

struct agents {
    struct agents_request of;
    struct channel_loop net;
    uv_tcp_t listener;
    uv_timer_t second;
    struct agent *stranger[AGENTS_STRANGERS]; /* the oldest first */
    struct agent *agent[LIMIT_PROCESSES];     /* owned */
    size_t strangers, count;
    unsigned left;     /* that may still come in this second */
    unsigned refusals; /* told so far */
    uint64_t waited_s;
    bool waiting; /* one has come that may not yet */
    bool all, closed;
    char address[ADDRESS_TEXT];
};

static struct agent *agent_of(struct channel *c)
{
    return (struct agent *)c;
}

char *agent_label(const struct agent *a, char *buf, size_t size)
{
    snprintf(buf, size, "agent %u (%s)", a->number, a->name);
    return buf;
}

__attribute__((format(printf, 2, 3))) static void note(struct agents *all, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!all->closed)
        all->of.events->on_note(all->of.owner, text);
}

/* ---- strangers ---- */

static void forget_stranger(struct agents *all, const struct agent *a)
{
    size_t at = 0;
    while (at < all->strangers && all->stranger[at] != a)
        at++;
    if (at == all->strangers)
        return;
    all->strangers--;
    memmove(all->stranger + at, all->stranger + at + 1,
            (all->strangers - at) * sizeof(struct agent *));
}

/* One line; a crowd of them gets no more than TOLD_MOST. */
static void tell_refusal(struct agents *all, const struct agent *a, const char *why)
{
    if (++all->refusals <= TOLD_MOST)
        note(all, "agents: %s was refused: %.200s%s", a->address, why,
             all->refusals == TOLD_MOST ? "; further refusals aren't told" : "");
}

/* It is told why, as far as it can hear. The reason can be in the agent's own words. */
__attribute__((format(printf, 2, 0))) static void send_away(struct agent *a, const char *format,
                                                            va_list args)
{
    vsnprintf(a->why, sizeof a->why, format, args);
    text_clean(a->why);
    channel_say(&a->channel, "refused text=%.180s", a->why);
    channel_close(&a->channel);
}

__attribute__((format(printf, 2, 3))) static void refuse(struct agent *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    send_away(a, format, args);
    va_end(args);
}

static void on_open(struct channel *c)
{
    agent_of(c)->silent_s = 0;
}

/* A name that can stand in a sentence, whatever the agent says. */
static void take_name(struct agent *a, const char *line)
{
    if (line_text(line, "name", true, a->name, sizeof a->name) != 0 || !a->name[0])
        snprintf(a->name, sizeof a->name, "%s", a->address);
    text_clean(a->name);
}

static void join(struct agent *a, const char *line)
{
    struct agents *all = a->all;
    forget_stranger(all, a);
    a->heard = calloc(1, sizeof *a->heard);
    CHECK(a->heard);
    take_name(a, line);
    all->agent[all->count++] = a;
    a->number = (unsigned)all->count;
    channel_say(&a->channel, "welcome agent=%u of=%zu silence=%d", a->number, all->of.wanted,
                AGENTS_SILENCE_S);
    note(all, "agents: %zu of %zu joined: %s, from %s", all->count, all->of.wanted, a->name,
         a->address);
    if (all->count == all->of.wanted) {
        all->all = true;
        all->of.events->on_all(all->of.owner);
    }
}

static void on_hello(struct agent *a, const char *line)
{
    char protocol[32] = "", version[32] = "";
    line_text(line, "protocol", false, protocol, sizeof protocol);
    line_text(line, "version", false, version, sizeof version);
    if (!line_is(line, "hello") || !protocol[0])
        refuse(a, "it doesn't say hello");
    else if (strcmp(protocol, CHANNEL_PROTOCOL) != 0 || strcmp(version, soak_version) != 0)
        refuse(a, "the run is soak %s (%s), and this is soak %s (%s): run the same on both",
               soak_version, CHANNEL_PROTOCOL, version, protocol);
    else if (a->all->all)
        refuse(a, "the run has its %zu agents already", a->all->of.wanted);
    else
        join(a, line);
}

static void on_line(struct channel *c, const char *line)
{
    struct agent *a = agent_of(c);
    a->silent_s = 0;
    if (a->gone || a->all->closed)
        return;
    if (a->number == 0)
        on_hello(a, line);
    else if (line_is(line, "beat"))
        return;
    else if (!a->all->all)
        agents_drop(a, "it counts before it has a share");
    else
        a->all->of.events->on_line(a->all->of.owner, a, line);
}

/* ---- agents ---- */

/* Before all have joined another one may take its place. */
static void leave_early(struct agents *all, struct agent *a)
{
    size_t at = a->number - 1;
    char label[AGENTS_NAME + 32];
    all->count--;
    memmove(all->agent + at, all->agent + at + 1, (all->count - at) * sizeof(struct agent *));
    for (; at < all->count; at++)
        all->agent[at]->number = (unsigned)at + 1;
    note(all, "agents: %s left again: %s", agent_label(a, label, sizeof label), a->why);
    free(a->heard);
    free(a);
}

static void on_closed(struct channel *c, const char *why)
{
    struct agent *a = agent_of(c);
    struct agents *all = a->all;
    bool known = a->gone;
    a->gone = true;
    if (!a->why[0])
        snprintf(a->why, sizeof a->why, "%s", why);
    if (a->number == 0) {
        forget_stranger(all, a);
        tell_refusal(all, a, a->why);
        free(a);
    } else if (!all->all) {
        leave_early(all, a);
    } else if (!all->closed && !known) {
        all->of.events->on_gone(all->of.owner, a);
    }
}

/* Its shares are others' from now on. */
void agents_drop(struct agent *a, const char *format, ...)
{
    va_list args;
    if (a->gone)
        return;
    va_start(args, format);
    send_away(a, format, args);
    va_end(args);
    if (!a->all->all)
        return;
    a->gone = true;
    if (!a->all->closed)
        a->all->of.events->on_gone(a->all->of.owner, a);
}

void agents_say_option(struct agent *a, size_t share, const char *option)
{
    char part[PART + 1];
    int used = 0;
    for (; *option; option++) {
        if (used >= PART) {
            channel_say(&a->channel, "option share=%zu more=1 text=%.*s", share, used, part);
            used = 0;
        }
        if (*option == '\n')
            part[used++] = '\\';
        part[used++] = *option == '\n' ? 'n' : *option;
    }
    channel_say(&a->channel, "option share=%zu text=%.*s", share, used, part);
}

/* ---- the listener ---- */

static const struct channel_events events = {on_open, on_line, on_closed};

static void take(struct agents *all)
{
    struct address peer;
    int bytes = sizeof peer.storage;
    struct agent *a = calloc(1, sizeof *a);
    CHECK(a);
    all->left--;
    if (all->strangers == AGENTS_STRANGERS) {
        refuse(all->stranger[0], "others wanted its place");
        forget_stranger(all, all->stranger[0]);
    }
    a->all = all;
    a->channel.events = &events;
    all->stranger[all->strangers++] = a;
    if (channel_accept(&a->channel, &all->net, (uv_stream_t *)&all->listener) != 0)
        return;
    uv_tcp_getpeername(&a->channel.socket.tcp, (struct sockaddr *)&peer.storage, &bytes);
    address_print(&peer, a->address);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct agents *all = stream->data;
    if (status < 0)
        return;
    all->waiting = all->left == 0;
    if (!all->waiting)
        take(all);
}

static uint64_t round_trip_us(const struct agent *a)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(net_fd(&a->channel.socket), IPPROTO_TCP, TCP_INFO, &info, &size) == 0
               ? info.tcpi_rtt
               : a->rtt_us;
}

/* A pause of this machine counts for a second, however long: what came meanwhile is heard first. */
static void look_after(struct agents *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct agent *a = all->agent[i];
        if (a->gone)
            continue;
        channel_say(&a->channel, "beat");
        a->rtt_us = round_trip_us(a);
        if (++a->silent_s > AGENTS_SILENCE_S)
            agents_drop(a, "nothing was heard of it for %d s", AGENTS_SILENCE_S);
    }
}

static void on_second(uv_timer_t *timer)
{
    struct agents *all = timer->data;
    for (size_t i = all->strangers; i-- > 0;)
        if (++all->stranger[i]->silent_s > AGENTS_HELLO_S)
            refuse(all->stranger[i], "it said nothing for %d s", AGENTS_HELLO_S);
    look_after(all);
    all->left = AGENTS_PER_S;
    if (all->waiting && !all->closed) {
        all->waiting = false;
        take(all);
    }
    if (!all->all && !all->closed && ++all->waited_s > all->of.wait_s)
        all->of.events->on_late(all->of.owner);
}

static int listen_on(struct agents *all, const char *address, struct err *e)
{
    struct address at;
    if (address_parse_any(address, &at, e) != 0)
        return err_prefix(e, "--agents-listen %.60s", address);
    int bytes = sizeof at.storage;
    int rc = uv_tcp_bind(&all->listener, (const struct sockaddr *)&at.storage, 0);
    rc = rc == 0 ? uv_listen((uv_stream_t *)&all->listener, BACKLOG, on_connection) : rc;
    rc = rc == 0 ? uv_tcp_getsockname(&all->listener, (struct sockaddr *)&at.storage, &bytes) : rc;
    if (rc != 0)
        return err_set(e, "--agents-listen %.60s: %s", address, uv_strerror(rc));
    address_print(&at, all->address);
    return 0;
}

struct agents *agents_open(const struct agents_request *r, struct err *e)
{
    struct agents *all = calloc(1, sizeof *all);
    CHECK(all && r->wanted <= LIMIT_PROCESSES);
    all->of = *r;
    all->left = AGENTS_PER_S;
    all->listener.data = all->second.data = all;
    if (channel_loop_init(&all->net, r->loop, r->token, true, e) != 0) {
        free(all);
        return NULL;
    }
    CHECK(uv_tcp_init(r->loop, &all->listener) == 0 && uv_timer_init(r->loop, &all->second) == 0);
    if (listen_on(all, r->address, e) == 0) {
        CHECK(uv_timer_start(&all->second, on_second, TICK_MS, TICK_MS) == 0);
        return all;
    }
    agents_close(all, false);
    uv_run(r->loop, UV_RUN_NOWAIT);
    agents_free(all);
    return NULL;
}

const char *agents_address(const struct agents *all)
{
    return all->address;
}

size_t agents_count(const struct agents *all)
{
    return all->count;
}

struct agent *agents_at(const struct agents *all, size_t i)
{
    return all->agent[i];
}

size_t agents_missing(const struct agents *all)
{
    return all->all ? 0 : all->of.wanted - all->count;
}

void agents_close(struct agents *all, bool farewell)
{
    if (all->closed)
        return;
    all->closed = all->all = true;
    for (size_t i = 0; i < all->count; i++) {
        if (farewell)
            channel_say(&all->agent[i]->channel, "end");
        channel_close(&all->agent[i]->channel);
    }
    for (size_t i = 0; i < all->strangers; i++)
        channel_close(&all->stranger[i]->channel);
    handle_close(&all->listener);
    handle_close(&all->second);
}

void agents_free(struct agents *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++) {
        free(all->agent[i]->heard);
        free(all->agent[i]);
    }
    channel_loop_fini(&all->net);
    free(all);
}

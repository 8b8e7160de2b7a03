/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "exchange.h"
#include "leave.h"
#include "operate.h"
#include "options/grammar.h"
#include "peer_tls.h"
#include "starttls/starttls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSTEAD = PEER_HEARD + 60 };

static struct peer *peer_of(struct net_socket *socket)
{
    return (struct peer *)((char *)socket - offsetof(struct peer, socket));
}

static void close_now(struct peer *p, bool reset)
{
    p->shared->net.out.used = 0;
    peer_set_state(p, PEER_CLOSED);
    if (reset)
        net_reset(&p->socket);
    else
        net_close(&p->socket);
}

/* What the server said that wasn't the answer, for the end of a sentence; or nothing. */
static const char *instead(const struct peer *p, char *buf, size_t size)
{
    const struct talk *talk = p->shared->talk;
    size_t length = strcspn(p->heard, "\r\n");
    buf[0] = '\0';
    if (talk->kind == TALK_TEXT && p->heard[0])
        snprintf(buf, size, "; it said '%.*s%s'%s", (int)length, p->heard,
                 length == sizeof p->heard - 1 ? "..." : "",
                 talk->answer_bytes ? ", and not what --answer asks for" : "");
    else if (talk->kind == TALK_TEXT)
        snprintf(buf, size, "; it said nothing");
    return text_clean(buf);
}

static enum step ended_unanswered(struct peer *p, const char *how)
{
    char said[INSTEAD];
    if (p->shared->talk->kind == TALK_TEXT && peer_is_answered(p))
        return peer_fail(p, PEER_FAIL_LOST,
                         "an open connection was lost right after its answer: %s; --say something "
                         "after which it stays open, such as HTTP/1.1",
                         how);
    switch (p->shared->talk->kind) {
    case TALK_ECHO:
        return peer_fail(p, PEER_FAIL_ECHO, "a connection ended after %zu of %zu echoed bytes: %s",
                         p->echoed, p->message_bytes, how);
    case TALK_TEXT:
        return peer_fail(p, PEER_FAIL_ECHO, "a connection ended before its answer was whole: %s%s",
                         how, instead(p, said, sizeof said));
    case TALK_SILENT:
        break;
    }
    return peer_fail(p, PEER_FAIL_HANDSHAKE, "a connection ended right after its handshake: %s",
                     how);
}

static const char *reason(int why)
{
    if (why == UV_EOF)
        return "closed by the server";
    return why == UV_EADDRNOTAVAIL ? "no local port is free (net.ipv4.ip_local_port_range)"
                                   : uv_strerror(why);
}

/* The connection ended from outside: `why` is a libuv error, or UV_EOF. */
static enum step ended(struct peer *p, int why)
{
    const char *how = reason(why);
    if (why == UV_EOF)
        peer_note_connected(p);
    if (peer_awaits_refusal(p) && p->state > PEER_CONNECT)
        return peer_refused(p, 0);
    if (p->starttls && exchange_starttls_may_end(p))
        return STEP_ABORT_FIN;
    switch (p->state) {
    case PEER_NEW:
    case PEER_CONNECT:
        return peer_fail(p, PEER_FAIL_CONNECT, "can't connect: %s", how);
    case PEER_STARTTLS:
        return peer_fail(p, PEER_FAIL_HANDSHAKE, "the STARTTLS dialogue failed: %s", how);
    case PEER_HANDSHAKE:
        return peer_fail(p, PEER_FAIL_HANDSHAKE, "a handshake failed: %s", how);
    case PEER_ECHO:
        return ended_unanswered(p, how);
    case PEER_WORK:
        return peer_fail(p, PEER_FAIL_ECHO, "%s: a connection ended early: %s",
                         behaviour_name((int)p->behaviour), how);
    case PEER_HELD:
    case PEER_ASKED_CLOSE:
        if (p->state == PEER_HELD && p->shared->may_end)
            return STEP_LET_GO;
        return peer_fail(p, PEER_FAIL_LOST, "an open connection was lost: %s%s", how,
                         why == UV_EOF ? " (an idle timeout?)" : "");
    case PEER_CLOSE_NOTIFY:
    case PEER_HALF_CLOSED:
    case PEER_CLOSED:
        break;
    }
    return STEP_FIN;
}

/* What has come about is done, and reported: the last of a turn. */
static void take_step(struct peer *p, enum step step)
{
    struct peer_shared *shared = p->shared;
    switch (step) {
    case STEP_STAY:
    case STEP_ON:
        return;
    case STEP_ESTABLISHED:
        peer_set_state(p, PEER_HELD);
        shared->on_established(p);
        return;
    case STEP_OPERATED:
        shared->on_operated(p);
        return;
    case STEP_ABORTED:
        shared->on_aborted(p);
        return;
    case STEP_ABORT_FIN:
    case STEP_ABORT_RST:
        close_now(p, step == STEP_ABORT_RST);
        shared->on_aborted(p);
        return;
    case STEP_FIN:
    case STEP_RST:
        close_now(p, step == STEP_RST);
        return;
    case STEP_LET_GO:
        close_now(p, false);
        shared->on_ended(p);
        return;
    case STEP_ENDED:
    case STEP_FAIL:
        close_now(p, false);
        shared->on_failed(p, shared->failure, shared->why);
        return;
    }
}

/* The end of every turn: one that goes on sends what was written. */
static void finish(struct peer *p, enum step step)
{
    if (step == STEP_ENDED)
        step = ended(p, UV_EOF);
    if (step <= STEP_OPERATED) {
        peer_flush(p);
        if (p->socket.broken)
            step = ended(p, p->socket.broken);
    }
    take_step(p, step);
}

/* To write nothing takes until the connection stands: on_written is told of it. */
static enum step await_connection(struct peer *p)
{
    peer_hear_first(p);
    net_keep(&p->socket, NULL, 0);
    return STEP_STAY;
}

static enum step begin_raw(struct peer *p)
{
    peer_hear_first(p);
    if (p->recipe->open)
        p->recipe->open(p);
    return STEP_STAY;
}

/* What comes first when TCP stands or is on its way, or when the dialogue before TLS is over. The
 * ClientHello is written without waiting for the connection: on loopback it already stands, else
 * libuv writes it as soon as it does. */
static enum step begin(struct peer *p)
{
    if (p->recipe->point == POINT_CONNECTED)
        return await_connection(p);
    if (p->recipe->raw)
        return begin_raw(p);
    if (peer_tls_open(p) < 0)
        return peer_fail(p, PEER_FAIL_HANDSHAKE, "%s: can't make an SSL object",
                         behaviour_name((int)p->behaviour));
    return exchange(p);
}

static enum step received(struct peer *p, const uint8_t *bytes, size_t count)
{
    const struct recipe *recipe = p->recipe;
    if (p->state == PEER_HALF_CLOSED || p->stalled)
        return STEP_STAY;
    peer_note_connected(p);
    if (p->starttls) {
        enum step step = exchange_starttls_received(p, bytes, count);
        return step == STEP_ON ? begin(p) : step;
    }
    if (recipe->point == POINT_SERVER_HELLO && p->state == PEER_HANDSHAKE)
        return leave_at_point(p);
    enum step step = recipe->arrived ? recipe->arrived(p, bytes, count) : STEP_ON;
    if (step != STEP_ON || !p->ssl)
        return step;
    p->socket.wire.in = bytes;
    p->socket.wire.in_left = count;
    return exchange(p);
}

static enum step written(struct peer *p)
{
    peer_note_connected(p);
    if (p->recipe->point == POINT_CONNECTED)
        return leave_at_point(p);
    if (p->recipe->written)
        p->recipe->written(p);
    bool more = p->state == PEER_ECHO || p->state == PEER_WORK || p->operation != OPERATE_NONE;
    return more ? exchange(p) : STEP_STAY;
}

static void on_read(struct net_socket *socket, const uint8_t *bytes, size_t count)
{
    struct peer *p = peer_of(socket);
    finish(p, received(p, bytes, count));
}

static void on_ended(struct net_socket *socket, int why)
{
    struct peer *p = peer_of(socket);
    finish(p, ended(p, why));
}

static void on_written(struct net_socket *socket, size_t count, int status)
{
    struct peer *p = peer_of(socket);
    (void)count;
    finish(p, status < 0 ? ended(p, status) : written(p));
}

static void on_closed(struct net_socket *socket)
{
    struct peer *p = peer_of(socket);
    CHECK(p->state == PEER_CLOSED);
    p->shared->on_gone(p);
    if (p->recipe->gone)
        p->recipe->gone(p);
    peer_tls_free(p);
    starttls_free(p->starttls);
    free(p->own);
    free(p);
}

const struct net_events peer_events = {
    .on_read = on_read, .on_ended = on_ended, .on_written = on_written, .on_closed = on_closed};

/* Texts are the same for all; the payload isn't, so that an echo of another's shows. */
static void choose_message(struct peer *p)
{
    const struct peer_shared *shared = p->shared;
    const struct talk *talk = shared->talk;
    if (p->recipe->own_words)
        return;
    if (talk->say_bytes > 0) {
        p->message = talk->say;
        p->message_bytes = talk->say_bytes;
    } else if (talk->kind == TALK_ECHO || p->recipe->wordy) {
        p->message = shared->payload + p->variant;
        p->message_bytes = shared->payload_bytes;
    }
}

struct peer *peer_new(struct peer_shared *shared, enum behaviour behaviour, uint64_t turn,
                      bool resume)
{
    struct peer *p = calloc(1, sizeof *p);
    CHECK(p);
    p->behaviour = behaviour;
    p->recipe = recipe_of(behaviour);
    p->resume = resume && !p->recipe->no_offer;
    p->shared = shared;
    p->variant = turn % PEER_PAYLOAD_SPARE;
    choose_message(p);
    p->begun_ns = clock_now_ns();
    net_init(&p->socket, &shared->net);
    return p;
}

void peer_connect(struct peer *p, uint64_t turn)
{
    int fd = target_connect(p->shared->target, turn);
    int rc = fd < 0 ? fd : net_connect(&p->socket, fd);
    peer_set_state(p, PEER_CONNECT);
    if (rc < 0) {
        finish(p, ended(p, rc));
        return;
    }
    net_read_start(&p->socket);
    bool dialogue = p->shared->starttls && p->recipe->point != POINT_CONNECTED;
    finish(p, dialogue ? exchange_starttls_begin(p) : begin(p));
}

void peer_leave(struct peer *p)
{
    finish(p, leave_held(p));
}

void peer_become(struct peer *p, enum behaviour behaviour)
{
    p->behaviour = behaviour;
    p->recipe = recipe_of(behaviour);
}

void peer_operate(struct peer *p, enum operation operation)
{
    enum step step = operate_begin(p, operation);
    finish(p, step == STEP_STAY ? exchange(p) : step);
}

void peer_tick(struct peer *p)
{
    if (p->recipe->tick && !p->starttls)
        finish(p, p->recipe->tick(p));
    if (p->state == PEER_ECHO)
        finish(p, exchange_tick(p));
}

void peer_expire(struct peer *p, uint64_t limit_ns)
{
    static const char *const doing[] = {
        [PEER_NEW] = "connecting",
        [PEER_CONNECT] = "connecting",
        [PEER_STARTTLS] = "its STARTTLS dialogue",
        [PEER_HANDSHAKE] = "its handshake",
        [PEER_ECHO] = "waiting for the echo or the answer",
        [PEER_WORK] = "what its behaviour does",
        [PEER_HELD] = "being open",
        [PEER_ASKED_CLOSE] = "waiting for the close_notify it asked for",
        [PEER_CLOSE_NOTIFY] = "waiting for the server's close_notify",
        [PEER_HALF_CLOSED] = "waiting for the server's end after our FIN",
    };
    if (p->state == PEER_CLOSED)
        return;
    struct peer_shared *shared = p->shared;
    char said[INSTEAD], limit[32];
    bool waits = p->state == PEER_ECHO || p->operation == OPERATE_REQUEST;
    peer_fail(p, PEER_FAIL_TIMEOUT, "a connection (%s) took longer than %s in %s%s",
              behaviour_name((int)p->behaviour),
              grammar_duration_print(limit, sizeof limit, limit_ns),
              p->operation ? operation_name(p->operation) : doing[p->state],
              waits ? instead(p, said, sizeof said) : "");
    close_now(p, true);
    shared->on_failed(p, shared->failure, shared->why);
}

void peer_reset(struct peer *p)
{
    if (p->state != PEER_CLOSED)
        close_now(p, true);
}

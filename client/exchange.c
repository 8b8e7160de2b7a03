/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include "base/check.h"
#include "base/clock.h"
#include "leave.h"
#include "operate.h"
#include "peer_tls.h"
#include "starttls/starttls.h"

#include <openssl/err.h>
#include <string.h>

static void count(page_u64 *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static enum step handshake(struct peer *p)
{
    enum step step = peer_tls_do_handshake(p);
    if (step != STEP_ON)
        return step;
    peer_set_state(p, p->recipe->own_words ? PEER_WORK : PEER_ECHO);
    count(&p->shared->app->handshakes);
    if (SSL_session_reused(p->ssl))
        count(&p->shared->app->resumed);
    p->shared->on_handshake(p, clock_now_ns() - p->begun_ns);
    if (p->recipe->on_handshake_done)
        p->recipe->on_handshake_done(p);
    return STEP_STAY;
}

/* Writes the message into the same buffer as the client's Finished, so that both leave together. */
static enum step send_message(struct peer *p)
{
    while (p->sent < p->message_bytes && !p->socket.writes && !p->socket.broken) {
        size_t left = p->message_bytes - p->sent;
        ERR_clear_error();
        int written = SSL_write(p->ssl, p->message + p->sent, (int)left);
        enum ssl_result result = peer_tls_result(p, written);
        if (result == SSL_RESULT_DONE)
            p->sent += (size_t)written;
        else if (result == SSL_RESULT_WAITS)
            return STEP_STAY;
        else if (result != SSL_RESULT_AGAIN)
            return peer_tls_failed(p);
    }
    return STEP_STAY;
}

static enum step take_echo(struct peer *p, const uint8_t *bytes, size_t got)
{
    if (got > p->sent - p->echoed)
        return peer_fail(p, PEER_FAIL_ECHO,
                         "the server sent more than it was sent: %zu bytes too many",
                         got - (p->sent - p->echoed));
    if (memcmp(bytes, p->message + p->echoed, got) != 0)
        return peer_fail(p, PEER_FAIL_ECHO,
                         "the echo differs from the message within bytes %zu to %zu", p->echoed,
                         p->echoed + got);
    p->echoed += got;
    return STEP_STAY;
}

static enum step take_data(struct peer *p, const uint8_t *bytes, size_t got)
{
    if (p->state == PEER_CLOSE_NOTIFY || p->state == PEER_ASKED_CLOSE)
        return STEP_STAY;
    if (p->state == PEER_WORK)
        return p->recipe->heard ? p->recipe->heard(p, bytes, got) : STEP_STAY;
    if (p->operation == OPERATE_TICKET)
        return operate_heard(p, bytes, got);
    if (p->shared->talk->kind == TALK_ECHO)
        return take_echo(p, bytes, got);
    if (p->state == PEER_ECHO || p->operation != OPERATE_NONE) {
        p->echoed = talk_hear(p->shared->talk, p->echoed, bytes, got);
        talk_quote(p->heard, sizeof p->heard, bytes, got);
    }
    return STEP_STAY;
}

/* The server has said close_notify. */
static enum step take_close_notify(struct peer *p)
{
    if (p->state != PEER_ASKED_CLOSE)
        return STEP_ENDED;
    peer_set_state(p, PEER_CLOSE_NOTIFY);
    return peer_tls_send_close_notify(p);
}

/* Reads all that has arrived, tickets too. */
static enum step receive(struct peer *p)
{
    struct net_loop *net = &p->shared->net;
    enum step step = STEP_STAY;
    while (step == STEP_STAY && p->socket.wire.in_left > 0 && p->state < PEER_HALF_CLOSED) {
        ERR_clear_error();
        int got = SSL_read(p->ssl, net->plain, sizeof net->plain);
        switch (peer_tls_result(p, got)) {
        case SSL_RESULT_DONE:
            step = take_data(p, net->plain, (size_t)got);
            break;
        case SSL_RESULT_WAITS:
            return STEP_STAY;
        case SSL_RESULT_AGAIN:
            break;
        case SSL_RESULT_ENDED:
            step = take_close_notify(p);
            break;
        case SSL_RESULT_FAILED:
            return peer_tls_failed(p);
        }
    }
    return step;
}

static enum step advance(struct peer *p)
{
    enum step step = STEP_STAY;
    if (p->state <= PEER_HANDSHAKE)
        step = handshake(p);
    else if (p->socket.wire.in_left > 0)
        p->heard_after = true;
    if (step == STEP_STAY)
        step = operate_advance(p);
    if (step == STEP_STAY && ((p->state == PEER_ECHO && !leave_is_silent(p)) || operate_sends(p)))
        step = send_message(p);
    if (step == STEP_STAY)
        peer_flush(p);
    if (step == STEP_STAY && p->state > PEER_HANDSHAKE)
        step = receive(p);
    return step;
}

/* What has come to its end in this turn. */
static enum step conclude(struct peer *p)
{
    const struct recipe *recipe = p->recipe;
    if (p->state == PEER_HELD && p->operation != OPERATE_NONE)
        return operate_conclude(p);
    if (p->state == PEER_ECHO && peer_is_answered(p))
        peer_set_state(p, PEER_WORK);
    if (p->state != PEER_WORK)
        return STEP_STAY;
    enum step step = recipe->work ? recipe->work(p) : STEP_ON;
    if (step != STEP_ON)
        return step;
    if (recipe->end == RECIPE_REFUSED && !p->excused)
        return peer_fail(p, PEER_FAIL_HANDSHAKE,
                         "%s: the server accepted a handshake it should have rejected",
                         behaviour_name((int)p->behaviour));
    if (recipe->end == RECIPE_CUT) /* at a ticket that the server doesn't send */
        return leave_at_point(p);
    return STEP_ESTABLISHED;
}

enum step exchange(struct peer *p)
{
    CHECK(p->shared->net.out.used == 0);
    enum step step = advance(p);
    p->socket.wire.in_left = 0;
    if (step != STEP_STAY)
        return step;
    peer_flush(p);
    if (p->socket.broken || p->state == PEER_HALF_CLOSED)
        return STEP_STAY;
    if (p->recipe->point != POINT_NONE && leave_is_due(p))
        return leave_at_point(p);
    return conclude(p);
}

enum step exchange_tick(struct peer *p)
{
    if (p->state != PEER_ECHO || p->shared->talk->kind != TALK_SILENT || p->heard_after)
        return STEP_STAY;
    p->ticks++;
    enum step step = conclude(p);
    if (step == STEP_ESTABLISHED)
        p->shared->silent++;
    return step;
}

/* Sends what is to be said, which may be all that is to be said. */
static enum step speak(struct peer *p)
{
    peer_flush(p);
    bool due = !p->socket.broken && p->recipe->in_starttls && leave_is_due(p);
    return due ? leave_at_point(p) : STEP_STAY;
}

static struct starttls_io io_of(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct wire_out *out = &p->shared->net.out;
    _Static_assert((int)STARTTLS_OUT_BYTES <= (int)WIRE_OUT_BYTES, "a dialogue's words have room");
    CHECK(out->used == 0);
    return (struct starttls_io){.in = bytes, .in_left = count, .out = out->bytes};
}

enum step exchange_starttls_begin(struct peer *p)
{
    p->starttls = starttls_new(p->shared->starttls, STARTTLS_CLIENT, p->shared->sni);
    CHECK(p->starttls); /* libuv itself has no way on without memory */
    struct starttls_io io = io_of(p, NULL, 0);
    starttls_start(p->starttls, &io);
    p->shared->net.out.used = io.out_used;
    if (io.out_used == 0 && peer_hear_first(p))
        peer_set_state(p, PEER_STARTTLS);
    return speak(p);
}

enum step exchange_starttls_received(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct err why;
    struct starttls_io io = io_of(p, bytes, count);
    enum starttls_result result = starttls_feed(p->starttls, &io, &why);
    p->shared->net.out.used = io.out_used;
    enum step step = speak(p);
    if (step != STEP_STAY || p->socket.broken || result == STARTTLS_MORE)
        return step;
    if (p->recipe->in_starttls && starttls_asked(p->starttls))
        return leave_at_point(p); /* its deed is done and answered */
    if (result == STARTTLS_FAILED)
        return peer_fail(p, PEER_FAIL_HANDSHAKE, "the STARTTLS dialogue failed: %s", why.text);
    starttls_free(p->starttls);
    p->starttls = NULL;
    peer_set_state(p, PEER_HANDSHAKE);
    return STEP_ON;
}

bool exchange_starttls_may_end(const struct peer *p)
{
    return p->state == PEER_STARTTLS && p->recipe->in_starttls && starttls_asked(p->starttls);
}

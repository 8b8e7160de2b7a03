/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_tls.h"

#include "base/check.h"
#include "base/clock.h"
#include "leave.h"
#include "operate.h"
#include "tls/context.h"

#include <limits.h>
#include <openssl/err.h>
#include <string.h>

/* What an SSL call has come to. */
enum outcome { OUTCOME_DONE, OUTCOME_WAITS, OUTCOME_AGAIN, OUTCOME_ENDED, OUTCOME_FAILED };

static void count(page_u64 *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* A full buffer is emptied here, so that the call can be made again at once, unless the kernel took
 * only a part. */
static enum outcome outcome_of(struct peer *p, int result)
{
    switch (SSL_get_error(p->ssl, result)) {
    case SSL_ERROR_NONE:
        return OUTCOME_DONE;
    case SSL_ERROR_WANT_READ:
        return OUTCOME_WAITS;
    case SSL_ERROR_WANT_WRITE:
        peer_flush(p);
        return p->writes || p->broken ? OUTCOME_WAITS : OUTCOME_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return OUTCOME_ENDED;
    default:
        return OUTCOME_FAILED;
    }
}

int peer_tls_open(struct peer *p)
{
    struct peer_shared *shared = p->shared;
    ERR_clear_error();
    SSL *ssl = wire_ssl_new(shared->ctx, &p->wire, false);
    if (!ssl || (shared->sni && !SSL_set_tlsext_host_name(ssl, shared->sni))) {
        SSL_free(ssl);
        ERR_clear_error();
        return -1;
    }
    p->ssl = ssl;
    if (p->resume)
        sessions_offer(shared->sessions, ssl, p->recipe->end != RECIPE_HELD);
    return p->recipe->prepare ? p->recipe->prepare(p) : 0;
}

bool peer_tls_session_fits_others(const SSL *ssl)
{
    const struct wire *wire = wire_of(ssl);
    const struct peer *p = (const void *)((const char *)wire - offsetof(struct peer, wire));
    return !p->recipe->own_sessions;
}

void peer_tls_free(struct peer *p)
{
    ERR_clear_error();
    SSL_free(p->ssl);
    p->ssl = NULL;
}

/* An alert that refuses our certificate arrives after our side of a TLS 1.3 handshake is done. */
static enum peer_failure failure_kind(const struct peer *p)
{
    if (p->state <= PEER_HANDSHAKE || (p->state == PEER_ECHO && p->echoed == 0))
        return PEER_FAIL_HANDSHAKE;
    return p->state == PEER_ECHO ? PEER_FAIL_ECHO : PEER_FAIL_LOST;
}

/* The alert that the error in OpenSSL's queue tells of, or 0. */
static int alert_received(void)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    bool told = ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET;
    return told ? reason - SSL_AD_REASON_OFFSET : 0;
}

static void tls_failed(struct peer *p)
{
    char why[200];
    int alert = alert_received();
    context_error(why, sizeof why);
    peer_flush(p);
    if (p->state == PEER_CLOSE_NOTIFY) {
        peer_close(p);
        return;
    }
    if (peer_awaits_refusal(p)) {
        peer_refused(p, alert);
        return;
    }
    enum peer_failure kind = failure_kind(p);
    peer_fail(p, kind, "%s failed: %s",
              kind == PEER_FAIL_HANDSHAKE ? "a handshake" : "an established connection", why);
}

static enum outcome do_handshake(struct peer *p)
{
    enum outcome outcome;
    do {
        ERR_clear_error();
        outcome = outcome_of(p, SSL_do_handshake(p->ssl));
    } while (outcome == OUTCOME_AGAIN);
    if (outcome == OUTCOME_ENDED || outcome == OUTCOME_FAILED)
        tls_failed(p);
    return outcome;
}

void peer_tls_do_handshake(struct peer *p)
{
    do_handshake(p);
}

static void handshake(struct peer *p)
{
    if (do_handshake(p) == OUTCOME_DONE) {
        peer_set_state(p, PEER_ECHO);
        count(&p->shared->app->handshakes);
        if (SSL_session_reused(p->ssl))
            count(&p->shared->app->resumed);
        p->shared->on_handshake(p, clock_now_ns() - p->begun_ns);
        if (p->recipe->on_handshake_done)
            p->recipe->on_handshake_done(p);
    }
}

/* Writes the message into the same buffer as the client's Finished, so that both leave together. */
static void send_message(struct peer *p)
{
    while (p->sent < p->shared->payload_bytes && !p->writes && !p->broken) {
        size_t left = p->shared->payload_bytes - p->sent;
        ERR_clear_error();
        int written = SSL_write(p->ssl, p->message + p->sent, (int)left);
        enum outcome outcome = outcome_of(p, written);
        if (outcome == OUTCOME_DONE) {
            p->sent += (size_t)written;
        } else if (outcome == OUTCOME_FAILED || outcome == OUTCOME_ENDED) {
            tls_failed(p);
            return;
        } else if (outcome == OUTCOME_WAITS) {
            return;
        }
    }
}

static void take_echo(struct peer *p, size_t got)
{
    if (p->state == PEER_CLOSE_NOTIFY || p->state == PEER_ASKED_CLOSE)
        return;
    if (p->state == PEER_WORK) {
        if (p->recipe->heard)
            p->recipe->heard(p, p->shared->plain, got);
        return;
    }
    if (operate_heard(p, p->shared->plain, got))
        return;
    if (got > p->sent - p->echoed) {
        peer_fail(p, PEER_FAIL_ECHO, "the server sent more than it was sent: %zu bytes too many",
                  got - (p->sent - p->echoed));
    } else if (memcmp(p->shared->plain, p->message + p->echoed, got) != 0) {
        peer_fail(p, PEER_FAIL_ECHO, "the echo differs from the message within bytes %zu to %zu",
                  p->echoed, p->echoed + got);
    } else {
        p->echoed += got;
    }
}

/* The server has said close_notify first, as it was asked to. */
static void answer_close_notify(struct peer *p)
{
    peer_set_state(p, PEER_CLOSE_NOTIFY);
    peer_tls_send_close_notify(p);
}

/* Reads all that has arrived, tickets too. */
static void receive(struct peer *p)
{
    struct peer_shared *shared = p->shared;
    while (p->wire.in_left > 0 && p->state < PEER_HALF_CLOSED) {
        ERR_clear_error();
        int got = SSL_read(p->ssl, shared->plain, sizeof shared->plain);
        switch (outcome_of(p, got)) {
        case OUTCOME_DONE:
            take_echo(p, (size_t)got);
            break;
        case OUTCOME_WAITS:
            return;
        case OUTCOME_AGAIN:
            break;
        case OUTCOME_ENDED:
            if (p->state == PEER_ASKED_CLOSE)
                answer_close_notify(p);
            else
                peer_ended(p, UV_EOF);
            break;
        case OUTCOME_FAILED:
            tls_failed(p);
            break;
        }
    }
}

/* What has come to its end in this turn. */
static void conclude(struct peer *p)
{
    const struct recipe *recipe = p->recipe;
    if (operate_is_over(p)) {
        p->shared->on_operated(p);
        return;
    }
    if (p->state == PEER_ECHO && p->echoed == p->shared->payload_bytes)
        peer_set_state(p, PEER_WORK);
    if (p->state != PEER_WORK || (recipe->work && !recipe->work(p)) || p->state != PEER_WORK)
        return;
    if (recipe->end == RECIPE_REFUSED && !p->excused) {
        peer_fail(p, PEER_FAIL_HANDSHAKE, "%s: the server accepted what it was to refuse",
                  behaviour_name((int)p->behaviour));
        return;
    }
    peer_set_state(p, PEER_HELD);
    p->shared->on_established(p);
}

static void finish_turn(struct peer *p)
{
    if (p->state == PEER_CLOSED) {
        p->shared->out.used = 0;
        return;
    }
    peer_flush(p);
    if (p->broken)
        peer_ended(p, p->broken);
}

static void advance_handshake(struct peer *p)
{
    if (p->state <= PEER_HANDSHAKE)
        handshake(p);
    else if (p->wire.in_left > 0)
        p->heard_after = true;
    operate_advance(p);
    if ((p->state == PEER_ECHO && !leave_is_silent(p)) || operate_sends(p))
        send_message(p);
    if (p->state != PEER_CLOSED)
        peer_flush(p);
}

void peer_tls_advance(struct peer *p)
{
    CHECK(p->shared->out.used == 0);
    advance_handshake(p);
    if (p->state != PEER_CLOSED && p->state > PEER_HANDSHAKE)
        receive(p);
    p->wire.in_left = 0;
    finish_turn(p);
    if (p->state == PEER_CLOSED || p->state == PEER_HALF_CLOSED)
        return;
    if (p->recipe->point != POINT_NONE && leave_is_due(p)) {
        leave_at_point(p);
        return;
    }
    conclude(p);
    finish_turn(p);
}

void peer_tls_say(struct peer *p, const char *line)
{
    ERR_clear_error();
    int length = (int)strlen(line), written = SSL_write(p->ssl, line, length);
    if (outcome_of(p, written) != OUTCOME_DONE || written != length)
        tls_failed(p);
    else
        peer_flush(p);
}

void peer_tls_send_close_notify(struct peer *p)
{
    ERR_clear_error();
    /* Without our close_notify the server would have nothing to answer. */
    if (SSL_shutdown(p->ssl) < 0)
        p->broken = UV_EPROTO;
    ERR_clear_error();
    peer_flush_with_fin(p);
    if (p->broken)
        peer_close(p);
}

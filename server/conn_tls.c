/* SPDX-License-Identifier: Apache-2.0 */
/* The SSL object of a connection: handshake, echo and close_notify. */
#include "conn_internal.h"
#include "probe/probe.h"
#include "server.h"
#include "tls/context.h"

#include <openssl/err.h>

static void on_info(const SSL *ssl, int where, int value)
{
    (void)value;
    struct wire *wire =
        where & SSL_CB_ALERT && where & SSL_CB_WRITE ? BIO_get_data(SSL_get_rbio(ssl)) : NULL;
    if (wire)
        conn_of((char *)wire - offsetof(struct conn, wire))->alerted = true;
}

int conn_tls_open(struct conn *c, struct err *e)
{
    char why[256];
    SSL_CTX *ctx = contexts_take(c->worker->server->contexts, e);
    if (!ctx)
        return -1;
    ticket_ring_connection(c->worker->server->tls.ring);
    ERR_clear_error();
    SSL *ssl = wire_ssl_new(ctx, &c->wire, true);
    SSL_CTX_free(ctx); /* the SSL has its own reference */
    if (!ssl)
        return err_set(e, "can't make an SSL object: %s", context_error(why, sizeof why));
    SSL_set_info_callback(ssl, on_info);
    c->ssl = ssl;
    c->early = c->worker->server->options.early_data > 0;
    return 0;
}

enum outcome conn_outcome(struct conn *c, int result)
{
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_NONE:
        return OUTCOME_DONE;
    case SSL_ERROR_WANT_READ:
        return OUTCOME_WAITS;
    case SSL_ERROR_WANT_WRITE:
        conn_flush(c);
        return c->broken ? OUTCOME_FAILED : OUTCOME_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        trace_ended(c->trace, TRACE_CLOSE_NOTIFY);
        return OUTCOME_ENDED;
    default:
        return OUTCOME_FAILED;
    }
}

/* A peer that leaves in the middle is ordinary; one that we can't agree with is worth a line. */
void conn_fail(struct conn *c)
{
    char why[256];
    bool handshake = c->state == CONN_HANDSHAKE;
    trace_ended(c->trace, TRACE_ERROR);
    context_error(why, sizeof why);
    if (!c->wire.in_eof && !c->broken)
        server_problem(c->worker->server, handshake ? PROBLEM_HANDSHAKE : PROBLEM_TLS, "%s: %s",
                       handshake ? "a handshake failed" : "a connection failed", why);
    /* Without an alert to read, the peer would wait for us and we for it. OpenSSL sends none when
     * memory is short, though it may have written other things before. */
    if (!c->alerted)
        c->broken = UV_EPROTO;
    conn_set_state(c, CONN_LINGER);
}

void conn_send_close_notify(struct conn *c)
{
    ERR_clear_error();
    /* Without our close_notify the client has no reason to close. */
    if (SSL_shutdown(c->ssl) < 0)
        c->broken = UV_EPROTO;
    ERR_clear_error();
    conn_set_state(c, CONN_LINGER);
}

enum outcome conn_do_handshake(struct conn *c)
{
    enum outcome outcome;
    do {
        ERR_clear_error();
        outcome = conn_outcome(c, SSL_do_handshake(c->ssl));
    } while (outcome == OUTCOME_AGAIN);
    return outcome;
}

static void conn_handshake(struct conn *c)
{
    enum outcome outcome = conn_early(c);
    if (outcome == OUTCOME_DONE)
        outcome = conn_do_handshake(c);
    if (outcome == OUTCOME_DONE) {
        conn_set_state(c, CONN_OPEN);
        defect_on_handshake_done(c->worker->server->defect, &c->defect, c->ssl);
    } else if (outcome != OUTCOME_WAITS) {
        conn_fail(c);
    }
}

enum outcome conn_send(struct conn *c, const uint8_t *bytes, int count)
{
    enum outcome outcome;
    do {
        ERR_clear_error();
        outcome = conn_outcome(c, SSL_write(c->ssl, bytes, count));
    } while (outcome == OUTCOME_AGAIN);
    /* Only in the middle of a renegotiation, where no peer may send what we answer here. */
    return outcome == OUTCOME_WAITS ? OUTCOME_FAILED : outcome;
}

static enum outcome conn_answer(struct conn *c, const uint8_t *message, int count)
{
    if (request_is(c, message, (size_t)count))
        return request_take(c, message, (size_t)count);
    return conn_send(c, message, count);
}

/* Data of the peer's: one record at most, as SSL_read returns no more. */
static void conn_count(struct conn *c)
{
    struct server *server = c->worker->server;
    probe_on_operation(
        atomic_fetch_add_explicit(&server->app->operations, 1, memory_order_relaxed));
    defect_on_message(server->defect, c->ssl);
}

static void conn_echo(struct conn *c)
{
    struct worker *w = c->worker;
    enum outcome outcome;
    deadline_restart(&w->idle, &c->deadline, uv_now(&w->loop));
    do {
        ERR_clear_error();
        int count = SSL_read(c->ssl, w->plain, sizeof w->plain);
        outcome = conn_outcome(c, count);
        if (outcome == OUTCOME_DONE) {
            conn_count(c);
            outcome = conn_answer(c, w->plain, count);
        } else if (outcome == OUTCOME_WAITS) {
            outcome = request_go_on(c);
        }
    } while (outcome == OUTCOME_DONE || outcome == OUTCOME_AGAIN);
    if (outcome == OUTCOME_ENDED)
        conn_send_close_notify(c);
    else if (outcome == OUTCOME_FAILED)
        conn_fail(c);
}

void conn_tls_received(struct conn *c, const uint8_t *bytes, size_t count)
{
    c->wire.in = bytes;
    c->wire.in_left = count;
    if (c->state == CONN_STARTTLS)
        conn_starttls_received(c);
    if (c->state == CONN_HANDSHAKE)
        conn_handshake(c);
    if (c->state == CONN_OPEN)
        conn_echo(c);
    if (c->state == CONN_LINGER)
        request_linger(c);
    c->wire.in = NULL;
    c->wire.in_left = 0;
    conn_finish(c);
}

/* Without a close_notify before it OpenSSL hears of the end in a handshake only: afterwards our own
 * close_notify must still be written. */
void conn_tls_ended(struct conn *c)
{
    c->wire.in_eof = true;
    trace_ended(c->trace, TRACE_FIN);
    if (c->state == CONN_HANDSHAKE)
        conn_handshake(c);
    else if (c->state == CONN_OPEN)
        conn_send_close_notify(c);
    conn_finish(c);
    conn_close(c);
}

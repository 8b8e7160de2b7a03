/* The SSL object of a connection: handshake, echo and goodbye. */
#include "conn_parts.h"
#include "probe/probe.h"
#include "server.h"
#include "tls/context.h"

#include <openssl/err.h>

/* What an SSL call has come to. */
enum outcome { OUTCOME_DONE, OUTCOME_WAITS, OUTCOME_AGAIN, OUTCOME_ENDED, OUTCOME_FAILED };

int conn_tls_open(struct conn *c)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(c->worker->server->ctx);
    BIO *bio = ssl ? wire_bio_new(&c->wire) : NULL;
    if (!bio) {
        SSL_free(ssl);
        return -1;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    c->ssl = ssl;
    return 0;
}

/* Judges the result of an SSL call. A full buffer is emptied here, so that the call can be made
 * again at once. */
static enum outcome conn_outcome(struct conn *c, int result)
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
        return OUTCOME_ENDED;
    default:
        return OUTCOME_FAILED;
    }
}

/* A peer that leaves in the middle is ordinary; one that we can't agree with is worth a line. */
static void conn_fail(struct conn *c)
{
    char why[256];
    bool handshake = c->state == CONN_HANDSHAKE;
    context_error(why, sizeof why);
    if (!c->wire.in_eof && !c->broken)
        server_problem(c->worker->server, handshake ? PROBLEM_HANDSHAKE : PROBLEM_TLS, "%s: %s",
                       handshake ? "a handshake failed" : "a connection failed", why);
    /* Without an alert to read, the peer would wait for us and we for it. */
    if (c->wire.out->used == 0 && c->writes == 0)
        c->broken = UV_EPROTO;
    conn_set_state(c, CONN_LINGER);
}

void conn_goodbye(struct conn *c)
{
    ERR_clear_error();
    SSL_shutdown(c->ssl);
    ERR_clear_error();
    conn_set_state(c, CONN_LINGER);
}

static void conn_handshake(struct conn *c)
{
    enum outcome outcome;
    do {
        ERR_clear_error();
        outcome = conn_outcome(c, SSL_do_handshake(c->ssl));
    } while (outcome == OUTCOME_AGAIN);
    if (outcome == OUTCOME_DONE) {
        conn_set_state(c, CONN_OPEN);
        defect_on_handshake_done(c->worker->server->defect, &c->defect, c->ssl);
    } else if (outcome != OUTCOME_WAITS) {
        conn_fail(c);
    }
}

static enum outcome conn_send(struct conn *c, const uint8_t *bytes, int count)
{
    enum outcome outcome;
    do {
        ERR_clear_error();
        outcome = conn_outcome(c, SSL_write(c->ssl, bytes, count));
    } while (outcome == OUTCOME_AGAIN);
    return outcome;
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
            outcome = conn_send(c, w->plain, count);
        }
    } while (outcome == OUTCOME_DONE || outcome == OUTCOME_AGAIN);
    if (outcome == OUTCOME_ENDED)
        conn_goodbye(c);
    else if (outcome == OUTCOME_FAILED)
        conn_fail(c);
}

void conn_tls_received(struct conn *c, const uint8_t *bytes, size_t count)
{
    if (c->state == CONN_LINGER)
        return;
    c->wire.in = bytes;
    c->wire.in_left = count;
    if (c->state == CONN_HANDSHAKE)
        conn_handshake(c);
    if (c->state == CONN_OPEN)
        conn_echo(c);
    c->wire.in = NULL;
    c->wire.in_left = 0;
    conn_finish(c);
}

/* Without a close_notify before it OpenSSL hears of the end in a
 * handshake only: afterwards our own close_notify must still be written. */
void conn_tls_ended(struct conn *c)
{
    c->wire.in_eof = true;
    if (c->state == CONN_HANDSHAKE)
        conn_handshake(c);
    else if (c->state == CONN_OPEN)
        conn_goodbye(c);
    conn_finish(c);
    conn_close(c);
}

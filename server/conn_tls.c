/* SPDX-License-Identifier: Apache-2.0 */
/* The SSL object of a connection, and the dialogue in clear text before it. */
#include "base/check.h"
#include "conn_internal.h"
#include "options/limits.h"
#include "starttls/starttls.h"
#include "tls/context.h"

#include <openssl/err.h>

_Static_assert((int)STARTTLS_OUT_BYTES <= (int)WIRE_OUT_BYTES, "a dialogue's words have room");

/* Bounded: one turn's output at most (WIRE_OUT_BYTES and what 64 KiB of input still bring forth),
 * because nothing more is read until it is sent. */
static void read_unless_kept(struct conn *c)
{
    if (c->socket.writes)
        net_read_stop(&c->socket);
}

void conn_flush(struct conn *c)
{
    conn_log_out(c->log, net_flush(&c->socket));
    read_unless_kept(c);
}

void conn_flush_kept(struct conn *c)
{
    struct wire_out *out = c->socket.wire.out;
    if (out->used && !c->socket.broken)
        net_keep(&c->socket, out->bytes, out->used);
    out->used = 0;
    read_unless_kept(c);
}

void conn_starttls_open(struct conn *c)
{
    struct wire_out *out = c->socket.wire.out;
    struct starttls_io io = {.out = out->bytes};
    c->starttls =
        starttls_new((enum starttls_protocol)c->shared->options.starttls, STARTTLS_SERVER, NULL);
    CHECK(c->starttls); /* libuv itself has no way on without memory */
    starttls_start(c->starttls, &io);
    out->used = io.out_used;
}

/* What is said about it may still be read, as an alert would. */
static enum step starttls_failed(struct conn *c, const char *why)
{
    shared_problem(c->shared, PROBLEM_HANDSHAKE, "the STARTTLS dialogue failed: %s", why);
    if (c->socket.wire.out->used == 0 && c->socket.writes == 0)
        c->socket.broken = UV_EPROTO;
    return STEP_LINGER;
}

enum step conn_starttls(struct conn *c)
{
    struct err why;
    struct wire *wire = &c->socket.wire;
    struct starttls_io io = {.in = wire->in, .in_left = wire->in_left, .out = wire->out->bytes};
    enum starttls_result result = starttls_feed(c->starttls, &io, &why);
    wire->in = io.in;
    wire->in_left = io.in_left;
    wire->out->used = io.out_used;
    if (result == STARTTLS_MORE)
        return STEP_STAY;
    starttls_free(c->starttls);
    c->starttls = NULL;
    return result == STARTTLS_DONE ? STEP_TLS : starttls_failed(c, why.text);
}

static void on_info(const SSL *ssl, int where, int value)
{
    (void)value;
    struct wire *wire = where & SSL_CB_ALERT && where & SSL_CB_WRITE ? wire_of(ssl) : NULL;
    if (wire)
        ((struct conn *)((char *)wire - offsetof(struct conn, socket.wire)))->alerted = true;
}

bool conn_speaks_h2(const struct conn *c)
{
    const unsigned char *name;
    unsigned length;
    SSL_get0_alpn_selected(c->ssl, &name, &length);
    return length == 2 && name[0] == 'h' && name[1] == '2';
}

/* Where a session is resumed no certificate is shown, and at most one ticket sent: the connection
 * takes no session of another. */
static bool make_whole(const struct conn *c, SSL *ssl)
{
    return SSL_set_session_id_context(ssl, (const uint8_t *)&c->number, sizeof c->number) == 1;
}

/* What its turn changes in the handshake. Returns whether it could. */
static bool prepare_turn(const struct conn *c, SSL *ssl)
{
    const struct identity *many = &c->shared->tls.many_names;
    switch (c->turn.behaviour) {
    case SERVER_BEHAVIOUR_NO_TICKET:
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
        return SSL_set_num_tickets(ssl, 0) == 1;
    case SERVER_BEHAVIOUR_MANY_TICKETS:
        return make_whole(c, ssl) && SSL_set_num_tickets(ssl, LIMIT_TICKETS) == 1;
    case SERVER_BEHAVIOUR_MANY_NAMES:
        return make_whole(c, ssl) && SSL_use_cert_and_key(ssl, many->cert, many->key, NULL, 1) == 1;
    case SERVER_BEHAVIOUR_REQUIRE_CERT:
        SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        return make_whole(c, ssl);
    case SERVER_BEHAVIOUR_CLOSE:
    case SERVER_BEHAVIOUR_RESET:
    case SERVER_BEHAVIOUR_FIN:
    case SERVER_BEHAVIOUR_CLOSE_FIRST:
    case SERVER_BEHAVIOUR_GOAWAY:
    case SERVER_BEHAVIOURS:
        break;
    }
    return true;
}

bool conn_turn_done(const struct conn *c)
{
    switch (c->turn.behaviour) {
    case SERVER_BEHAVIOUR_RESET:
    case SERVER_BEHAVIOUR_FIN:
    case SERVER_BEHAVIOUR_GOAWAY:
        return false;
    case SERVER_BEHAVIOUR_MANY_TICKETS:
        return SSL_version(c->ssl) == TLS1_3_VERSION;
    case SERVER_BEHAVIOUR_CLOSE:
    case SERVER_BEHAVIOUR_CLOSE_FIRST:
    case SERVER_BEHAVIOUR_NO_TICKET:
    case SERVER_BEHAVIOUR_MANY_NAMES:
    case SERVER_BEHAVIOUR_REQUIRE_CERT:
    case SERVER_BEHAVIOURS:
        break;
    }
    return true;
}

int conn_tls_open(struct conn *c, struct err *e)
{
    char why[256];
    SSL_CTX *ctx = contexts_take(c->shared->contexts, e);
    if (!ctx)
        return -1;
    ticket_ring_connection(c->shared->tls.ring);
    ERR_clear_error();
    SSL *ssl = wire_ssl_new(ctx, &c->socket.wire, true);
    SSL_CTX_free(ctx); /* the SSL has its own reference */
    if (!ssl || !prepare_turn(c, ssl)) {
        SSL_free(ssl);
        return err_set(e, "can't make an SSL object: %s", context_error(why, sizeof why));
    }
    SSL_set_info_callback(ssl, on_info);
    c->ssl = ssl;
    c->early = c->shared->options.early_data > 0;
    return 0;
}

enum ssl_result conn_result(struct conn *c, int returned)
{
    enum ssl_result result = ssl_result_of(c->ssl, returned);
    if (result == SSL_RESULT_ENDED)
        conn_log_ended(c->log, CONN_LOG_CLOSE_NOTIFY);
    if (result != SSL_RESULT_AGAIN)
        return result;
    conn_flush(c);
    return c->socket.broken ? SSL_RESULT_FAILED : SSL_RESULT_AGAIN;
}

enum ssl_result conn_do_handshake(struct conn *c)
{
    enum ssl_result result;
    do {
        ERR_clear_error();
        result = conn_result(c, SSL_do_handshake(c->ssl));
    } while (result == SSL_RESULT_AGAIN);
    return result;
}

enum ssl_result conn_send(struct conn *c, const uint8_t *bytes, int count)
{
    enum ssl_result result;
    do {
        ERR_clear_error();
        result = conn_result(c, SSL_write(c->ssl, bytes, count));
    } while (result == SSL_RESULT_AGAIN);
    /* Only in the middle of a renegotiation, where no peer may send what we answer here. */
    return result == SSL_RESULT_WAITS ? SSL_RESULT_FAILED : result;
}

static enum ssl_result send_early(struct conn *c, const uint8_t *bytes, size_t count)
{
    enum ssl_result result;
    size_t written;
    do {
        ERR_clear_error();
        result = conn_result(c, SSL_write_early_data(c->ssl, bytes, count, &written));
    } while (result == SSL_RESULT_AGAIN);
    return result == SSL_RESULT_WAITS ? SSL_RESULT_FAILED : result;
}

/* Reads and echoes what a peer sends with its ClientHello. DONE when there will be no more: the
 * handshake goes on. */
static enum ssl_result echo_early(struct conn *c)
{
    struct net_loop *net = c->socket.net;
    enum ssl_result result = SSL_RESULT_DONE;
    while (c->early && (result == SSL_RESULT_DONE || result == SSL_RESULT_AGAIN)) {
        size_t count = 0;
        ERR_clear_error();
        int read = SSL_read_early_data(c->ssl, net->plain, sizeof net->plain, &count);
        if (read == SSL_READ_EARLY_DATA_ERROR)
            result = conn_result(c, -1);
        else if (count)
            result = send_early(c, net->plain, count);
        if (read == SSL_READ_EARLY_DATA_FINISH)
            c->early = false;
    }
    return result;
}

enum step conn_handshake(struct conn *c)
{
    enum ssl_result result = echo_early(c);
    if (result == SSL_RESULT_DONE)
        result = conn_do_handshake(c);
    if (result == SSL_RESULT_DONE)
        return STEP_ESTABLISHED;
    return result == SSL_RESULT_WAITS ? STEP_STAY : STEP_FAIL;
}

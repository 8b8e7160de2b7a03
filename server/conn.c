/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include "base/check.h"
#include "conn_internal.h"
#include "listen.h"
#include "probe/probe.h"
#include "request.h"
#include "starttls/starttls.h"
#include "tls/context.h"

#include <openssl/err.h>
#include <stdlib.h>

static struct conn *conn_of(struct net_socket *socket)
{
    return (struct conn *)((char *)socket - offsetof(struct conn, socket));
}

static struct conn *conn_of_deadline(struct deadline *node)
{
    return (struct conn *)((char *)node - offsetof(struct conn, deadline));
}

/* Counts what leaving the present state means. */
static void count_leaving(struct conn *c, enum conn_state next)
{
    struct shared *shared = c->shared;
    if (c->state == CONN_OPEN)
        counter_take(&shared->app->established);
    if ((c->state != CONN_HANDSHAKE && c->state != CONN_STARTTLS) || next == CONN_HANDSHAKE)
        return;
    counter_take(&shared->app->in_flight);
    if (next == CONN_OPEN)
        return;
    counter_add(&shared->app->failed);
    if (c->ssl)
        defect_on_handshake_failed(shared->defect, &c->defect, c->ssl);
}

/* How many a client program opens at once is for it to choose, so it is noted. */
static void count_established(const struct shared *shared)
{
    uint64_t now = counter_add(&shared->app->established) + 1;
    if (shared->options.reply &&
        now > atomic_load_explicit(&shared->app->most, memory_order_relaxed))
        atomic_store_explicit(&shared->app->most, now, memory_order_relaxed);
}

/* The one place that changes the state. */
static void set_state(struct conn *c, enum conn_state state)
{
    struct worker *w = c->worker;
    struct page_app *app = c->shared->app;
    uint64_t now = uv_now(&w->loop);
    enum conn_state from = c->state;
    CHECK(state > from);
    count_leaving(c, state);
    c->state = state;
    switch (state) {
    case CONN_NEW:
        break;
    case CONN_STARTTLS:
    case CONN_HANDSHAKE:
        if (from == CONN_STARTTLS) /* one deadline for both */
            break;
        counter_add(&app->in_flight);
        deadline_restart(&w->handshaking, &c->deadline, now);
        break;
    case CONN_OPEN:
        c->h2 = c->shared->options.reply && conn_speaks_h2(c);
        c->turn.served = conn_turn_done(c);
        http2_of_client(&c->http2);
        conn_log_done(c->log, c->ssl);
        count_established(c->shared);
        counter_add(&app->handshakes);
        if (SSL_session_reused(c->ssl))
            counter_add(&app->resumed);
        deadline_restart(&w->idle, &c->deadline, now);
        break;
    case CONN_LINGER:
        deadline_restart(&w->lingering, &c->deadline, now);
        break;
    case CONN_CLOSED:
        deadline_remove(&c->deadline);
        break;
    }
}

static void on_closed(struct net_socket *socket)
{
    struct conn *c = conn_of(socket);
    struct shared *shared = c->shared;
    bool counted = c->state != CONN_NEW; /* else turned away */
    struct turn turn = c->turn;
    CHECK(!counted || c->state == CONN_CLOSED);
    request_free(c->request);
    free(c);
    if (!counted)
        return;
    counter_add(&shared->app->closed);
    if (shared->turns.on)
        turns_count(&shared->turns, &turn, shared->page);
    if (atomic_fetch_sub(&shared->open, 1) == 1)
        shared_report(shared);
}

/* The line is written before the connection counts as closed. */
static void write_log(struct conn *c)
{
    struct err e;
    if (conn_log_close(c->log, c->ssl, &e) < 0)
        shared_problem(c->shared, PROBLEM_LOG, "%s", e.text);
    c->log = NULL;
}

static void close_now(struct conn *c)
{
    set_state(c, CONN_CLOSED);
    ERR_clear_error();
    write_log(c);
    if (c->ssl && !defect_on_close(c->shared->defect, &c->defect, c->ssl))
        SSL_free(c->ssl);
    c->ssl = NULL;
    starttls_free(c->starttls);
    c->starttls = NULL;
    if (c->resets)
        net_reset(&c->socket);
    else
        net_close(&c->socket);
}

/* The socket is no good any more: `why` is a libuv error. */
static void break_off(struct conn *c, int why)
{
    bool peer = why == UV_ECONNRESET || why == UV_EPIPE || why == UV_ECONNABORTED;
    conn_log_ended(c->log, peer ? CONN_LOG_RESET : CONN_LOG_ERROR);
    /* In the middle of the handshake it is a handshake that fails, whatever ends it. */
    if (why == UV_ECONNRESET && c->state != CONN_HANDSHAKE && c->ssl)
        defect_on_reset(c->shared->defect, &c->defect, c->ssl);
    close_now(c);
}

static enum step start_tls(struct conn *c)
{
    struct err e;
    if (conn_tls_open(c, &e) < 0) {
        shared_problem(c->shared, PROBLEM_TLS, "%s", e.text);
        return STEP_CLOSE;
    }
    conn_log_attach(c->log, c->ssl);
    defect_on_accept(c->shared->defect, &c->defect, c->ssl);
    set_state(c, CONN_HANDSHAKE);
    return STEP_STAY;
}

static void send_close_notify(struct conn *c)
{
    ERR_clear_error();
    /* Without our close_notify the client has no reason to close. */
    if (SSL_shutdown(c->ssl) < 0)
        c->socket.broken = UV_EPROTO;
    ERR_clear_error();
}

/* A peer that leaves in the middle is ordinary; one that we can't agree with is worth a line. */
static void note_failure(struct conn *c)
{
    char why[256];
    bool handshake = c->state == CONN_HANDSHAKE;
    conn_log_ended(c->log, CONN_LOG_ERROR);
    context_error(why, sizeof why);
    if (!c->socket.wire.in_eof && !c->socket.broken)
        shared_problem(c->shared, handshake ? PROBLEM_HANDSHAKE : PROBLEM_TLS, "%s: %s",
                       handshake ? "a handshake failed" : "a connection failed", why);
    /* Without an alert to read, the peer would wait for us and we for it. OpenSSL sends none when
     * memory is short, though it may have written other things before. */
    if (!c->alerted)
        c->socket.broken = UV_EPROTO;
}

/* Takes a step; returns STEP_CLOSE when there is no other way on, else STEP_STAY. */
static enum step take_step(struct conn *c, enum step step)
{
    switch (step) {
    case STEP_STAY:
    case STEP_CLOSE:
        return step;
    case STEP_TLS:
        return start_tls(c);
    case STEP_ESTABLISHED:
        set_state(c, CONN_OPEN);
        defect_on_handshake_done(c->shared->defect, &c->defect, c->ssl);
        return STEP_STAY;
    case STEP_LEAVE:
        send_close_notify(c);
        break;
    case STEP_FAIL:
        note_failure(c);
        break;
    case STEP_LINGER:
        break;
    }
    set_state(c, CONN_LINGER);
    return STEP_STAY;
}

static enum step next_step(struct conn *c)
{
    switch (c->state) {
    case CONN_STARTTLS:
        return conn_starttls(c);
    case CONN_HANDSHAKE:
        return conn_handshake(c);
    case CONN_OPEN:
        return request_serve(c);
    case CONN_LINGER:
        request_linger(c);
        break;
    case CONN_NEW:
    case CONN_CLOSED:
        break;
    }
    return STEP_STAY;
}

/* Goes as far as the bytes at hand lead. */
static enum step advance(struct conn *c)
{
    enum step step;
    while ((step = next_step(c)) != STEP_STAY) {
        if (take_step(c, step) == STEP_CLOSE)
            return STEP_CLOSE;
    }
    return STEP_STAY;
}

/* The end of every turn: what was written leaves, and what has come to its end closes. */
static void finish(struct conn *c, enum step step)
{
    c->socket.wire.in = NULL;
    c->socket.wire.in_left = 0;
    conn_flush(c);
    if (c->socket.broken)
        break_off(c, c->socket.broken);
    else if (step == STEP_CLOSE)
        close_now(c);
}

static void on_read(struct net_socket *socket, const uint8_t *bytes, size_t count)
{
    struct conn *c = conn_of(socket);
    conn_log_in(c->log, count);
    socket->wire.in = bytes;
    socket->wire.in_left = count;
    finish(c, advance(c));
}

/* Without a close_notify before it OpenSSL learns of the end in a handshake only: afterwards our
 * own close_notify must still be written. */
static void on_ended(struct net_socket *socket, int why)
{
    struct conn *c = conn_of(socket);
    if (why != UV_EOF || net_was_reset(socket)) {
        break_off(c, why == UV_EOF ? UV_ECONNRESET : why);
        return;
    }
    socket->wire.in_eof = true;
    conn_log_ended(c->log, CONN_LOG_FIN);
    if (c->state == CONN_HANDSHAKE)
        advance(c);
    else if (c->state == CONN_OPEN)
        take_step(c, STEP_LEAVE);
    finish(c, STEP_CLOSE);
}

static void on_written(struct net_socket *socket, size_t count, int status)
{
    struct conn *c = conn_of(socket);
    enum step step = STEP_STAY;
    if (status < 0)
        socket->broken = status;
    else
        conn_log_out(c->log, count);
    if (socket->writes == 0) {
        if (status == 0)
            net_read_start(socket);
        step = take_step(c, request_written(c));
    }
    if (c->state == CONN_OPEN)
        deadline_restart(&c->worker->idle, &c->deadline, uv_now(&c->worker->loop));
    finish(c, step);
}

const struct net_events conn_events = {
    .on_read = on_read, .on_ended = on_ended, .on_written = on_written, .on_closed = on_closed};

static struct conn *conn_new(struct worker *w)
{
    struct conn *c = calloc(1, sizeof *c);
    CHECK(c); /* libuv itself has no way on without memory */
    c->worker = w;
    c->shared = w->shared;
    net_init(&c->socket, &w->net);
    return c;
}

/* Who isn't this server's load leaves no trace in what is measured: no SSL object, no place among
 * the connections. Returns whether it was such a one. */
static bool turn_away(struct conn *c)
{
    int fd = net_fd(&c->socket);
    if (fd < 0 || !listen_is_foreign(fd, c->shared->options.client_net_from))
        return false;
    counter_add(&c->shared->app->foreign);
    net_close(&c->socket);
    return true;
}

static enum step begin(struct conn *c)
{
    c->log = conn_log_new(c->shared->log, c->number);
    if (!c->shared->options.starttls)
        return start_tls(c);
    set_state(c, CONN_STARTTLS);
    conn_starttls_open(c);
    return STEP_STAY;
}

/* libuv closes who comes when no descriptor is left, and says nothing of it. */
static void tell_when_files_are_out(const struct worker *w, const struct conn *c)
{
    if (net_fd(&c->socket) >= w->last_file)
        shared_problem(w->shared, PROBLEM_ACCEPT,
                       "too many open files: raise `ulimit -n` or hold fewer connections");
}

void conn_accept(struct worker *w, uv_stream_t *listener)
{
    struct shared *shared = w->shared;
    struct conn *c = conn_new(w);
    int rc = uv_accept(listener, (uv_stream_t *)&c->socket.tcp);
    if (rc == 0 && turn_away(c))
        return;
    c->number = counter_add(&shared->app->opened) + 1;
    if (shared->turns.on)
        c->turn = turns_draw(&shared->turns, shared->page);
    probe_on_connection(c->number - 1);
    atomic_fetch_add(&shared->open, 1);
    if (rc < 0) {
        shared_problem(shared, PROBLEM_ACCEPT, "can't accept: %s", uv_strerror(rc));
        close_now(c);
        return;
    }
    tell_when_files_are_out(w, c);
    net_read_start(&c->socket);
    finish(c, begin(c));
}

void conn_expire(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    conn_log_ended(c->log, CONN_LOG_TIMEOUT);
    if (c->state == CONN_HANDSHAKE)
        shared_problem(c->shared, PROBLEM_TIMEOUT,
                       "a handshake took longer than --handshake-timeout");
    if (c->state == CONN_STARTTLS)
        shared_problem(c->shared, PROBLEM_TIMEOUT,
                       "the STARTTLS dialogue took longer than --handshake-timeout");
    if (c->state == CONN_OPEN)
        conn_leave(node);
    else
        close_now(c);
}

void conn_leave(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    CHECK(c->state == CONN_OPEN);
    conn_log_ended(c->log, CONN_LOG_SERVER);
    finish(c, take_step(c, STEP_LEAVE));
}

void conn_drop(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    conn_log_ended(c->log, CONN_LOG_SERVER);
    close_now(c);
}

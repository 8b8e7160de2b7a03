/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include "base/check.h"
#include "conn_internal.h"
#include "listen.h"
#include "page/page.h"
#include "probe/probe.h"
#include "server.h"
#include "starttls/starttls.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { CONN_MAGIC = 0x636f6e6e };

struct conn *conn_of(void *data)
{
    struct conn *c = data;
    CHECK(c && c->magic == CONN_MAGIC);
    return c;
}

static struct conn *conn_of_deadline(struct deadline *node)
{
    return conn_of((char *)node - offsetof(struct conn, deadline));
}

static uint64_t add(page_u64 *counter)
{
    return atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void take(page_u64 *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

/* Counts what leaving the present state means. */
static void conn_leave_state(struct conn *c, enum conn_state next)
{
    struct server *server = c->worker->server;
    if (c->state == CONN_OPEN)
        take(&server->app->established);
    if ((c->state != CONN_HANDSHAKE && c->state != CONN_STARTTLS) || next == CONN_HANDSHAKE)
        return;
    take(&server->app->in_flight);
    if (next == CONN_OPEN)
        return;
    add(&server->app->failed);
    if (c->ssl)
        defect_on_handshake_failed(server->defect, &c->defect, c->ssl);
}

void conn_set_state(struct conn *c, enum conn_state state)
{
    struct worker *w = c->worker;
    struct page_app *app = w->server->app;
    uint64_t now = uv_now(&w->loop);
    enum conn_state from = c->state;
    CHECK(state > from);
    conn_leave_state(c, state);
    c->state = state;
    switch (state) {
    case CONN_NEW:
        break;
    case CONN_STARTTLS:
    case CONN_HANDSHAKE:
        if (from == CONN_STARTTLS) /* one deadline for both */
            break;
        add(&app->in_flight);
        deadline_restart(&w->handshaking, &c->deadline, now);
        break;
    case CONN_OPEN:
        trace_done(c->trace, c->ssl);
        add(&app->established);
        add(&app->handshakes);
        if (SSL_session_reused(c->ssl))
            add(&app->resumed);
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

static void on_closed(uv_handle_t *handle)
{
    struct conn *c = conn_of(handle->data);
    struct server *server = c->worker->server;
    CHECK(c->state == CONN_CLOSED && c->writes == 0);
    explicit_bzero(&c->magic, sizeof c->magic);
    request_free(c->request);
    free(c);
    add(&server->app->closed);
    if (atomic_fetch_sub(&server->open, 1) == 1)
        server_report(server);
}

/* The line is written before the connection counts as closed. */
static void conn_log(struct conn *c)
{
    struct err e;
    if (trace_close(c->trace, c->ssl, &e) < 0)
        server_problem(c->worker->server, PROBLEM_LOG, "%s", e.text);
    c->trace = NULL;
}

void conn_close(struct conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    conn_set_state(c, CONN_CLOSED);
    ERR_clear_error();
    conn_log(c);
    if (c->ssl && !defect_on_close(c->worker->server->defect, &c->defect, c->ssl))
        SSL_free(c->ssl);
    c->ssl = NULL;
    starttls_free(c->starttls);
    c->starttls = NULL;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void conn_break(struct conn *c, int why)
{
    bool peer = why == UV_ECONNRESET || why == UV_EPIPE || why == UV_ECONNABORTED;
    trace_ended(c->trace, peer ? TRACE_RESET : TRACE_ERROR);
    /* In the middle of the handshake it is a handshake that fails, whatever ends it. */
    if (why == UV_ECONNRESET && c->state != CONN_HANDSHAKE && c->ssl)
        defect_on_reset(c->worker->server->defect, &c->defect, c->ssl);
    conn_close(c);
}

void conn_start_tls(struct conn *c)
{
    struct err e;
    struct server *server = c->worker->server;
    if (conn_tls_open(c, &e) < 0) {
        server_problem(server, PROBLEM_TLS, "%s", e.text);
        conn_close(c);
        return;
    }
    trace_attach(c->trace, c->ssl);
    defect_on_accept(server->defect, &c->defect, c->ssl);
    conn_set_state(c, CONN_HANDSHAKE);
}

static struct conn *conn_new(struct worker *w)
{
    struct conn *c = calloc(1, sizeof *c);
    CHECK(c); /* libuv itself has no way on without memory */
    c->magic = CONN_MAGIC;
    c->worker = w;
    c->wire.out = &w->out;
    uv_tcp_init(&w->loop, &c->tcp);
    c->tcp.data = c;
    return c;
}

static void on_turned_away(uv_handle_t *handle)
{
    free(conn_of(handle->data));
}

/* Who isn't this server's load leaves no trace in what is measured: no SSL object, no place among
 * the connections. Returns whether it was such a one. */
static bool turn_away(struct conn *c)
{
    uv_os_fd_t fd;
    struct server *server = c->worker->server;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0 ||
        !listen_is_foreign(fd, server->options.client_net_from))
        return false;
    add(&server->app->foreign);
    uv_close((uv_handle_t *)&c->tcp, on_turned_away);
    return true;
}

void conn_accept(struct worker *w, uv_stream_t *listener)
{
    struct server *server = w->server;
    struct conn *c = conn_new(w);
    int rc = uv_accept(listener, (uv_stream_t *)&c->tcp);
    if (rc == 0 && turn_away(c))
        return;
    c->number = add(&server->app->opened) + 1;
    probe_on_connection(c->number - 1);
    atomic_fetch_add(&server->open, 1);
    if (rc < 0) {
        server_problem(server, PROBLEM_ACCEPT, "can't accept: %s", uv_strerror(rc));
        conn_close(c);
        return;
    }
    c->trace = trace_new(server->log, c->number);
    if (server->options.starttls)
        conn_starttls_open(c);
    else
        conn_start_tls(c);
    if (c->state != CONN_CLOSED)
        conn_read_start(c);
}

void conn_expire(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    trace_ended(c->trace, TRACE_TIMEOUT);
    if (c->state == CONN_HANDSHAKE)
        server_problem(c->worker->server, PROBLEM_TIMEOUT,
                       "a handshake took longer than --handshake-timeout");
    if (c->state == CONN_STARTTLS)
        server_problem(c->worker->server, PROBLEM_TIMEOUT,
                       "the STARTTLS dialogue took longer than --handshake-timeout");
    if (c->state == CONN_OPEN)
        conn_leave(node);
    else
        conn_close(c);
}

void conn_leave(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    CHECK(c->state == CONN_OPEN);
    trace_ended(c->trace, TRACE_SERVER);
    conn_send_close_notify(c);
    conn_finish(c);
}

void conn_drop(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    trace_ended(c->trace, TRACE_SERVER);
    conn_close(c);
}

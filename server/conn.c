#include "conn.h"

#include "base/check.h"
#include "defect.h"
#include "probe/page.h"
#include "probe/probe.h"
#include "server.h"
#include "tls/context.h"
#include "tls/wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum { CONN_MAGIC = 0x636f6e6e };

enum conn_state { CONN_NEW, CONN_HANDSHAKE, CONN_OPEN, CONN_LINGER, CONN_CLOSED };

struct conn {
    uint32_t magic;
    enum conn_state state;
    bool alerted;    /* OpenSSL has sent the peer an alert */
    int broken;      /* why it closes at the end of this turn, a libuv error; or 0 */
    unsigned writes; /* kept output under way; nothing is read meanwhile */
    struct worker *worker;
    SSL *ssl; /* owned; NULL once closed */
    struct wire wire;
    struct deadline deadline;
    struct defect_conn defect;
    uv_tcp_t tcp;
};

/* Output that the kernel had no room for. One block per write, freed when it is sent. */
struct kept {
    uv_write_t write;
    struct conn *conn;
    char bytes[];
};

/* What an SSL call has come to. */
enum outcome { OUTCOME_DONE, OUTCOME_WAITS, OUTCOME_AGAIN, OUTCOME_ENDED, OUTCOME_FAILED };

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);

static struct conn *conn_of(void *data)
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
    if (c->state != CONN_HANDSHAKE)
        return;
    take(&server->app->in_flight);
    if (next == CONN_OPEN)
        return;
    add(&server->app->failed);
    defect_on_handshake_failed(server->defect, &c->defect, c->ssl);
}

/* The one place that changes the state. */
static void conn_set_state(struct conn *c, enum conn_state state)
{
    struct worker *w = c->worker;
    struct page_app *app = w->server->app;
    uint64_t now = uv_now(&w->loop);
    CHECK(state > c->state);
    conn_leave_state(c, state);
    c->state = state;
    switch (state) {
    case CONN_NEW:
        break;
    case CONN_HANDSHAKE:
        add(&app->in_flight);
        deadline_restart(&w->handshaking, &c->deadline, now);
        break;
    case CONN_OPEN:
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
    free(c);
    add(&server->app->closed);
    if (atomic_fetch_sub(&server->open, 1) == 1)
        server_report(server);
}

static void conn_close(struct conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    conn_set_state(c, CONN_CLOSED);
    ERR_clear_error();
    if (c->ssl && !defect_on_close(c->worker->server->defect, &c->defect, c->ssl))
        SSL_free(c->ssl);
    c->ssl = NULL;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* The end of every turn: what OpenSSL wrote leaves, and a broken connection closes. */
static void conn_finish(struct conn *c);

static void on_written(uv_write_t *write, int status)
{
    struct kept *kept = write->data;
    struct conn *c = conn_of(kept->conn);
    free(kept);
    c->writes--;
    if (c->state == CONN_CLOSED)
        return;
    if (status < 0)
        c->broken = status;
    else if (c->writes == 0)
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    if (c->state == CONN_OPEN)
        deadline_restart(&c->worker->idle, &c->deadline, uv_now(&c->worker->loop));
    conn_finish(c);
}

/* Bounded: one turn's output at most (WIRE_OUT_BYTES and what 64 KiB of input still bring forth),
 * because nothing more is read until it is sent. */
static void conn_keep(struct conn *c, const uint8_t *bytes, size_t count)
{
    struct kept *kept = malloc(sizeof *kept + count);
    if (!kept) {
        c->broken = UV_ENOMEM;
        return;
    }
    memcpy(kept->bytes, bytes, count);
    kept->conn = c;
    kept->write.data = kept;
    uv_buf_t buf = uv_buf_init(kept->bytes, (unsigned)count);
    int rc = uv_write(&kept->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
    if (rc < 0) {
        free(kept);
        c->broken = rc;
        return;
    }
    c->writes++;
    uv_read_stop((uv_stream_t *)&c->tcp);
}

static void conn_flush(struct conn *c)
{
    struct wire_out *out = c->wire.out;
    size_t sent = 0;
    if (out->used && !c->broken && !c->writes) {
        uv_buf_t buf = uv_buf_init((char *)out->bytes, (unsigned)out->used);
        int rc = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
        if (rc >= 0)
            sent = (size_t)rc;
        else if (rc != UV_EAGAIN)
            c->broken = rc;
    }
    if (sent < out->used && !c->broken)
        conn_keep(c, out->bytes + sent, out->used - sent);
    out->used = 0;
}

static void conn_break(struct conn *c, int why)
{
    /* In the middle of the handshake it is a handshake that fails, whatever ends it. */
    if (why == UV_ECONNRESET && c->state != CONN_HANDSHAKE)
        defect_on_reset(c->worker->server->defect, &c->defect, c->ssl);
    conn_close(c);
}

static void conn_finish(struct conn *c)
{
    conn_flush(c);
    if (c->broken && c->state != CONN_CLOSED)
        conn_break(c, c->broken);
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
    /* Without an alert to read, the peer would wait for us and we for it. OpenSSL sends none when
     * memory is short, though it may have written other things before. */
    if (!c->alerted)
        c->broken = UV_EPROTO;
    conn_set_state(c, CONN_LINGER);
}

static void on_info(const SSL *ssl, int where, int value)
{
    (void)value;
    struct wire *wire =
        where & SSL_CB_ALERT && where & SSL_CB_WRITE ? BIO_get_data(SSL_get_rbio(ssl)) : NULL;
    if (wire)
        conn_of((char *)wire - offsetof(struct conn, wire))->alerted = true;
}

static void conn_goodbye(struct conn *c)
{
    ERR_clear_error();
    /* Without our close_notify the client has no reason to close. */
    if (SSL_shutdown(c->ssl) < 0)
        c->broken = UV_EPROTO;
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

static void conn_echo(struct conn *c)
{
    struct worker *w = c->worker;
    enum outcome outcome;
    deadline_restart(&w->idle, &c->deadline, uv_now(&w->loop));
    do {
        ERR_clear_error();
        int count = SSL_read(c->ssl, w->plain, sizeof w->plain);
        outcome = conn_outcome(c, count);
        if (outcome == OUTCOME_DONE)
            outcome = conn_send(c, w->plain, count);
    } while (outcome == OUTCOME_DONE || outcome == OUTCOME_AGAIN);
    if (outcome == OUTCOME_ENDED)
        conn_goodbye(c);
    else if (outcome == OUTCOME_FAILED)
        conn_fail(c);
}

static void conn_received(struct conn *c, const uint8_t *bytes, size_t count)
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

/* The peer has closed its side. Without a close_notify before it, OpenSSL hears of it in a
 * handshake only: afterwards our own close_notify must still be written. */
static void conn_ended(struct conn *c)
{
    c->wire.in_eof = true;
    if (c->state == CONN_HANDSHAKE)
        conn_handshake(c);
    else if (c->state == CONN_OPEN)
        conn_goodbye(c);
    conn_finish(c);
    conn_close(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct worker *w = conn_of(handle->data)->worker;
    (void)suggested;
    *buf = uv_buf_init((char *)w->in, sizeof w->in);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct conn *c = conn_of(stream->data);
    CHECK(c->wire.out->used == 0);
    if (count > 0)
        conn_received(c, (const uint8_t *)buf->base, (size_t)count);
    else if (count == UV_EOF)
        conn_ended(c);
    else if (count < 0)
        conn_break(c, (int)count);
}

static int conn_open_ssl(struct conn *c)
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
    SSL_set_info_callback(ssl, on_info);
    c->ssl = ssl;
    return 0;
}

void conn_accept(struct worker *w, uv_stream_t *listener)
{
    char why[256];
    struct server *server = w->server;
    struct conn *c = calloc(1, sizeof *c);
    CHECK(c); /* libuv itself has no way on without memory */
    c->magic = CONN_MAGIC;
    c->worker = w;
    c->wire.out = &w->out;
    uv_tcp_init(&w->loop, &c->tcp);
    c->tcp.data = c;
    probe_on_connection(add(&server->app->opened));
    atomic_fetch_add(&server->open, 1);
    int rc = uv_accept(listener, (uv_stream_t *)&c->tcp);
    if (rc < 0) {
        server_problem(server, PROBLEM_ACCEPT, "can't accept: %s", uv_strerror(rc));
        conn_close(c);
    } else if (conn_open_ssl(c) < 0) {
        server_problem(server, PROBLEM_TLS, "can't make an SSL object: %s",
                       context_error(why, sizeof why));
        conn_close(c);
    } else {
        defect_on_accept(server->defect, &c->defect, c->ssl);
        conn_set_state(c, CONN_HANDSHAKE);
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    }
}

void conn_expire(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    if (c->state == CONN_HANDSHAKE)
        server_problem(c->worker->server, PROBLEM_TIMEOUT,
                       "a handshake took longer than --handshake-timeout");
    if (c->state == CONN_OPEN)
        conn_leave(node);
    else
        conn_close(c);
}

void conn_leave(struct deadline *node)
{
    struct conn *c = conn_of_deadline(node);
    CHECK(c->state == CONN_OPEN);
    conn_goodbye(c);
    conn_finish(c);
}

void conn_drop(struct deadline *node)
{
    conn_close(conn_of_deadline(node));
}

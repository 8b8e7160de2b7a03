/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_server.h"

#include "base/address.h"
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x4d455452, TEXT = ADDRESS_TEXT + 64 };

struct peer {
    uv_tcp_t tcp;
    uv_write_t write;
    struct metrics_server *of;
    size_t used;
    char in[METRICS_REQUEST + 1];
    char *out; /* owned */
};

struct metrics_server {
    unsigned magic;
    uv_tcp_t tcp;
    metrics_write *write;
    const void *owner;                /* borrowed: outlives the server */
    struct peer *peer[METRICS_PEERS]; /* the oldest first */
    size_t peers;
    size_t open; /* handles that aren't closed yet */
    char address[TEXT];
};

static struct metrics_server *server_of(void *data)
{
    struct metrics_server *m = data;
    CHECK(m && m->magic == MAGIC);
    return m;
}

static void let_go(struct metrics_server *m)
{
    if (--m->open == 0)
        free(m);
}

/* ---- a peer ---- */

static void on_peer_closed(uv_handle_t *handle)
{
    struct peer *p = handle->data;
    struct metrics_server *m = server_of(p->of);
    free(p->out);
    free(p);
    let_go(m);
}

static void close_peer(struct peer *p)
{
    struct metrics_server *m = server_of(p->of);
    if (uv_is_closing((uv_handle_t *)&p->tcp))
        return;
    size_t at = 0;
    while (m->peer[at] != p)
        at++;
    m->peers--;
    memmove(m->peer + at, m->peer + at + 1, (m->peers - at) * sizeof(struct peer *));
    uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_peer(write->data);
}

static void answer(struct peer *p, const char *status, const char *type, const char *body)
{
    int length = asprintf(&p->out,
                          "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                          "Cache-Control: no-store\r\nConnection: close\r\n\r\n%s",
                          status, type, strlen(body), body);
    CHECK(length > 0);
    uv_buf_t buf = uv_buf_init(p->out, (unsigned)length);
    p->write.data = p;
    uv_read_stop((uv_stream_t *)&p->tcp);
    if (uv_write(&p->write, (uv_stream_t *)&p->tcp, &buf, 1, on_written) != 0)
        close_peer(p);
}

/* One of two paths, by GET. */
static void obey(struct peer *p)
{
    static const char plain[] = "text/plain; charset=utf-8";
    struct metrics_server *m = server_of(p->of);
    if (strncmp(p->in, "GET ", 4) != 0) {
        answer(p, "405 Method Not Allowed", plain, "GET /metrics\n");
        return;
    }
    if (strncmp(p->in + 4, "/metrics ", 9) != 0 && strncmp(p->in + 4, "/ ", 2) != 0) {
        answer(p, "404 Not Found", plain, "/metrics\n");
        return;
    }
    char *body = m->write(m->owner);
    if (body)
        answer(p, "200 OK", "application/openmetrics-text; version=1.0.0; charset=utf-8", body);
    else
        answer(p, "503 Service Unavailable", plain, "no figures at this moment\n");
    free(body);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct peer *p = handle->data;
    *buf = uv_buf_init(p->in + p->used, (unsigned)(METRICS_REQUEST - p->used));
}

/* A request that fills the buffer without an end has none. */
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct peer *p = stream->data;
    if (count < 0) {
        close_peer(p);
        return;
    }
    p->used += (size_t)count;
    p->in[p->used] = '\0';
    if (strstr(p->in, "\r\n\r\n"))
        obey(p);
    else if (p->used == METRICS_REQUEST)
        close_peer(p);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct metrics_server *m = server_of(stream->data);
    if (status < 0)
        return;
    if (m->peers == METRICS_PEERS)
        close_peer(m->peer[0]);
    struct peer *p = calloc(1, sizeof *p);
    CHECK(p);
    p->of = m;
    p->tcp.data = p;
    CHECK(uv_tcp_init(stream->loop, &p->tcp) == 0);
    m->open++;
    m->peer[m->peers++] = p;
    if (uv_accept(stream, (uv_stream_t *)&p->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read) != 0)
        close_peer(p);
}

/* ---- the server ---- */

static void on_closed(uv_handle_t *handle)
{
    let_go(server_of(handle->data));
}

static int listen_on(struct metrics_server *m, const char *address, struct err *e)
{
    struct address at;
    char text[ADDRESS_TEXT];
    if (address_parse(address, &at, e) != 0)
        return -1;
    int bytes = sizeof at.storage;
    int rc = uv_tcp_bind(&m->tcp, (const struct sockaddr *)&at.storage, 0);
    rc = rc == 0 ? uv_listen((uv_stream_t *)&m->tcp, METRICS_PEERS, on_connection) : rc;
    rc = rc == 0 ? uv_tcp_getsockname(&m->tcp, (struct sockaddr *)&at.storage, &bytes) : rc;
    if (rc != 0)
        return err_set(e, "%s", uv_strerror(rc));
    snprintf(m->address, sizeof m->address, "metrics at http://%s/metrics",
             address_print(&at, text));
    return 0;
}

struct metrics_server *metrics_open(uv_loop_t *loop, const char *address, metrics_write *write,
                                    const void *owner, struct err *e)
{
    struct metrics_server *m = calloc(1, sizeof *m);
    CHECK(m);
    m->magic = MAGIC;
    m->write = write;
    m->owner = owner;
    m->tcp.data = m;
    CHECK(uv_tcp_init(loop, &m->tcp) == 0);
    m->open = 1;
    if (listen_on(m, address, e) == 0)
        return m;
    uv_close((uv_handle_t *)&m->tcp, on_closed);
    uv_run(loop, UV_RUN_NOWAIT);
    return NULL;
}

const char *metrics_address(const struct metrics_server *m)
{
    return m->address;
}

void metrics_close(struct metrics_server *m)
{
    if (!m)
        return;
    while (m->peers > 0)
        close_peer(m->peer[0]);
    uv_close((uv_handle_t *)&m->tcp, on_closed);
}

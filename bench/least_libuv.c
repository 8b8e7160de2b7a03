/* SPDX-License-Identifier: Apache-2.0 */
/* The least client and server on libuv, by its plainest calls. */
#include "base/check.h"
#include "least.h"
#include "options/limits.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

struct end {
    uv_tcp_t tcp;
    struct least_tls tls;
};

/* A client's that have ended, and are replaced together after the turn. */
static struct end *ended[LEAST_BATCH];
static int left;

static uv_stream_t *stream_of(struct end *e)
{
    return (uv_stream_t *)&e->tcp;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    static char bytes[64 * 1024];
    (void)handle;
    (void)suggested;
    *ret = uv_buf_init(bytes, sizeof bytes);
}

/* Returns false when the peer has reset the connection. */
static bool send_all(struct end *e)
{
    uv_buf_t all = uv_buf_init((char *)least.out.bytes, (unsigned)least.out.used);
    least.out.used = 0;
    return all.len == 0 || uv_try_write(stream_of(e), &all, 1) == (int)all.len;
}

/* ---- the client ---- */

static void on_client_closed(uv_handle_t *handle)
{
    struct end *e = handle->data;
    SSL_free(e->tls.ssl);
    least.made++;
    ended[left++] = e;
}

static void client_close(struct end *e)
{
    if (least.resets)
        uv_tcp_close_reset(&e->tcp, on_client_closed);
    else
        uv_close((uv_handle_t *)&e->tcp, on_client_closed);
}

static void on_client_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct end *e = stream->data;
    if (count == 0)
        return;
    CHECK(count > 0);
    bool goes_on = least_client_turn(&e->tls, (const uint8_t *)buffer->base, (size_t)count);
    CHECK(send_all(e));
    if (!goes_on)
        client_close(e);
}

/* 127.0.0.1, or one of those after it, as many as the harness uses. */
static void bind_source(int fd)
{
    static uint32_t turn;
    int on = 1;
    struct sockaddr_in source = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn++ % LIMIT_SOURCES)};
    CHECK(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0);
    CHECK(bind(fd, (const struct sockaddr *)&source, sizeof source) == 0);
}

/* Over loopback a connection stands when connect() returns, even one that doesn't wait. */
static void client_open(uv_loop_t *loop, struct end *e)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    case_no_delay(fd);
    bind_source(fd);
    (void)connect(fd, (const struct sockaddr *)&least.server, sizeof least.server);
    CHECK(uv_tcp_init(loop, &e->tcp) == 0 && uv_tcp_open(&e->tcp, fd) == 0);
    e->tcp.data = e;
    least_open_tls(&e->tls, false);
    CHECK(send_all(e));
    CHECK(uv_read_start(stream_of(e), on_alloc, on_client_read) == 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
    int count = least_wanted(left);
    if (!least_wanted(1))
        uv_stop(prepare->loop);
    for (int i = 0; i < count; i++)
        client_open(prepare->loop, ended[i]);
    left = 0;
}

void least_client_by_libuv(void)
{
    static struct end end[LEAST_BATCH];
    uv_prepare_t prepare;
    left = least_wanted(LEAST_BATCH);
    for (int i = 0; i < left; i++)
        ended[i] = &end[i];
    CHECK(uv_prepare_init(uv_default_loop(), &prepare) == 0);
    CHECK(uv_prepare_start(&prepare, on_prepare) == 0);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

/* ---- the server ---- */

static void on_server_closed(uv_handle_t *handle)
{
    struct end *e = handle->data;
    SSL_free(e->tls.ssl);
    free(e);
}

static void on_server_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct end *e = stream->data;
    if (count == 0)
        return;
    bool goes_on =
        count > 0 && least_server_turn(&e->tls, (const uint8_t *)buffer->base, (size_t)count);
    if (!send_all(e) || !goes_on)
        uv_close((uv_handle_t *)&e->tcp, on_server_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct end *e = calloc(1, sizeof *e);
    CHECK(e && status == 0 && uv_tcp_init(listener->loop, &e->tcp) == 0);
    e->tcp.data = e;
    CHECK(uv_accept(listener, stream_of(e)) == 0);
    least_open_tls(&e->tls, true);
    CHECK(uv_read_start(stream_of(e), on_alloc, on_server_read) == 0);
}

/* What is set for the listener, its connections inherit. */
void least_server_by_libuv(void)
{
    uv_tcp_t listener;
    CHECK(uv_tcp_init(uv_default_loop(), &listener) == 0);
    CHECK(uv_tcp_bind(&listener, (const struct sockaddr *)&least.server, 0) == 0);
    CHECK(uv_tcp_nodelay(&listener, 1) == 0);
    CHECK(uv_listen((uv_stream_t *)&listener, LEAST_BACKLOG, on_connection) == 0);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

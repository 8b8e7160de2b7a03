/* SPDX-License-Identifier: Apache-2.0 */
/* The socket of a connection: what comes in, what goes out, and what has to wait. */
#include "base/check.h"
#include "conn_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Output that the kernel had no room for. One block per write, freed when it is sent. */
struct kept {
    uv_write_t write;
    struct conn *conn;
    size_t count;
    char bytes[];
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct worker *w = conn_of(handle->data)->worker;
    (void)suggested;
    *buf = uv_buf_init((char *)w->in, sizeof w->in);
}

/* libuv tells of a reset that comes right behind the last bytes as end of file; the socket still
 * knows better. */
static bool was_reset(struct conn *c)
{
    uv_os_fd_t fd;
    int error = 0;
    socklen_t size = sizeof error;
    return uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNRESET;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct conn *c = conn_of(stream->data);
    CHECK(c->wire.out->used == 0);
    if (count > 0) {
        trace_in(c->trace, (size_t)count);
        conn_tls_received(c, (const uint8_t *)buf->base, (size_t)count);
    } else if (count == UV_EOF && was_reset(c)) {
        conn_break(c, UV_ECONNRESET);
    } else if (count == UV_EOF) {
        conn_tls_ended(c);
    } else if (count < 0) {
        conn_break(c, (int)count);
    }
}

void conn_read_start(struct conn *c)
{
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void on_written(uv_write_t *write, int status)
{
    struct kept *kept = write->data;
    struct conn *c = conn_of(kept->conn);
    size_t count = kept->count;
    free(kept);
    c->writes--;
    if (c->state == CONN_CLOSED)
        return;
    if (status < 0)
        c->broken = status;
    else
        trace_out(c->trace, count);
    if (status == 0 && c->writes == 0)
        conn_read_start(c);
    if (c->writes == 0)
        request_written(c);
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
    kept->count = count;
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

void conn_flush(struct conn *c)
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
    trace_out(c->trace, sent);
    if (sent < out->used && !c->broken)
        conn_keep(c, out->bytes + sent, out->used - sent);
    out->used = 0;
}

void conn_flush_kept(struct conn *c)
{
    struct wire_out *out = c->wire.out;
    if (out->used && !c->broken)
        conn_keep(c, out->bytes, out->used);
    out->used = 0;
}

void conn_finish(struct conn *c)
{
    conn_flush(c);
    if (c->broken && c->state != CONN_CLOSED)
        conn_break(c, c->broken);
}

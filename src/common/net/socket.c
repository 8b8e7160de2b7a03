/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include "base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NET_MAGIC = 0x736f636b };

/* Output that the kernel had no room for. One block per write, freed when it is sent. */
struct kept {
    uv_write_t write;
    struct net_socket *socket;
    size_t count;
    char bytes[];
};

static struct net_socket *socket_of(void *data)
{
    struct net_socket *s = data;
    CHECK(s && s->magic == NET_MAGIC);
    return s;
}

void net_init(struct net_socket *s, struct net_loop *net)
{
    s->magic = NET_MAGIC;
    s->net = net;
    s->wire.out = &net->out;
    uv_tcp_init(net->loop, &s->tcp);
    s->tcp.data = s;
}

int net_connect(struct net_socket *s, int fd)
{
    int rc = uv_tcp_open(&s->tcp, fd);
    if (rc < 0)
        close(fd);
    return rc;
}

int net_fd(const struct net_socket *s)
{
    uv_os_fd_t fd;
    return uv_fileno((const uv_handle_t *)&s->tcp, &fd) == 0 ? fd : -1;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct net_loop *net = socket_of(handle->data)->net;
    (void)suggested;
    *buf = uv_buf_init((char *)net->in, sizeof net->in);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct net_socket *s = socket_of(stream->data);
    CHECK(s->net->out.used == 0);
    if (count > 0)
        s->net->events->on_read(s, (const uint8_t *)buf->base, (size_t)count);
    else if (count < 0)
        s->net->events->on_ended(s, (int)count);
}

void net_read_start(struct net_socket *s)
{
    uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
}

void net_read_stop(struct net_socket *s)
{
    uv_read_stop((uv_stream_t *)&s->tcp);
}

bool net_was_reset(const struct net_socket *s)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(net_fd(s), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNRESET;
}

static void on_written(uv_write_t *write, int status)
{
    struct kept *kept = write->data;
    struct net_socket *s = socket_of(kept->socket);
    size_t count = kept->count;
    free(kept);
    s->writes--;
    if (!net_is_closed(s))
        s->net->events->on_written(s, count, status);
}

void net_keep(struct net_socket *s, const uint8_t *bytes, size_t count)
{
    struct kept *kept = malloc(sizeof *kept + count);
    if (!kept) {
        s->broken = UV_ENOMEM;
        return;
    }
    if (count > 0)
        memcpy(kept->bytes, bytes, count);
    kept->socket = s;
    kept->count = count;
    kept->write.data = kept;
    uv_buf_t buf = uv_buf_init(kept->bytes, (unsigned)count);
    int rc = uv_write(&kept->write, (uv_stream_t *)&s->tcp, &buf, 1, on_written);
    if (rc < 0) {
        free(kept);
        s->broken = rc;
        return;
    }
    s->writes++;
}

size_t net_flush(struct net_socket *s)
{
    struct wire_out *out = s->wire.out;
    size_t sent = 0;
    if (out->used && !s->broken && !s->writes) {
        uv_buf_t buf = uv_buf_init((char *)out->bytes, (unsigned)out->used);
        int rc = uv_try_write((uv_stream_t *)&s->tcp, &buf, 1);
        if (rc >= 0)
            sent = (size_t)rc;
        else if (rc != UV_EAGAIN)
            s->broken = rc;
    }
    if (sent < out->used && !s->broken)
        net_keep(s, out->bytes + sent, out->used - sent);
    out->used = 0;
    return sent;
}

void net_flush_with_fin(struct net_socket *s)
{
    struct wire_out *out = s->wire.out;
    if (!out->used || s->broken || s->writes)
        return;
    ssize_t sent = send(net_fd(s), out->bytes, out->used, MSG_MORE | MSG_NOSIGNAL);
    if (sent <= 0)
        return;
    out->used -= (size_t)sent;
    memmove(out->bytes, out->bytes + sent, out->used);
    if (out->used == 0 && net_half_close(s) < 0)
        s->broken = -errno;
}

int net_half_close(struct net_socket *s)
{
    return shutdown(net_fd(s), SHUT_WR);
}

static void on_closed(uv_handle_t *handle)
{
    struct net_socket *s = socket_of(handle->data);
    CHECK(s->writes == 0);
    s->magic = 0;
    s->net->events->on_closed(s);
}

void net_close(struct net_socket *s)
{
    uv_close((uv_handle_t *)&s->tcp, on_closed);
}

void net_reset(struct net_socket *s)
{
    /* It is refused for a handle without a socket: there is nothing to reset then. */
    if (uv_tcp_close_reset(&s->tcp, on_closed) < 0)
        net_close(s);
}

bool net_is_closed(const struct net_socket *s)
{
    return uv_is_closing((const uv_handle_t *)&s->tcp);
}

#include "peer.h"

#include "base/check.h"
#include "base/clock.h"
#include "peer_tls.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER_MAGIC = 0x70656572 };

/* Output that the kernel had no room for. One block per write, freed when it is sent. */
struct kept {
    uv_write_t write;
    struct peer *peer;
    char bytes[];
};

static struct peer *peer_of(void *data)
{
    struct peer *p = data;
    CHECK(p && p->magic == PEER_MAGIC);
    return p;
}

void peer_set_state(struct peer *p, enum peer_state state)
{
    CHECK(state > p->state);
    p->state = state;
}

static void on_closed(uv_handle_t *handle)
{
    struct peer *p = peer_of(handle->data);
    CHECK(p->state == PEER_CLOSED && p->writes == 0);
    p->shared->on_gone(p);
    peer_tls_free(p);
    p->magic = 0;
    free(p);
}

void peer_close(struct peer *p)
{
    if (p->state == PEER_CLOSED)
        return;
    peer_set_state(p, PEER_CLOSED);
    uv_close((uv_handle_t *)&p->tcp, on_closed);
}

void peer_reset(struct peer *p)
{
    if (p->state == PEER_CLOSED)
        return;
    peer_set_state(p, PEER_CLOSED);
    /* It is refused for a handle without a socket: there is nothing to reset then. */
    if (uv_tcp_close_reset(&p->tcp, on_closed) < 0)
        uv_close((uv_handle_t *)&p->tcp, on_closed);
}

void peer_fail(struct peer *p, enum peer_failure kind, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    peer_close(p);
    p->shared->on_failed(p, kind, text);
}

void peer_ended(struct peer *p, int why)
{
    const char *how = why == UV_EOF ? "closed by the server" : uv_strerror(why);
    switch (p->state) {
    case PEER_NEW:
    case PEER_CONNECT:
        peer_fail(p, PEER_FAIL_CONNECT, "can't connect: %s", how);
        break;
    case PEER_HANDSHAKE:
        peer_fail(p, PEER_FAIL_HANDSHAKE, "a handshake failed: %s", how);
        break;
    case PEER_ECHO:
        peer_fail(p, PEER_FAIL_ECHO, "a connection ended after %zu of %zu echoed bytes: %s",
                  p->echoed, p->shared->payload_bytes, how);
        break;
    case PEER_HELD:
        peer_fail(p, PEER_FAIL_LOST, "an open connection was lost: %s", how);
        break;
    case PEER_CLOSE_NOTIFY:
    case PEER_HALF_CLOSED:
        peer_close(p);
        break;
    case PEER_CLOSED:
        break;
    }
}

void peer_expire(struct peer *p)
{
    static const char *const doing[] = {
        [PEER_NEW] = "connecting",
        [PEER_CONNECT] = "connecting",
        [PEER_HANDSHAKE] = "its handshake",
        [PEER_ECHO] = "waiting for the echo",
        [PEER_HELD] = "being open",
        [PEER_CLOSE_NOTIFY] = "waiting for the server's close_notify",
        [PEER_HALF_CLOSED] = "waiting for the server's end after our FIN",
    };
    if (p->state == PEER_CLOSED)
        return;
    enum peer_state state = p->state;
    peer_reset(p);
    char text[128];
    snprintf(text, sizeof text, "a connection took longer than --timeout in %s", doing[state]);
    p->shared->on_failed(p, PEER_FAIL_TIMEOUT, text);
}

/* What the kernel takes, it takes for a connection that stands. */
static void note_connected(struct peer *p)
{
    if (p->state == PEER_CONNECT)
        peer_set_state(p, PEER_HANDSHAKE);
}

static void on_written(uv_write_t *write, int status)
{
    struct kept *kept = write->data;
    struct peer *p = peer_of(kept->peer);
    free(kept);
    p->writes--;
    if (p->state == PEER_CLOSED)
        return;
    if (status < 0) {
        peer_ended(p, status);
        return;
    }
    note_connected(p);
    if (p->state == PEER_ECHO)
        peer_tls_advance(p);
}

static void keep(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct kept *kept = malloc(sizeof *kept + count);
    CHECK(kept); /* libuv itself has no way on without memory */
    memcpy(kept->bytes, bytes, count);
    kept->peer = p;
    kept->write.data = kept;
    uv_buf_t buf = uv_buf_init(kept->bytes, (unsigned)count);
    int rc = uv_write(&kept->write, (uv_stream_t *)&p->tcp, &buf, 1, on_written);
    if (rc < 0) {
        free(kept);
        p->broken = rc;
        return;
    }
    p->writes++;
}

void peer_flush(struct peer *p)
{
    struct wire_out *out = &p->shared->out;
    size_t sent = 0;
    if (out->used && !p->broken && !p->writes) {
        uv_buf_t buf = uv_buf_init((char *)out->bytes, (unsigned)out->used);
        int rc = uv_try_write((uv_stream_t *)&p->tcp, &buf, 1);
        if (rc >= 0) {
            sent = (size_t)rc;
            note_connected(p);
        } else if (rc != UV_EAGAIN) {
            p->broken = rc;
        }
    }
    if (sent < out->used && !p->broken)
        keep(p, out->bytes + sent, out->used - sent);
    out->used = 0;
}

/* The server's handshake has begun: that is where this behaviour leaves. */
static void abort_handshake(struct peer *p)
{
    if (p->shared->aborts++ % 2 == 0)
        peer_reset(p);
    else
        peer_close(p);
    p->shared->on_aborted(p);
}

static void received(struct peer *p, const uint8_t *bytes, size_t count)
{
    if (p->state == PEER_HALF_CLOSED)
        return;
    note_connected(p);
    if (p->state == PEER_HANDSHAKE && p->behaviour == BEHAVIOUR_MID_HANDSHAKE) {
        abort_handshake(p);
        return;
    }
    p->wire.in = bytes;
    p->wire.in_left = count;
    peer_tls_advance(p);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct peer_shared *shared = peer_of(handle->data)->shared;
    (void)suggested;
    *buf = uv_buf_init((char *)shared->in, sizeof shared->in);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct peer *p = peer_of(stream->data);
    if (count > 0)
        received(p, (const uint8_t *)buf->base, (size_t)count);
    else if (count < 0)
        peer_ended(p, (int)count);
}

struct peer *peer_new(struct peer_shared *shared, enum behaviour behaviour, uint64_t turn,
                      bool resume)
{
    struct peer *p = calloc(1, sizeof *p);
    CHECK(p);
    p->magic = PEER_MAGIC;
    p->behaviour = behaviour;
    p->resume = resume;
    p->shared = shared;
    p->wire.out = &shared->out;
    p->message = shared->payload + turn % PEER_PAYLOAD_SPARE;
    p->begun_ns = clock_now_ns();
    uv_tcp_init(shared->loop, &p->tcp);
    p->tcp.data = p;
    return p;
}

/* The ClientHello is written without waiting for the connection: on loopback it already stands,
 * else libuv writes it as soon as it does. */
void peer_connect(struct peer *p, uint64_t turn)
{
    int fd = target_connect(p->shared->target, turn);
    int rc = fd < 0 ? fd : uv_tcp_open(&p->tcp, fd);
    if (fd >= 0 && rc < 0)
        close(fd);
    peer_set_state(p, PEER_CONNECT);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);
    if (rc < 0)
        peer_ended(p, rc);
    else if (peer_tls_open(p) < 0)
        peer_fail(p, PEER_FAIL_HANDSHAKE, "can't make an SSL object");
    else
        peer_tls_advance(p);
}

/* One segment carries the last of the output and FIN. What doesn't fit is left to peer_flush. */
void peer_flush_with_fin(struct peer *p)
{
    struct wire_out *out = &p->shared->out;
    uv_os_fd_t fd;
    bool free_to_send = out->used && !p->broken && !p->writes;
    if (free_to_send && uv_fileno((uv_handle_t *)&p->tcp, &fd) == 0 &&
        send(fd, out->bytes, out->used, MSG_MORE | MSG_NOSIGNAL) == (ssize_t)out->used) {
        out->used = 0;
        if (shutdown(fd, SHUT_WR) < 0)
            p->broken = -errno;
    }
    peer_flush(p);
}

void peer_leave(struct peer *p)
{
    uv_os_fd_t fd;
    CHECK(p->state == PEER_HELD && p->behaviour != BEHAVIOUR_MID_HANDSHAKE);
    switch (p->behaviour) {
    case BEHAVIOUR_CLEAN:
        peer_set_state(p, PEER_CLOSE_NOTIFY);
        peer_tls_goodbye(p);
        break;
    case BEHAVIOUR_HALF_CLOSE:
        /* The echo is here, so nothing of ours is still queued that FIN could overtake. */
        peer_set_state(p, PEER_HALF_CLOSED);
        if (uv_fileno((uv_handle_t *)&p->tcp, &fd) < 0 || shutdown(fd, SHUT_WR) < 0)
            peer_close(p);
        break;
    case BEHAVIOUR_RESET:
        peer_reset(p);
        break;
    case BEHAVIOUR_MID_HANDSHAKE:
    case BEHAVIOUR_COUNT:
        break; /* never held */
    }
}

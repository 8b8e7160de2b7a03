/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include "base/check.h"
#include "base/clock.h"
#include "leave.h"
#include "peer_starttls.h"
#include "peer_tls.h"
#include "starttls/starttls.h"

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

ENUM_NAMES(peer_failure, PEER_FAILURE_LIST)

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

size_t peer_turn(const struct peer *p)
{
    return (size_t)(p->message - p->shared->payload);
}

static void on_closed(uv_handle_t *handle)
{
    struct peer *p = peer_of(handle->data);
    CHECK(p->state == PEER_CLOSED && p->writes == 0);
    p->shared->on_gone(p);
    if (p->recipe->gone)
        p->recipe->gone(p);
    peer_tls_free(p);
    starttls_free(p->starttls);
    free(p->own);
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

/* What the kernel takes, it takes for a connection that stands, and only such a one has an end. */
static void note_connected(struct peer *p)
{
    if (p->state == PEER_CONNECT)
        peer_set_state(p, p->starttls ? PEER_STARTTLS : PEER_HANDSHAKE);
}

void peer_ended(struct peer *p, int why)
{
    const char *how = why == UV_EOF ? "closed by the server" : uv_strerror(why);
    if (why == UV_EOF)
        note_connected(p);
    if (peer_awaits_refusal(p) && p->state > PEER_CONNECT) {
        peer_refused(p, 0);
        return;
    }
    if (p->starttls && peer_starttls_ended(p))
        return;
    switch (p->state) {
    case PEER_NEW:
    case PEER_CONNECT:
        peer_fail(p, PEER_FAIL_CONNECT, "can't connect: %s", how);
        break;
    case PEER_STARTTLS:
        peer_fail(p, PEER_FAIL_HANDSHAKE, "the STARTTLS dialogue failed: %s", how);
        break;
    case PEER_HANDSHAKE:
        peer_fail(p, PEER_FAIL_HANDSHAKE, "a handshake failed: %s", how);
        break;
    case PEER_ECHO:
        peer_fail(p, PEER_FAIL_ECHO, "a connection ended after %zu of %zu echoed bytes: %s",
                  p->echoed, p->shared->payload_bytes, how);
        break;
    case PEER_WORK:
        peer_fail(p, PEER_FAIL_ECHO, "%s: a connection ended early: %s",
                  behaviour_name((int)p->behaviour), how);
        break;
    case PEER_HELD:
    case PEER_ASKED_CLOSE:
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
        [PEER_STARTTLS] = "its STARTTLS dialogue",
        [PEER_HANDSHAKE] = "its handshake",
        [PEER_ECHO] = "waiting for the echo",
        [PEER_WORK] = "what its behaviour does",
        [PEER_HELD] = "being open",
        [PEER_ASKED_CLOSE] = "waiting for the close_notify it asked for",
        [PEER_CLOSE_NOTIFY] = "waiting for the server's close_notify",
        [PEER_HALF_CLOSED] = "waiting for the server's end after our FIN",
    };
    if (p->state == PEER_CLOSED)
        return;
    enum peer_state state = p->state;
    peer_reset(p);
    char text[128];
    snprintf(text, sizeof text, "a connection (%s) took longer than --timeout in %s",
             behaviour_name((int)p->behaviour),
             p->operation ? operation_name(p->operation) : doing[state]);
    p->shared->on_failed(p, PEER_FAIL_TIMEOUT, text);
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
    if (p->recipe->point == POINT_CONNECTED)
        leave_at_point(p);
    else if (p->state == PEER_ECHO || p->state == PEER_WORK || p->operation != OPERATE_NONE)
        peer_tls_advance(p);
}

static void keep(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct kept *kept = malloc(sizeof *kept + count);
    CHECK(kept); /* libuv itself has no way on without memory */
    if (count > 0)
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

void peer_queue(struct peer *p, const uint8_t *bytes, size_t count)
{
    if (p->state != PEER_CLOSED && !p->broken)
        keep(p, bytes, count);
}

void peer_flush(struct peer *p)
{
    struct wire_out *out = &p->shared->out;
    size_t sent = 0;
    if (p->recipe->transmit && out->used && (!p->starttls || p->recipe->in_starttls))
        p->recipe->transmit(p);
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

static void received(struct peer *p, const uint8_t *bytes, size_t count)
{
    const struct recipe *recipe = p->recipe;
    if (p->state == PEER_HALF_CLOSED || p->stalled)
        return;
    note_connected(p);
    if (p->starttls) {
        peer_starttls_received(p, bytes, count);
        return;
    }
    if (recipe->point == POINT_SERVER_HELLO && p->state == PEER_HANDSHAKE) {
        leave_at_point(p);
        return;
    }
    if (recipe->arrived && !recipe->arrived(p, bytes, count))
        return;
    if (!p->ssl)
        return;
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
    p->recipe = recipe_of(behaviour);
    p->resume = resume && !p->recipe->no_offer;
    p->shared = shared;
    p->wire.out = &shared->out;
    p->message = shared->payload + turn % PEER_PAYLOAD_SPARE;
    p->begun_ns = clock_now_ns();
    uv_tcp_init(shared->loop, &p->tcp);
    p->tcp.data = p;
    return p;
}

/* The server learns of a connection with our first bytes, unless they aren't to come soon. */
static void acknowledge(struct peer *p)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&p->tcp, &fd) == 0)
        target_hear_first(fd);
}

static void begin_raw(struct peer *p)
{
    acknowledge(p);
    if (p->recipe->open)
        p->recipe->open(p);
    if (p->state == PEER_CLOSED)
        return;
    peer_flush(p);
    if (p->broken)
        peer_ended(p, p->broken);
}

/* To write nothing takes until the connection stands: on_written is told of it. */
static void await_connection(struct peer *p)
{
    acknowledge(p);
    keep(p, NULL, 0);
    if (p->broken)
        peer_ended(p, p->broken);
}

/* The ClientHello is written without waiting for the connection: on loopback it already stands,
 * else libuv writes it as soon as it does. */
void peer_begin(struct peer *p)
{
    if (p->recipe->point == POINT_CONNECTED)
        await_connection(p);
    else if (p->recipe->raw)
        begin_raw(p);
    else if (peer_tls_open(p) < 0)
        peer_fail(p, PEER_FAIL_HANDSHAKE, "%s: can't make an SSL object",
                  behaviour_name((int)p->behaviour));
    else
        peer_tls_advance(p);
}

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
    else if (p->shared->starttls && p->recipe->point != POINT_CONNECTED)
        peer_starttls_begin(p);
    else
        peer_begin(p);
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

bool peer_awaits_refusal(const struct peer *p)
{
    return p->recipe->end == RECIPE_REFUSED && p->state <= PEER_WORK && !p->starttls;
}

void peer_refused(struct peer *p, int alert)
{
    bool tls12 = p->ssl && SSL_version(p->ssl) == TLS1_2_VERSION && p->recipe->alert_tls12;
    int awaited = tls12 ? p->recipe->alert_tls12 : p->recipe->alert;
    if (awaited && alert != awaited) {
        peer_fail(p, PEER_FAIL_HANDSHAKE, "%s: refused by %s, not by %s",
                  behaviour_name((int)p->behaviour),
                  alert ? SSL_alert_desc_string_long(alert) : "a close",
                  SSL_alert_desc_string_long(awaited));
        return;
    }
    peer_close(p);
    p->shared->on_aborted(p);
}

void peer_tick(struct peer *p)
{
    if (p->state == PEER_CLOSED || !p->recipe->tick || p->starttls)
        return;
    p->recipe->tick(p);
    if (p->state == PEER_CLOSED)
        return;
    peer_flush(p);
    if (p->broken)
        peer_ended(p, p->broken);
}

void peer_become(struct peer *p, enum behaviour behaviour)
{
    p->behaviour = behaviour;
    p->recipe = recipe_of(behaviour);
}

void peer_leave(struct peer *p)
{
    leave_held(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The least client and server on sockets: in step, or by epoll. */
#include "base/check.h"
#include "least.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
    int fd;
    struct least_tls tls;
};

static int ready; /* epoll's */

/* Returns false when the peer has reset the connection. */
static bool send_all(const struct end *e)
{
    size_t used = least.out.used;
    least.out.used = 0;
    return used == 0 || write(e->fd, least.out.bytes, used) == (ssize_t)used;
}

/* One read, which waits when nothing has come. Returns the bytes, 0 or less at the end. */
static ssize_t receive(const struct end *e, const uint8_t **ret)
{
    static uint8_t bytes[64 * 1024];
    *ret = bytes;
    return read(e->fd, bytes, sizeof bytes);
}

static void watch(struct end *e, int fd)
{
    struct epoll_event readable = {.events = EPOLLIN, .data.ptr = e};
    CHECK(epoll_ctl(ready, EPOLL_CTL_ADD, fd, &readable) == 0);
}

static void end_close(struct end *e)
{
    SSL_free(e->tls.ssl);
    close(e->fd);
}

/* ---- the client ---- */

static void client_open(struct end *e)
{
    const struct sockaddr *server = (const struct sockaddr *)&least.server;
    e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(e->fd >= 0);
    case_no_delay(e->fd);
    CHECK(connect(e->fd, server, sizeof least.server) == 0);
    least_open_tls(&e->tls, false);
    CHECK(send_all(e));
}

static bool client_step(struct end *e)
{
    const uint8_t *bytes;
    ssize_t count = receive(e, &bytes);
    CHECK(count > 0);
    bool goes_on = least_client_turn(&e->tls, bytes, (size_t)count);
    CHECK(send_all(e));
    return goes_on;
}

static void client_close(struct end *e)
{
    const struct linger reset = {.l_onoff = 1};
    if (least.resets)
        CHECK(setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    end_close(e);
    least.made++;
}

/* Each step for all before the next: while the server answers the last, it has answered the first.
 */
static void client_batch(struct end *end, int count)
{
    for (int i = 0; i < count; i++)
        client_open(&end[i]);
    for (enum least_step step = LEAST_HANDSHAKE; step <= (least.resets ? 0 : LEAST_END); step++)
        for (int i = 0; i < count; i++)
            while (client_step(&end[i]) && end[i].tls.step == step)
                continue;
    for (int i = 0; i < count; i++)
        client_close(&end[i]);
}

void least_client_in_step(void)
{
    struct end end[LEAST_BATCH];
    int count;
    while ((count = least_wanted(LEAST_BATCH)) > 0)
        client_batch(end, count);
}

static void client_watch(struct end *e)
{
    client_open(e);
    watch(e, e->fd);
}

/* A turn of the loop; those that have ended are replaced together. */
static void client_turn(void)
{
    struct epoll_event event[LEAST_BATCH];
    struct end *ended[LEAST_BATCH];
    int left = 0, count = epoll_wait(ready, event, LEAST_BATCH, -1);
    for (int i = 0; i < count; i++)
        if (!client_step(event[i].data.ptr)) {
            ended[left] = event[i].data.ptr;
            client_close(ended[left++]);
        }
    for (int i = 0; i < left; i++)
        client_watch(ended[i]);
}

void least_client_by_epoll(void)
{
    struct end end[LEAST_BATCH];
    int count = least_wanted(LEAST_BATCH);
    ready = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++)
        client_watch(&end[i]);
    while (least_wanted(1))
        client_turn();
}

/* ---- the server ---- */

static void server_open(int listener)
{
    struct end *e = calloc(1, sizeof *e);
    CHECK(e && (e->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0);
    least_open_tls(&e->tls, true);
    watch(e, e->fd);
}

/* Takes what has come and answers with one write. Returns whether the connection goes on. */
static bool server_step(struct end *e)
{
    const uint8_t *bytes;
    ssize_t count = receive(e, &bytes);
    if (count <= 0)
        return false;
    bool goes_on = least_server_turn(&e->tls, bytes, (size_t)count);
    return send_all(e) && goes_on;
}

static void server_look(struct end *e, int listener)
{
    if (!e)
        server_open(listener);
    else if (!server_step(e)) {
        end_close(e);
        free(e);
    }
}

/* What is set for the listener, its connections inherit. */
static int server_listen(void)
{
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    case_no_delay(listener);
    CHECK(bind(listener, (const struct sockaddr *)&least.server, sizeof least.server) == 0);
    CHECK(listen(listener, LEAST_BACKLOG) == 0);
    return listener;
}

void least_server_by_epoll(void)
{
    struct epoll_event event[LEAST_BATCH];
    int listener = server_listen();
    ready = epoll_create1(EPOLL_CLOEXEC);
    watch(NULL, listener);
    for (;;) {
        int count = epoll_wait(ready, event, LEAST_BATCH, -1);
        for (int i = 0; i < count; i++)
            server_look(event[i].data.ptr, listener);
    }
}

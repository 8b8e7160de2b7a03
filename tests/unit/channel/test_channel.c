/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/channel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char token[] = "0123456789abcdef0123456789abcdef";

/* Both ends on one loop; the kernel keeps little of what one says and the other doesn't read. */
struct ends {
    uv_loop_t loop;
    struct channel_loop net[2]; /* an agent's, a run's */
    struct channel end[2];
    uv_tcp_t listener;
    unsigned heard, closed;
    char last[LINE_MAX_BYTES];
};

static void on_open(struct channel *c)
{
    (void)c;
}

static void on_line(struct channel *c, const char *line)
{
    struct ends *x = c->owner;
    x->heard++;
    snprintf(x->last, sizeof x->last, "%s", line);
}

static void on_closed(struct channel *c, const char *why)
{
    struct ends *x = c->owner;
    (void)why;
    x->closed++;
}

static const struct channel_events events = {on_open, on_line, on_closed};

static void on_connection(uv_stream_t *listener, int status)
{
    struct ends *x = listener->data;
    assert_int_equal(status, 0);
    assert_int_equal(channel_accept(&x->end[1], &x->net[1], listener), 0);
}

static int connected_to(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), small = 4096;
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    connect(fd, (const struct sockaddr *)at, sizeof *at);
    return fd;
}

static void listen_here(struct ends *x, struct sockaddr_in *ret)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof *ret, small = 4096;
    assert_int_equal(uv_tcp_init(&x->loop, &x->listener), 0);
    x->listener.data = x;
    assert_int_equal(uv_tcp_bind(&x->listener, (const struct sockaddr *)&any, 0), 0);
    assert_int_equal(uv_recv_buffer_size((uv_handle_t *)&x->listener, &small), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&x->listener, 1, on_connection), 0);
    assert_int_equal(uv_tcp_getsockname(&x->listener, (struct sockaddr *)ret, &size), 0);
}

static void open_ends(struct ends *x)
{
    struct sockaddr_in at;
    *x = (struct ends){.heard = 0};
    assert_int_equal(uv_loop_init(&x->loop), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(channel_loop_init(&x->net[i], &x->loop, token, i == 1, NULL), 0);
        x->end[i].events = &events;
        x->end[i].owner = x;
    }
    listen_here(x, &at);
    assert_int_equal(channel_connect(&x->end[0], &x->net[0], connected_to(&at)), 0);
    while (!x->end[0].open || !x->end[1].open)
        uv_run(&x->loop, UV_RUN_ONCE);
    net_read_stop(&x->end[1].socket);
}

static void close_ends(struct ends *x)
{
    for (int i = 0; i < 2; i++)
        channel_close(&x->end[i]);
    uv_close((uv_handle_t *)&x->listener, NULL);
    uv_run(&x->loop, UV_RUN_DEFAULT);
    assert_int_equal(x->closed, 2);
    assert_int_equal(uv_loop_close(&x->loop), 0);
    for (int i = 0; i < 2; i++)
        channel_loop_fini(&x->net[i]);
}

/* A checkpoint's figures, while a lost segment is on its way again. */
static void a_burst_that_nobody_reads_yet_arrives_later(void **state)
{
    (void)state;
    enum { LINES = 5000 };
    static struct ends x;
    open_ends(&x);
    for (unsigned i = 1; i <= LINES; i++)
        channel_say(&x.end[0], "bucket at=%u n=1", i);
    assert_true(channel_kept(&x.end[0]) > 0);
    assert_false(net_is_closed(&x.end[0].socket));
    net_read_start(&x.end[1].socket);
    while (x.heard < LINES)
        uv_run(&x.loop, UV_RUN_ONCE);
    assert_string_equal(x.last, "bucket at=5000 n=1");
    assert_int_equal(channel_kept(&x.end[0]), 0);
    close_ends(&x);
}

static void what_a_peer_never_reads_is_bounded(void **state)
{
    (void)state;
    static struct ends x;
    unsigned said = 0;
    open_ends(&x);
    for (; !net_is_closed(&x.end[0].socket); said++)
        channel_say(&x.end[0], "%900d", 1);
    assert_in_range(said * 900, CHANNEL_KEPT / 2, 2 * CHANNEL_KEPT);
    assert_string_equal(x.end[0].why, "it doesn't read what it is told");
    close_ends(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_that_nobody_reads_yet_arrives_later),
        cmocka_unit_test(what_a_peer_never_reads_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

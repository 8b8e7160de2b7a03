/* SPDX-License-Identifier: Apache-2.0 */
/* Output of a socket whose kernel has room for all of it, or for a part. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/socket.h"

enum { SMALL = 4096, MUCH = WIRE_OUT_BYTES, LITTLE = 31 };

static uv_loop_t loop;
static struct net_loop net;
static struct net_socket subject;
static int peer;
static uint8_t heard[2 * MUCH];

static void on_written(struct net_socket *s, size_t count, int status)
{
    (void)s;
    (void)count;
    assert_int_equal(status, 0);
}

static void on_closed(struct net_socket *s)
{
    (void)s;
}

static int setup(void **state)
{
    static const struct net_events events = {.on_written = on_written, .on_closed = on_closed};
    const int small = SMALL;
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    net = (struct net_loop){.loop = &loop, .events = &events};
    subject = (struct net_socket){0};
    net_init(&subject, &net);
    assert_int_equal(net_connect(&subject, ends[0]), 0);
    peer = ends[1];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_close(&subject);
    uv_run(&loop, UV_RUN_DEFAULT);
    close(peer);
    return uv_loop_close(&loop);
}

/* No two places that a wrong offset could confuse are alike: the period is a prime. */
static void say(size_t count)
{
    for (size_t i = 0; i < count; i++)
        net.out.bytes[i] = (uint8_t)(i % 251);
    net.out.used = count;
}

/* All that comes as long as anything is under way; the end of file is what is returned. */
static bool hear(size_t *count)
{
    ssize_t n = 1;
    for (*count = 0; n > 0 || subject.writes;) {
        uv_run(&loop, UV_RUN_NOWAIT);
        n = recv(peer, heard + *count, sizeof heard - *count, 0);
        *count += n > 0 ? (size_t)n : 0;
    }
    assert_true(n == 0 || errno == EAGAIN);
    return n == 0;
}

static void check_heard(size_t count, size_t wanted)
{
    assert_int_equal(count, wanted);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(heard[i], i % 251);
}

static void the_last_output_leaves_with_fin(void **state)
{
    size_t count;
    (void)state;
    say(LITTLE);
    net_flush_with_fin(&subject);
    assert_int_equal(net.out.used, 0);
    assert_true(hear(&count));
    check_heard(count, LITTLE);
}

static void what_the_kernel_took_a_part_of_arrives_once(void **state)
{
    size_t count;
    (void)state;
    say(MUCH);
    net_flush_with_fin(&subject);
    size_t left = net.out.used;
    net_flush(&subject);
    assert_false(hear(&count));
    check_heard(count, MUCH);
    assert_in_range(left, 1, MUCH - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_output_leaves_with_fin, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_kernel_took_a_part_of_arrives_once, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/process_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A connection within this process: a server's listener and its end, and the other one. */
struct pair {
    struct address server;
    int listener, accepted, connected;
};

static struct address address_of(const char *text)
{
    struct address ret;
    struct err e;
    if (address_parse_any(text, &ret, &e) != 0)
        fail_msg("%s: %s", text, e.text);
    return ret;
}

/* The server listens at this address; the other end connects to its port at `to`. */
static struct pair connect_to(const char *listen_at, const char *to)
{
    struct pair p = {.server = address_of(listen_at)};
    struct sockaddr *server = (struct sockaddr *)&p.server.storage;
    char text[2 * ADDRESS_TEXT];
    p.listener = socket(server->sa_family, SOCK_STREAM, 0);
    assert_int_equal(setsockopt(p.listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
    if (bind(p.listener, server, p.server.bytes) != 0 || listen(p.listener, 8) != 0 ||
        getsockname(p.listener, server, &p.server.bytes) != 0)
        fail_msg("can't listen at %s", listen_at);
    snprintf(text, sizeof text, "%s:%u", to, address_port(&p.server));
    struct address at = address_of(text);
    p.connected = socket(at.storage.ss_family, SOCK_STREAM, 0);
    assert_int_equal(connect(p.connected, (struct sockaddr *)&at.storage, at.bytes), 0);
    p.accepted = accept(p.listener, NULL, NULL);
    assert_true(p.accepted >= 0);
    return p;
}

static void end(const struct pair *p)
{
    close(p->connected);
    close(p->accepted);
    close(p->listener);
}

static bool is_in(const struct process_sockets *s, int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    for (size_t i = 0; i < s->count; i++)
        if (s->inode[i] == st.st_ino)
            return true;
    return false;
}

static void assert_other_end(const char *listen_at, const char *to)
{
    struct process_sockets s;
    struct pair p = connect_to(listen_at, to);
    process_sockets_to(&s, &p.server);
    assert_int_equal(s.count, 1);
    assert_true(is_in(&s, p.connected));
    end(&p);
}

static void sockets_to_a_server_are_the_other_ends_of_its_connections(void **state)
{
    (void)state;
    assert_other_end("127.0.0.1:0", "127.0.0.1");
}

static void an_end_in_ipv6_is_found_too(void **state)
{
    (void)state;
    struct address at = address_of("[::1]:0");
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool can = fd >= 0 && bind(fd, (const struct sockaddr *)&at.storage, at.bytes) == 0;
    if (fd >= 0)
        close(fd);
    if (!can) {
        print_message("skipped: no IPv6 loopback\n");
        skip();
    }
    assert_other_end("127.0.0.1:0", "[::ffff:127.0.0.1]");
    assert_other_end("[::1]:0", "[::1]");
}

static void a_connection_to_that_port_of_another_address_is_not_the_servers(void **state)
{
    (void)state;
    struct process_sockets s;
    struct pair ours = connect_to("127.0.0.1:0", "127.0.0.1");
    char text[ADDRESS_TEXT];
    snprintf(text, sizeof text, "127.99.99.99:%u", address_port(&ours.server));
    struct pair other = connect_to(text, "127.99.99.99");
    process_sockets_to(&s, &ours.server);
    assert_int_equal(s.count, 1);
    assert_true(is_in(&s, ours.connected));
    end(&ours);
    end(&other);
}

static int connect_again(const struct pair *p)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&p->server.storage, p->server.bytes), 0);
    return fd;
}

static void what_has_ended_meanwhile_or_come_since_is_not_kept(void **state)
{
    (void)state;
    struct process_sockets s, now;
    struct pair p = connect_to("127.0.0.1:0", "127.0.0.1");
    int leaves = p.connected, comes;
    p.connected = connect_again(&p);
    process_sockets_to(&s, &p.server);
    assert_int_equal(s.count, 2);
    close(leaves);
    comes = connect_again(&p);
    process_sockets_to(&now, &p.server);
    assert_true(is_in(&now, comes));
    process_sockets_keep(&s, &now);
    assert_int_equal(s.count, 1);
    assert_true(is_in(&s, p.connected));
    close(comes);
    end(&p);
}

static bool chooses_none(const void *owner, const struct process *p)
{
    (void)owner, (void)p;
    return false;
}

/* This process, which nobody has chosen, holds so many of the connections to the server. */
static void assert_holds(const struct pair *p, bool outgoing, size_t wanted)
{
    struct process_tree *tree = calloc(1, sizeof *tree);
    struct process_holders h = {.server = p->server, .outgoing = outgoing, .chosen = chooses_none};
    assert_non_null(tree);
    tree->count = process_read(getpid(), &tree->process[0]);
    process_tree_holders(tree, &h);
    free(tree);
    assert_int_equal(h.standing, wanted);
    assert_int_equal(h.others.pid, wanted ? getpid() : 0);
}

static void a_connection_at_that_port_of_another_address_is_held_for_no_server(void **state)
{
    (void)state;
    struct pair ours = connect_to("127.0.0.1:0", "127.0.0.1");
    char text[ADDRESS_TEXT];
    snprintf(text, sizeof text, "127.99.99.99:%u", address_port(&ours.server));
    struct pair other = connect_to(text, "127.99.99.99");
    assert_holds(&ours, false, 1);
    assert_holds(&ours, true, 1);
    close(ours.connected);
    close(ours.accepted);
    assert_holds(&ours, false, 0);
    assert_holds(&ours, true, 0);
    close(ours.listener);
    end(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_to_a_server_are_the_other_ends_of_its_connections),
        cmocka_unit_test(an_end_in_ipv6_is_found_too),
        cmocka_unit_test(a_connection_to_that_port_of_another_address_is_not_the_servers),
        cmocka_unit_test(what_has_ended_meanwhile_or_come_since_is_not_kept),
        cmocka_unit_test(a_connection_at_that_port_of_another_address_is_held_for_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

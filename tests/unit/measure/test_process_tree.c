/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/process_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

static bool chooses_all(const void *owner, const struct process *p)
{
    (void)owner, (void)p;
    return true;
}

/* What a process, the only one that is chosen, holds of the connections to the server. */
static struct process_holders held_by(pid_t pid, const struct pair *p)
{
    struct process_tree *tree = calloc(1, sizeof *tree);
    struct process_holders h = {.server = p->server, .chosen = chooses_all};
    assert_non_null(tree);
    tree->count = 1;
    tree->process[0].pid = pid;
    process_tree_holders(tree, &h);
    free(tree);
    return h;
}

static void *wait_for_ever(void *unused)
{
    (void)unused;
    while (pause() < 0)
        ;
    return NULL;
}

/* A child that has all that this process has open, once it is `ready`. */
static pid_t child_that(void (*gets_ready)(int ready))
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        gets_ready(ready[1]);
        wait_for_ever(NULL);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void say_ready(int ready)
{
    if (write(ready, "", 1) != 1)
        _exit(1);
}

/* When the first thread's number is shown as a zombie's. */
static void *say_ready_alone(void *ready)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)getpid());
    while (!strstr(line, ") Z ")) {
        FILE *f = fopen(path, "re");
        if (!f || !fgets(line, sizeof line, f))
            _exit(1);
        fclose(f);
        usleep(1000);
    }
    say_ready(*(int *)ready);
    return wait_for_ever(NULL);
}

static void loses_its_first_thread(int ready)
{
    static int kept;
    pthread_t thread;
    kept = ready;
    if (pthread_create(&thread, NULL, say_ready_alone, &kept) != 0)
        _exit(1);
    syscall(SYS_exit, 0);
}

static void a_process_whose_first_thread_has_ended_holds_its_connections(void **state)
{
    (void)state;
    struct pair p = connect_to("127.0.0.1:0", "127.0.0.1");
    pid_t child = child_that(loses_its_first_thread);
    struct process_holders h = held_by(child, &p);
    end_child(child);
    end(&p);
    assert_int_equal(h.standing, 1);
    assert_int_equal(h.of_chosen, 1);
}

static void hides_what_it_has_open(int ready)
{
    prctl(PR_SET_DUMPABLE, 0);
    say_ready(ready);
}

static void becomes_another_user(void)
{
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        _exit(1);
}

/* As root in a container is: it reads any folder, but not where the links in it lead. */
static void gives_up_tracing(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &head, data) != 0)
        _exit(1);
    data[0].effective &= ~(1u << CAP_SYS_PTRACE);
    if (syscall(SYS_capset, &head, data) != 0)
        _exit(1);
}

/* For one that may not see what another process has open, whether that is told from nothing. */
static bool tells_that_it_sees_nothing(void (*loses_its_rights)(void))
{
    struct pair p = connect_to("127.0.0.1:0", "127.0.0.1");
    pid_t holder = child_that(hides_what_it_has_open), looker = fork();
    int status;
    if (looker == 0) {
        loses_its_rights();
        struct process_holders h = held_by(holder, &p);
        _exit(h.standing == 1 && h.of_chosen == 0 && h.unread ? 0 : 1);
    }
    waitpid(looker, &status, 0);
    end_child(holder);
    end(&p);
    return status == 0;
}

static void what_a_process_of_another_user_holds_is_unknown(void **state)
{
    (void)state;
    assert_true(tells_that_it_sees_nothing(becomes_another_user));
}

static void what_a_process_holds_that_may_not_be_traced_is_unknown(void **state)
{
    (void)state;
    assert_true(tells_that_it_sees_nothing(gives_up_tracing));
}

static void a_process_that_has_ended_is_known_to_hold_nothing(void **state)
{
    (void)state;
    struct pair p = connect_to("127.0.0.1:0", "127.0.0.1");
    pid_t child = child_that(say_ready);
    siginfo_t unused;
    assert_int_equal(held_by(child, &p).of_chosen, 1);
    kill(child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child, &unused, WEXITED | WNOWAIT), 0);
    struct process_holders zombie = held_by(child, &p);
    end_child(child);
    struct process_holders gone = held_by(child, &p);
    end(&p);
    assert_false(zombie.of_chosen || zombie.unread);
    assert_false(gone.of_chosen || gone.unread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_to_a_server_are_the_other_ends_of_its_connections),
        cmocka_unit_test(an_end_in_ipv6_is_found_too),
        cmocka_unit_test(a_connection_to_that_port_of_another_address_is_not_the_servers),
        cmocka_unit_test(what_has_ended_meanwhile_or_come_since_is_not_kept),
        cmocka_unit_test(a_connection_at_that_port_of_another_address_is_held_for_no_server),
        cmocka_unit_test(a_process_whose_first_thread_has_ended_holds_its_connections),
        cmocka_unit_test(what_a_process_of_another_user_holds_is_unknown),
        cmocka_unit_test(what_a_process_holds_that_may_not_be_traced_is_unknown),
        cmocka_unit_test(a_process_that_has_ended_is_known_to_hold_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/ending.h"

#include "tests/unit/remove_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/put_file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-ending-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return remove_tree(folder);
}

static void assert_last(const char *text, const char *wanted)
{
    char line[64];
    assert_string_equal(ending_last_line(put_file(folder, "log", text), line, sizeof line), wanted);
}

static void last_line_is_the_last_that_is_not_blank(void **state)
{
    char line[64], lots[9001];
    (void)state;
    assert_last("", "");
    assert_last("\n \n\n", "");
    assert_last("one", "one");
    assert_last("one\ntwo\n", "two");
    assert_last("one\ntwo\n\n  \n", "two");
    assert_last("an \033[2J escape\n", "an ?[2J escape");
    memset(lots, 'x', sizeof lots - 1);
    memcpy(lots + sizeof lots - 6, "\nend\n", 6);
    assert_last(lots, "end");
    assert_string_equal(ending_last_line("/nonexistent/log", line, sizeof line), "");
}

static void kills_are_counted_in_both_versions_of_cgroups(void **state)
{
    (void)state;
    assert_int_equal(ending_memory_kills(folder), 0);
    put_file(folder, "proc/self/cgroup", "4:memory:/some/group\n2:cpu:/\n");
    assert_int_equal(ending_memory_kills(folder), 0);
    put_file(folder, "sys/fs/cgroup/memory/some/group/memory.oom_control",
             "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
    assert_int_equal(ending_memory_kills(folder), 3);
    put_file(folder, "sys/fs/cgroup/memory/memory.oom_control",
             "oom_kill 4\n"); /* a limit above it */
    assert_int_equal(ending_memory_kills(folder), 4);
    put_file(folder, "proc/self/cgroup", "0::/a/path/of/the/host\n");
    put_file(folder, "sys/fs/cgroup/memory.events", "low 0\noom 9\noom_kill 5\noom_group_kill 0\n");
    assert_int_equal(ending_memory_kills(folder), 5);
}

static void on_line(struct child *c, const char *line)
{
    (void)c, (void)line;
}

static void on_exit_child(struct child *c)
{
    (void)c;
}

static const char *text_of(const struct ending *e)
{
    static char text[ENDING_TEXT];
    return ending_text(e, text, sizeof text);
}

static void assert_ending(const struct ending *e, const char *format)
{
    char wanted[ENDING_TEXT];
    snprintf(wanted, sizeof wanted, "%s; its log: %s/server.log", format, folder);
    assert_string_equal(text_of(e), wanted);
}

static void the_sentence_says_how_when_and_what_it_said(void **state)
{
    struct child c = {.name = "server", .on_line = on_line, .on_exit = on_exit_child};
    struct ending e = {.child = &c, .folder = folder, .ready = true};
    (void)state;
    assert_int_equal(child_init(&c, NULL), 0);
    c.exit_signal = SIGSEGV;
    c.page->app.closed = 12407;
    assert_ending(&e, "server exited with signal 11 (SIGSEGV) after 12,407 connections");
    put_file(folder, "server.log", "one\nfree(): invalid pointer\n");
    assert_ending(&e, "server exited with signal 11 (SIGSEGV) after 12,407 connections; it said: "
                      "\"free(): invalid pointer\"");
    e.told_to_quit = true;
    assert_ending(&e, "server exited with signal 11 (SIGSEGV) when told to quit, after 12,407 "
                      "connections; it said: \"free(): invalid pointer\"");
    /* What it has told soak by itself isn't why it ended. */
    put_file(folder, "server.log", "soak-server: a handshake failed: bad record mac\n");
    assert_ending(&e, "server exited with signal 11 (SIGSEGV) when told to quit, after 12,407 "
                      "connections");
    e.told_to_quit = false;
    c.exit_signal = SIGKILL;
    e.by_memory_limit = true;
    assert_ending(&e, "the server was ended by the kernel's OOM killer at its memory limit "
                      "after 12,407 connections");
    c.exit_signal = 0;
    e.by_memory_limit = false;
    e.duty = "it must go on";
    put_file(folder, "server.log", "bye\n");
    assert_ending(&e,
                  "server exited with status 0 after 12,407 connections; it must go on; it said: "
                  "\"bye\"");
    e.duty = NULL;
    c.exit_status = 1;
    e.ready = false;
    put_file(folder, "server.log", "x: symbol lookup error: undefined symbol: SSL_new\n");
    assert_ending(&e,
                  "server exited with status 1 before it was ready; it said: \"x: symbol lookup "
                  "error: undefined symbol: SSL_new\"");
    snprintf(c.fatal, sizeof c.fatal, "the port is in use");
    put_file(folder, "server.log", "soak-server: the port is in use\n");
    assert_ending(&e, "server: the port is in use");
    child_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(last_line_is_the_last_that_is_not_blank, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(kills_are_counted_in_both_versions_of_cgroups, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(the_sentence_says_how_when_and_what_it_said, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

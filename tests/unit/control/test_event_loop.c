/* SPDX-License-Identifier: Apache-2.0 */
/* How a loop begins, and how it says that it can't: libuv aborts without a word. */
#include "control/event_loop.h"

#include "base/exit_codes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_loop_has_its_room_when_it_is_open(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct err e = {""};
    assert_int_equal(event_loop_open(&loop, EVENT_LOOP_FEW, &e), 0);
    assert_true(loop.nwatchers >= EVENT_LOOP_FEW);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void *none(void *pointer, size_t size)
{
    (void)pointer;
    (void)size;
    errno = ENOMEM;
    return NULL;
}

static void open_without_memory(void)
{
    uv_loop_t loop;
    uv_replace_allocator(malloc, none, calloc, free);
    if (event_loop_open(&loop, EVENT_LOOP_FEW, NULL) < 0)
        _exit(EXIT_FOUND);
    _exit(EXIT_PASS);
}

static void open_without_files(void)
{
    uv_loop_t loop;
    struct err e = {""};
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    int rc = event_loop_open(&loop, EVENT_LOOP_FEW, &e);
    dprintf(STDERR_FILENO, "%s\n", e.text);
    _exit(rc < 0 ? EXIT_BROKEN : EXIT_PASS);
}

/* What a process that does it writes to stderr; it exits with EXIT_BROKEN. */
static void broken_words(void (*does)(void), char *ret, size_t size)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        does();
    }
    close(ends[1]);
    ssize_t n = read(ends[0], ret, size - 1);
    ret[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_BROKEN);
}

static void no_memory_for_its_table_is_a_sentence(void **state)
{
    (void)state;
    char said[512];
    broken_words(open_without_memory, said, sizeof said);
    assert_non_null(strstr(said, "can't start an event loop: not enough memory\n"));
}

static void no_more_files_are_a_sentence(void **state)
{
    (void)state;
    char said[512];
    broken_words(open_without_files, said, sizeof said);
    assert_non_null(
        strstr(said, "can't start an event loop: too many open files; raise the limit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* libuv's pipe of signals is made once. */
        cmocka_unit_test(no_more_files_are_a_sentence),
        cmocka_unit_test(no_memory_for_its_table_is_a_sentence),
        cmocka_unit_test(a_loop_has_its_room_when_it_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DOES_NOT_END = 77 };

/* Runs `body` in a child process. Returns its status as waitpid has it. */
static int in_child(void (*body)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static char *const words[] = {(char *)(uintptr_t) "test_process", NULL};

static void close_all(void)
{
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    process_begin(words);
    int next = open("/dev/null", O_RDONLY);
    if (next <= 2)
        _exit(1);
    for (int fd = 0; fd <= 2; fd++)
        if (write(fd, "x", 1) != 1)
            _exit(2);
}

static void closed_descriptors_are_taken(void **state)
{
    (void)state;
    assert_int_equal(in_child(close_all), 0);
}

static void grow_too_far(void)
{
    signal(SIGXFSZ, SIG_DFL);
    process_begin(words);
    raise(SIGXFSZ);
}

static void a_file_too_large_is_no_signal(void **state)
{
    (void)state;
    assert_int_equal(in_child(grow_too_far), 0);
}

static void follow_nobody(void)
{
    process_follow(getpid()); /* nobody is a parent of itself: so it has gone */
    _exit(DOES_NOT_END);
}

static void a_parent_that_has_gone_ends_it(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(in_child(follow_nobody)), EXIT_FAILURE);
}

static void follow_parent(void)
{
    int number = 0;
    process_follow(getppid());
    if (prctl(PR_GET_PDEATHSIG, &number) != 0 || number != SIGKILL)
        _exit(1);
}

static void it_dies_with_its_parent(void **state)
{
    (void)state;
    assert_int_equal(in_child(follow_parent), 0);
}

static void the_maker_of_a_socketpair_is_followed(void **state)
{
    int pair[2], status = 0;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(process_follow_socket(pair[1]) == 0 ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(pair[0]);
    close(pair[1]);
    int fd = open("/dev/null", O_RDONLY);
    assert_int_equal(process_follow_socket(fd), -1);
    close(fd);
}

static void programs_are_found_as_execvp_does(void **state)
{
    char path[PATH_MAX];
    struct err e = {{0}};
    char folder[] = "/tmp/test-process-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    close(open("plain", O_CREAT | O_WRONLY, 0600));
    close(open("program", O_CREAT | O_WRONLY, 0700));
    assert_int_equal(mkdir("folder", 0700), 0);

    setenv("PATH", "/nonexistent:/bin:/usr/bin", 1);
    assert_int_equal(process_find("sh", path, sizeof path, &e), 0);
    assert_string_equal(path, "/bin/sh");
    assert_int_equal(process_find("/bin/sh", path, sizeof path, &e), 0);
    assert_int_equal(process_find("program", path, sizeof path, &e), -1);
    assert_string_equal(e.text, "program: No such file or directory");
    assert_int_equal(process_find("", path, sizeof path, &e), -1);

    setenv("PATH", "/nonexistent:", 1); /* an empty folder is the present one */
    assert_int_equal(process_find("program", path, sizeof path, &e), 0);
    assert_string_equal(path, "./program");
    assert_int_equal(process_find("plain", path, sizeof path, &e), -1);
    assert_string_equal(e.text, "plain: Permission denied");
    assert_int_equal(process_find("./folder", path, sizeof path, &e), -1);
    assert_string_equal(e.text, "./folder: Permission denied");
    assert_int_equal(process_find("program", path, 4, &e), -1);

    unlink("plain");
    unlink("program");
    rmdir("folder");
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

static void a_variable_is_known_by_its_whole_name(void **state)
{
    static const char *const names[] = {"PATH", "HOME", NULL};
    (void)state;
    assert_true(process_sets_one_of("PATH=/bin", names));
    assert_true(process_sets_one_of("HOME=", names));
    assert_false(process_sets_one_of("PATH_OF_MINE=/bin", names));
    assert_false(process_sets_one_of("PAT=/bin", names));
    assert_false(process_sets_one_of("X=PATH", names));
    assert_false(process_sets_one_of("", names));
}

static void keep_one_processor(void)
{
    cpu_set_t all, one;
    CPU_ZERO(&one);
    size_t first = 0;
    if (sched_getaffinity(0, sizeof all, &all) != 0 || process_processors() != CPU_COUNT(&all))
        _exit(1);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_SET(first, &one);
    _exit(sched_setaffinity(0, sizeof one, &one) == 0 && process_processors() == 1 ? 0 : 2);
}

static void only_processors_that_it_may_use_are_counted(void **state)
{
    (void)state;
    assert_int_equal(in_child(keep_one_processor), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_descriptors_are_taken),
        cmocka_unit_test(a_file_too_large_is_no_signal),
        cmocka_unit_test(a_parent_that_has_gone_ends_it),
        cmocka_unit_test(it_dies_with_its_parent),
        cmocka_unit_test(the_maker_of_a_socketpair_is_followed),
        cmocka_unit_test(programs_are_found_as_execvp_does),
        cmocka_unit_test(a_variable_is_known_by_its_whole_name),
        cmocka_unit_test(only_processors_that_it_may_use_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

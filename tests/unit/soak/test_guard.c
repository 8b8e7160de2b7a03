/* SPDX-License-Identifier: Apache-2.0 */
/* A program under a guard: the guard is this very test, started again. */
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What `sh -c script` leaves in `said`. */
static struct guard_end run(const char *script, char **environment, uint64_t limit_ms, char *said,
                            size_t size)
{
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
    struct guard_end end;
    int fd = memfd_create("said", MFD_CLOEXEC);
    const struct guard_job job = {
        .argv = argv, .environment = environment, .out_fd = fd, .limit_ms = limit_ms};
    assert_true(fd >= 0);
    assert_int_equal(guard_run(&job, &end), 0);
    ssize_t n = pread(fd, said, size - 1, 0);
    assert_true(n >= 0);
    said[n] = '\0';
    close(fd);
    return end;
}

static void the_end_is_the_programs(void **state)
{
    (void)state;
    char said[64];
    struct guard_end end = run("echo out; echo err >&2; exit 7", NULL, 0, said, sizeof said);
    assert_int_equal(end.status, 7);
    assert_int_equal(end.signal_number, 0);
    assert_string_equal(said, "out\nerr\n");
    end = run("kill -TERM $$", NULL, 0, said, sizeof said);
    assert_int_equal(end.signal_number, SIGTERM);
}

/* Where the guard is told to end a program that has just died, it says what that died of: the guard
 * stands still until both have happened. */
static void what_comes_after_the_end_is_not_the_programs(void **state)
{
    (void)state;
    static const char script[] =
        "ulimit -c 0; kill -STOP $PPID; kill -HUP $PPID; kill -USR1 $PPID\n"
        "(until grep -q ') Z' /proc/$$/stat; do :; done; kill -CONT $PPID) &\n"
        "kill -SEGV $$";
    char said[64];
    struct guard_end end = run(script, NULL, 0, said, sizeof said);
    assert_string_equal(said, "");
    assert_int_equal(end.signal_number, SIGSEGV);
}

/* The libraries that it names may be none that soak can run on. */
static void variables_are_the_programs_alone(void **state)
{
    (void)state;
    char said[256];
    char *environment[] = {"LD_PRELOAD=/nowhere/to/be.found", "ONE=1", NULL};
    setenv("OF_SOAK", "1", 1);
    run("echo $ONE-$OF_SOAK-$LD_PRELOAD", environment, 0, said, sizeof said);
    /* The loader complains once, in the program, and not in its guard. */
    assert_non_null(strstr(said, "1--/nowhere/to/be.found\n"));
    const char *first = strstr(said, "ERROR");
    assert_non_null(first);
    assert_null(strstr(first + 1, "ERROR"));
    run("echo $ONE-$OF_SOAK", NULL, 0, said, sizeof said);
    assert_string_equal(said, "-1\n");
    char *none[] = {NULL};
    run("echo $OF_SOAK-", none, 0, said, sizeof said);
    assert_string_equal(said, "-\n");
}

/* The process that `said` names. Whoever reaps it may take a moment. If it lives on this hangs, and
 * the test's end is CTest's, which comes before that of a sleep of 100,000 s. */
static void assert_ended(const char *said)
{
    pid_t child = (pid_t)strtol(said, NULL, 10);
    assert_true(child > 0);
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
    while (true) {
        FILE *f = fopen(path, "re");
        char *got = f ? fgets(text, sizeof text, f) : NULL;
        if (f)
            fclose(f);
        if (!got || strstr(text, ") Z"))
            return;
        usleep(10000);
    }
}

static void what_takes_too_long_is_killed_with_all_that_it_started(void **state)
{
    (void)state;
    /* Where it was too slow to start within one of them it tries the next. */
    static const uint64_t limits_ms[] = {200, 2000, 20000, 200000};
    char said[64] = "";
    for (size_t i = 0; i < sizeof limits_ms / sizeof *limits_ms && !*said; i++) {
        struct guard_end end =
            run("sleep 100000 & echo $!; wait", NULL, limits_ms[i], said, sizeof said);
        assert_int_equal(end.signal_number, SIGKILL);
    }
    assert_ended(said);
}

static void what_is_left_in_the_background_ends_with_the_program(void **state)
{
    (void)state;
    char said[64];
    struct guard_end end = run("sleep 100000 & echo $!; exit 3", NULL, 0, said, sizeof said);
    assert_int_equal(end.status, 3);
    assert_ended(said);
    /* Its parent has gone before the program has. */
    end = run("(sh -c 'sleep 100000 & echo $!'); kill -TERM $$", NULL, 0, said, sizeof said);
    assert_int_equal(end.signal_number, SIGTERM);
    assert_ended(said);
}

static void what_a_program_sends_to_its_whole_group_is_not_the_guards(void **state)
{
    (void)state;
    char said[64];
    const char *all = "trap : USR1 USR2 ALRM TERM HUP INT QUIT; "
                      "for s in USR1 USR2 ALRM TERM HUP INT QUIT; do kill -$s 0; done; exit 7";
    assert_int_equal(run(all, NULL, 0, said, sizeof said).status, 7);
}

/* Such as a server that the command has started anew. */
static void a_daemon_stays(void **state)
{
    (void)state;
    char said[64];
    run("setsid sh -c 'echo $$; exec sleep 1000' & until [ -s /proc/$$/fd/1 ]; do :; done", NULL, 0,
        said, sizeof said);
    pid_t daemon = (pid_t)strtol(said, NULL, 10);
    assert_true(daemon > 0);
    assert_int_equal(kill(daemon, SIGKILL), 0);
}

static void what_is_not_there_cannot_be_started(void **state)
{
    (void)state;
    char *argv[] = {"/nowhere/at/all", NULL};
    struct guard_end end;
    assert_int_equal(guard_run(&(struct guard_job){.argv = argv, .out_fd = STDERR_FILENO}, &end),
                     UV_ENOENT);
}

int main(int argc, char **argv)
{
    guard_begin(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_the_programs),
        cmocka_unit_test(what_comes_after_the_end_is_not_the_programs),
        cmocka_unit_test(variables_are_the_programs_alone),
        cmocka_unit_test(what_takes_too_long_is_killed_with_all_that_it_started),
        cmocka_unit_test(what_is_left_in_the_background_ends_with_the_program),
        cmocka_unit_test(what_a_program_sends_to_its_whole_group_is_not_the_guards),
        cmocka_unit_test(a_daemon_stays),
        cmocka_unit_test(what_is_not_there_cannot_be_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

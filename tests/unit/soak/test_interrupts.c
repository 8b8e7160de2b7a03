/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a signal before and after a program was asked to end. */
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WROTE = 7 };

static void on_interrupt(void *owner, int number)
{
    (void)number;
    uv_stop(owner);
}

/* A program on its way out, which a signal reaches while it writes what it has. */
static void end_under_signals(int number, bool asked)
{
    uv_loop_t loop;
    struct interrupts i;
    uv_loop_init(&loop);
    interrupts_start(&i, &loop, on_interrupt, &loop);
    if (asked) {
        raise(number);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    interrupts_stop(&i);
    uv_run(&loop, UV_RUN_DEFAULT);
    raise(number);
    _exit(WROTE);
}

static int status_of(int number, bool asked)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        end_under_signals(number, asked);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static void once_asked_to_end_further_signals_change_nothing(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
        int status = status_of(numbers[n], true);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), WROTE);
    }
}

static void what_was_never_asked_to_end_can_be_ended(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
        int status = status_of(numbers[n], false);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_asked_to_end_further_signals_change_nothing),
        cmocka_unit_test(what_was_never_asked_to_end_can_be_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

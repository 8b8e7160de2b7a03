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

enum { WROTE = 7, TOLD = 8, WAITS = 9 };

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static void on_interrupt(void *owner, int number)
{
    (void)number;
    uv_stop(owner);
}

static void on_next_interrupt(void *owner, int number)
{
    (void)owner;
    (void)number;
    _exit(TOLD);
}

struct way {
    uv_loop_t loop;
    struct interrupts of_run, next;
    int number;
};

static void begin(struct way *w)
{
    uv_loop_init(&w->loop);
    interrupts_start(&w->of_run, &w->loop, on_interrupt, &w->loop);
}

static void end(struct way *w, void (*stop)(struct interrupts *))
{
    stop(&w->of_run);
    stop(&w->of_run);
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

/* A run has come to its end by itself, and has yet to be written. */
static void run_to_its_end(struct way *w)
{
    begin(w);
    end(w, interrupts_stop_and_hold);
}

static void write_after_what_was_ended(struct way *w)
{
    begin(w);
    raise(w->number);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    end(w, interrupts_stop);
    raise(w->number);
    _exit(WROTE);
}

/* As soak does for another soak's lock after a program that it has run. */
static void wait_after_a_program(struct way *w)
{
    begin(w);
    end(w, interrupts_stop);
    raise(w->number);
    _exit(WAITS);
}

static void write_after_a_run(struct way *w)
{
    run_to_its_end(w);
    if (ending_signals_waiting())
        return;
    raise(w->number);
    _exit(ending_signals_waiting() ? WAITS : WROTE);
}

static void start_the_next(struct way *w)
{
    run_to_its_end(w);
    raise(w->number);
    interrupts_start(&w->next, &w->loop, on_next_interrupt, &w->loop);
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

/* As of a program that a run waits for. */
static void go_on_with_the_outer(struct way *w)
{
    uv_loop_init(&w->loop);
    interrupts_start(&w->of_run, &w->loop, on_next_interrupt, &w->loop);
    interrupts_start(&w->next, &w->loop, on_interrupt, &w->loop);
    interrupts_stop(&w->next);
    raise(w->number);
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

static void hang_up_on_nohup(struct way *w)
{
    signal(SIGHUP, SIG_IGN);
    run_to_its_end(w);
    raise(SIGHUP);
    _exit(ending_signals_waiting() ? WAITS : WROTE);
}

/* How a process ends that goes this way: waitpid's status. */
static int end_of(void (*go)(struct way *), int number)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct way w = {.number = number};
        go(&w);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int code_of(void (*go)(struct way *), int number)
{
    int status = end_of(go, number);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_each(void (*go)(struct way *), int code)
{
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
        assert_int_equal(code_of(go, numbers[n]), code);
}

static void once_asked_to_end_further_signals_change_nothing(void **state)
{
    (void)state;
    assert_each(write_after_what_was_ended, WROTE);
}

static void a_program_that_has_ended_by_itself_leaves_soak_to_them(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
        int status = end_of(wait_after_a_program, numbers[n]);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == numbers[n]);
    }
}

static void what_comes_while_a_run_is_written_waits(void **state)
{
    (void)state;
    assert_each(write_after_a_run, WAITS);
}

static void the_next_is_told_what_waited(void **state)
{
    (void)state;
    assert_each(start_the_next, TOLD);
}

static void the_outer_of_two_still_gets_them(void **state)
{
    (void)state;
    assert_each(go_on_with_the_outer, TOLD);
}

static void what_is_ignored_does_not_wait(void **state)
{
    (void)state;
    assert_int_equal(code_of(hang_up_on_nohup, SIGHUP), WROTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_asked_to_end_further_signals_change_nothing),
        cmocka_unit_test(a_program_that_has_ended_by_itself_leaves_soak_to_them),
        cmocka_unit_test(what_comes_while_a_run_is_written_waits),
        cmocka_unit_test(the_next_is_told_what_waited),
        cmocka_unit_test(the_outer_of_two_still_gets_them),
        cmocka_unit_test(what_is_ignored_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

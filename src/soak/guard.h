/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that don't outlive soak, whatever ends it: the one place where soak starts anything but
 * its own subjects (these follow their parent by themselves: control/control.h).
 *
 * A program of somebody else's may start others, which the kernel doesn't end with their parent. So
 * it gets a guard: a process of soak's own, the leader of a session in which the program runs. It
 * waits for its end, ends what the program has left running in its process group, and takes the end
 * over (status or signal); when soak dies it kills the group.
 * Signals don't end it: they are for the program, which may send them to its whole group. Against
 * SIGKILL nothing helps; then what is in the group is ended by soak (guard_kill).
 */
#ifndef SOAK_GUARD_H
#define SOAK_GUARD_H

#include "base/ending_signals.h"

#include <stdbool.h>
#include <uv.h>

/* As uv_spawn, for any program, which runs detached. options->file isn't found in a PATH of
 * options->env, but in soak's own. */
int guard_spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options);

/* The same for a program whose whole family is to end with it: daemons too, whatever session they
 * put themselves into. The guard lasts until the last of them has ended, and then ends as the
 * program did. On descriptor 3, a socket that the program doesn't get, it says `started pid=N`, and
 * `ended status=N signal=N` once the program itself has ended. */
int guard_spawn_all(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options);
/* Ends the family by SIGKILL: its guard's exit follows. */
void guard_kill_all(const uv_process_t *process);
/* The same without the guard's help, and ends the guard: for one that the program keeps from it. */
void guard_end_all(const uv_process_t *process);

/* What guard_run starts. */
struct guard_job {
    char **argv;        /* NULL-ended */
    char **environment; /* NULL: soak's own */
    int out_fd;         /* becomes stdout and stderr */
    uint64_t limit_ms;  /* it is killed then; 0: never */
};
struct guard_end {
    int64_t status;
    int signal_number;
};
/* Runs a program to its end. Returns 0, or libuv's code when it can't be started. */
int guard_run(const struct guard_job *what, struct guard_end *ret);

/* As uv_spawn, for soak itself; options->file is ignored. */
int guard_spawn_self(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options);

/* Sends a signal to a running process of guard_spawn and all that it has started. */
void guard_kill(const uv_process_t *process, int signal_number);

/* What main does with its words first: those that a guard or a soak under soak was started with are
 * dealt with and taken away. Doesn't return in a guard. */
void guard_begin(int *argc, char ***argv);

/*
 * The signals by which soak is asked to end (base/ending_signals.h), on the caller's loop.
 */
typedef void (*interrupt_fn)(void *owner, int signal_number);

/* Embedded by the owner, zeroed; stays until the loop has run the close callbacks. */
struct interrupts {
    uv_signal_t handle[ENDING_SIGNALS];
    interrupt_fn fn; /* NULL: not started, or stopped */
    void *owner;     /* borrowed */
};

/* One that came while they were held is told at once. */
void interrupts_start(struct interrupts *i, uv_loop_t *loop, interrupt_fn fn, void *owner);
/* They don't keep the loop alive. */
void interrupts_unref(struct interrupts *i);
/* Stopping twice, or what was never started, is harmless. Once none are started, a signal ends soak
 * as it ends any program; but where one was told, further ones are held back, as soak is ending and
 * still writes what it has. */
void interrupts_stop(struct interrupts *i);
/* The same for an owner that still writes something in any case: they are held from here on. */
void interrupts_stop_and_hold(struct interrupts *i);

/* Closes any handle of libuv's: what is closing already, or was never opened (zeroed), is left. */
void handle_close(void *handle);
/* The uv_alloc_cb of streams whose bytes are used up before the next read. Every caller in the
 * program gets the same buffer, so that they must share a loop, or one thread. */
void handle_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret);

#endif

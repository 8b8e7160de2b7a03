/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's own commands: --build, before a run, and --on-drain, after the drain, such as `jcmd
 * {pid} GC.run`: what only waits to be freed goes away then. No shell: a text is split on blanks,
 * {pid} becomes the server's.
 */
#ifndef SOAK_USER_COMMAND_H
#define SOAK_USER_COMMAND_H

#include "run.h"

/* Runs the command of --build to its end; what it prints goes to stderr. Returns 0, or -1 with a
 * sentence. */
int user_command_build(const char *command, struct err *e);

/* Refuses a command that can't be started, before anything else is. NULL: there is none. Returns 0
 * or -1. */
int on_drain_check(const char *command, struct err *e);
/* Starts the command, if there is one, and calls `done` when it has ended (at once without one). A
 * command that fails breaks the run with a sentence: the drain's meaning depends on it. */
void on_drain_start(struct run *r, void (*done)(struct run *));
/* Ends the command, and all that it has started, if it runs. */
void on_drain_kill(struct run *r);

#endif

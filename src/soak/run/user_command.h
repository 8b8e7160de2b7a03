/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's own commands: --build, before a run; --on-checkpoint, before each sample, and
 * --on-drain, after the drain, such as `jcmd {pid} GC.run`: what only waits to be freed goes away
 * then; --reload, which is counted. No shell: see base/words.h, and placeholders.h for {pid} and
 * its like.
 */
#ifndef SOAK_USER_COMMAND_H
#define SOAK_USER_COMMAND_H

#include "run.h"

/* Runs the command of --build to its end; what it prints goes to stderr. Returns 0, or -1 with a
 * sentence. */
int user_command_build(const char *command, struct err *e);

/* Refuses a command of --`name` that can't be started, before anything else is. NULL: there is
 * none. Returns 0 or -1. */
int user_command_check(const char *name, const char *command, struct err *e);
/* Starts the command of --`name`, if there is one, and calls `done` when it has ended (at once
 * without one). The run is in RUN_COMMAND meanwhile. A command that fails breaks the run with a
 * sentence: what is measured after it means nothing. When the run is interrupted meanwhile it ends
 * with what was measured before. */
void user_command_start(struct run *r, const char *name, const char *command,
                        void (*done)(struct run *));
/* Ends the command, and goes on as if it had done what it was to do. */
void user_command_drop(struct run *r);
/* The run is interrupted: ends the command if the run waits for it and it wasn't dropped, as that
 * may take for ever. */
void user_command_interrupted(struct run *r);
/* Ends the command, and all that it has started, if it runs. */
void user_command_kill(struct run *r);

#endif

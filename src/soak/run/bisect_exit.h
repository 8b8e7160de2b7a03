/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `soak run --bisect-exit --build COMMAND`: a run as `git bisect run` wants it. Git takes exit 0
 * for good, 125 for a commit that can't be tried, anything up to 127 for bad, and stops at 128 and
 * more.
 */
#ifndef SOAK_BISECT_EXIT_H
#define SOAK_BISECT_EXIT_H

#include "base/err.h"

#include <stdbool.h>

/* Whether the line asks for it, even a line that can't be read. */
bool bisect_exit_asked(int argc, char *const *argv);
/* 0 and 1 as they are, 125 for 2, 3 and 4; 130 stays, so that an interrupt ends the bisection. What
 * was refused before the build was `tried` would be at every commit: 128, which ends it too. */
int bisect_exit_code(int code, bool tried);
/* Runs the command to its end, split on blanks, no shell; what it prints goes to stderr. Returns 0,
 * or -1 with a sentence. */
int bisect_build(const char *command, struct err *e);

#endif

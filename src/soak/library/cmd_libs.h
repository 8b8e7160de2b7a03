/* SPDX-License-Identifier: Apache-2.0 */
/* `soak libs`: the libraries that subjects can run on. */
#ifndef SOAK_CMD_LIBS_H
#define SOAK_CMD_LIBS_H

#include "command.h"

extern const struct command libs_command;

/* argv[0] is "libs". Returns the exit code. */
int cmd_libs(int argc, char *const *argv);

#endif

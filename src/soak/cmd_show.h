/* SPDX-License-Identifier: Apache-2.0 */
/* `soak show`: what a scenario comes down to, and where each value is from. */
#ifndef SOAK_CMD_SHOW_H
#define SOAK_CMD_SHOW_H

#include "command.h"

extern const struct command show_command;

/* argv[0] is the command's name. Returns the exit code. */
int cmd_show(int argc, char *const *argv);

#endif

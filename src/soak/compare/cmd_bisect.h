/* SPDX-License-Identifier: Apache-2.0 */
/* `soak bisect SCENARIO --openssl A..B`: since which version? */
#ifndef SOAK_CMD_BISECT_H
#define SOAK_CMD_BISECT_H

#include "command.h"

extern const struct command bisect_command;

/* argv[0] is the command's name. Returns the exit code. */
int cmd_bisect(int argc, char *const *argv);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* `soak list`: the scenarios, behaviours and defects there are. */
#ifndef SOAK_CMD_LIST_H
#define SOAK_CMD_LIST_H

#include "command.h"

extern const struct command list_command;

/* argv[0] is the command's name. Returns the exit code. */
int cmd_list(int argc, char *const *argv);

#endif

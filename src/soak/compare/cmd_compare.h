/* SPDX-License-Identifier: Apache-2.0 */
/* `soak compare SCENARIO --openssl A,B,...` and `soak compare RUN RUN...`: which version does it?
 */
#ifndef SOAK_CMD_COMPARE_H
#define SOAK_CMD_COMPARE_H

#include "command.h"

extern const struct command compare_command;

/* argv[0] is the command's name. Returns the exit code. */
int cmd_compare(int argc, char *const *argv);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* `soak selftest [--quick] [--seeds N] [--rates LIST] [--only DEFECT]`: every bug of the built-in
 * server against its right verdict. */
#ifndef SOAK_CMD_SELFTEST_H
#define SOAK_CMD_SELFTEST_H

#include "command.h"

extern const struct command selftest_command;

/* argv[0] is skipped, as in main. Returns the exit code: 0, 1 when a case isn't as expected, 2
 * usage, 4 when it can't run, 130 interrupted. */
int cmd_selftest(int argc, char *const *argv);

#endif

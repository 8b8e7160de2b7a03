/* SPDX-License-Identifier: Apache-2.0 */
/* `soak calibrate [--runs N] [--closed N] [--seed HEX] [--mix NAME]`: how often a clean run is
 * called a leak. */
#ifndef SOAK_CMD_CALIBRATE_H
#define SOAK_CMD_CALIBRATE_H

#include "command.h"

extern const struct command calibrate_command;

/* argv[0] is skipped, as in main. Returns the exit code: 0, 1 when a run was called LEAK or INVALID
 * or a ledger moved that must be level, 2 usage, 4 when it can't run, 130 interrupted. */
int cmd_calibrate(int argc, char *const *argv);

#endif

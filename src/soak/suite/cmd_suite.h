/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `soak suite`: many scenarios one after the other, each a run of its own, and whether each came
 * out as expected.
 */
#ifndef SOAK_CMD_SUITE_H
#define SOAK_CMD_SUITE_H

#include "command.h"

extern const struct command suite_command;

/* Runs the command. argv[0] is "suite". Returns the exit code. */
int cmd_suite(int argc, char *const *argv);

#endif

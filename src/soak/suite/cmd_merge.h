/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `soak merge`: the suites of several shards as one.
 */
#ifndef SOAK_CMD_MERGE_H
#define SOAK_CMD_MERGE_H

#include "command.h"

extern const struct command merge_command;

/* Runs the command. argv[0] is "merge". Returns the exit code. */
int cmd_merge(int argc, char *const *argv);

#endif

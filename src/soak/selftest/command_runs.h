/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that measures by many runs of soak (`selftest`, `calibrate`): its options and refusals,
 * the folder of its runs, and what it exits with.
 */
#ifndef SOAK_COMMAND_RUNS_H
#define SOAK_COMMAND_RUNS_H

#include "command.h"
#include "run_process.h"

struct command_runs {
    const struct command *command;
    void *options;           /* borrowed: the command's table writes it */
    void *owner;             /* borrowed: handed to the calls below */
    struct run_process *sub; /* borrowed: opened before `run` and closed at the end */
    /* What is wrong with the options: 0, or -1 with a sentence. */
    int (*check)(void *owner, struct err *e);
    /* All runs: 0, or -1 when soak can't be run or an interrupt came. */
    int (*run)(void *owner, struct err *e);
    /* Prints what was measured, of an interrupted command too. Whether all was as it must be. */
    bool (*summarise)(const void *owner);
};

/* Returns the exit code: 0, 1 when something isn't as it must be, 2 usage, 4 when soak can't be
 * run, 130 interrupted. */
int command_runs(const struct command_runs *c, int argc, char *const *argv);

#endif

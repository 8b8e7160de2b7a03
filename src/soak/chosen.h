/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenario that a command line chooses: the defaults, then the file, then the options.
 */
#ifndef SOAK_CHOSEN_H
#define SOAK_CHOSEN_H

#include "scenario/scenario.h"

#include <limits.h>

struct chosen {
    struct scenario scenario;
    struct scenario_origin origin;
    const char *word; /* as it was typed, which finds it again; "default" when none was. Borrowed */
    char here[PATH_MAX]; /* the scenario's folder; the working folder without a file */
    char name[128];      /* for the run's folder and the report: "smoke" */
};

/* Reads [SCENARIO] [OPTIONS] from argv[1..argc), a line of `command`, which sentences name. Nothing
 * is checked yet but the words by themselves. Returns 0 or -1. */
int chosen_read(struct chosen *c, const char *command, int argc, char *const *argv, struct err *e);

/* Whether the first word of a line stands where a command does and is none, nor a scenario. `e`
 * then says what was meant. */
bool chosen_is_mistyped(int argc, char *const *argv, struct err *e);

/* scenario_check; the sentence says in which line of a file the option stands. Returns 0 or -1. */
int chosen_check(const struct chosen *c, struct err *e);

#endif

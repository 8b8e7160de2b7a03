/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each option of a scenario has its value from: beside struct scenario, for those who want to
 * tell it. Plain data; file names live until the process ends.
 */
#ifndef SOAK_SCENARIO_ORIGIN_H
#define SOAK_SCENARIO_ORIGIN_H

#include "scenario/scenario.h"

enum scenario_source { SCENARIO_DEFAULT, SCENARIO_FILE, SCENARIO_COMMAND };

struct scenario_place {
    enum scenario_source source;
    const char *file; /* SCENARIO_FILE only */
    int line;
};

struct scenario_origin {
    struct scenario_place place[SCENARIO_OPTIONS]; /* in the order of scenario_options */
};

/* Notes that option `i` was given at `place`; the mix stands for every weight. */
void scenario_note(struct scenario_origin *o, size_t i, struct scenario_place place);
/* Notes what a command line gives that opts_parse has accepted. */
void scenario_note_command(struct scenario_origin *o, int argc, char *const *argv);

/* scenario_read that notes the lines of what it read; on failure both are as they were. */
int scenario_read_noting(struct scenario *s, struct scenario_origin *o, const char *path,
                         struct err *e);

/* `default`, `scenarios/smoke.soak:4` or `command line`. Returns buf. */
char *scenario_place_print(char *buf, size_t size, const struct scenario_place *place);
/* Puts `file:line: ` before a sentence of scenario_check about an option that a file has given.
 * Returns -1. */
int scenario_locate(const struct scenario_origin *o, struct err *e);

#endif

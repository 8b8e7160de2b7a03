/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What soak says of itself: `--help` and the man page, both from the same tables of options and
 * commands, so that they can't disagree.
 */
#ifndef SOAK_HELP_H
#define SOAK_HELP_H

#include <stdio.h>

void help_print(FILE *out);
/* `help [COMMAND]`. Returns an exit code. */
int help_command(int argc, char *const *argv);
/* The man page soak(1), in man(7)'s macros. */
void help_man(FILE *out);

#endif

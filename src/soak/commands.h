/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every command of soak but `run`, once: what main calls, --help and the man page list, and a
 * refused option or word may have meant.
 */
#ifndef SOAK_COMMANDS_H
#define SOAK_COMMANDS_H

#include "command.h"

struct command_entry {
    const struct command *command;
    int (*run)(int argc, char *const *argv); /* argv[0] is the command's name. An exit code */
};

/* In the order of the help. */
const struct command_entry *commands(size_t *ret_count);
/* NULL when there is none of this name. */
const struct command_entry *commands_find(const char *name);

/* Replaces the sentence of an OPTS_STRANGER: says what soak calls what was typed, or which command
 * has it. `name` is the command's ("run"), the rest is what was given to opts_parse. Returns -1. */
int commands_stranger(const char *name, const struct opt *table, size_t count, int argc,
                      char *const *argv, struct err *e);
/* The same for opts_parse's result `rc`: other sentences stay as they are. Returns rc or -1. */
int commands_parsed(int rc, const char *name, const struct opt *table, size_t count, int argc,
                    char *const *argv, struct err *e);

/* The command that a word which is none may have meant, or NULL. */
const char *commands_nearest(const char *word);

#endif

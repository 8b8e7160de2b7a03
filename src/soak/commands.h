/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every command of soak, once: what main calls, --help and the man page list, and a refused option
 * or word may have meant. Each is defined in the file of its function, with its options.
 */
#ifndef SOAK_COMMANDS_H
#define SOAK_COMMANDS_H

#include "command.h"

extern const struct command list_command, show_command, suite_command, merge_command, libs_command,
    report_command, shorten_command, compare_command, bisect_command, history_command,
    selftest_command, calibrate_command, doctor_command, agent_command;

/* argv[0] is the command's name, or the program's. They return an exit code. */
int cmd_run(int argc, char *const *argv);
int cmd_list(int argc, char *const *argv);
int cmd_show(int argc, char *const *argv);
int cmd_suite(int argc, char *const *argv);
int cmd_merge(int argc, char *const *argv);
int cmd_report(int argc, char *const *argv);
int cmd_shorten(int argc, char *const *argv);
int cmd_libs(int argc, char *const *argv);
int cmd_compare(int argc, char *const *argv);
int cmd_bisect(int argc, char *const *argv);
int cmd_history(int argc, char *const *argv);
int cmd_selftest(int argc, char *const *argv);
int cmd_calibrate(int argc, char *const *argv);
int cmd_doctor(int argc, char *const *argv);
int cmd_agent(int argc, char *const *argv);
int cmd_help(int argc, char *const *argv);       /* help [COMMAND] */
int cmd_man(int argc, char *const *argv);        /* the man page soak(1), in man(7)'s macros */
int cmd_version(int argc, char *const *argv);    /* one line */
int cmd_completion(int argc, char *const *argv); /* --completion SHELL: its script */
int cmd_complete(int argc, char *const *argv);   /* --complete WORDS: what the last could be */

/* The help of a run and of soak as a whole, from the same tables as the man page. */
void help_print(FILE *out);

/* In the order of the help; those without a `line` aren't listed. */
const struct command *const *commands(size_t *ret_count);
/* NULL when there is none of this name. */
const struct command *commands_find(const char *name);

/* Replaces the sentence of an OPTS_STRANGER: says what soak calls what was typed, or which command
 * has it. Returns -1. */
int commands_stranger(const struct command_line *line, struct err *e);

/* The command that a word which is none may have meant, or NULL. */
const char *commands_nearest(const char *word);

#endif

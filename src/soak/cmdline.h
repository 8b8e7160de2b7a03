/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command for people to copy, built word by word; every word is quoted for the shell that needs
 * it. The text is cut at the end of the buffer; then `used` is `size` or more.
 */
#ifndef SOAK_CMDLINE_H
#define SOAK_CMDLINE_H

#include "scenario/origin.h"
#include "scenario/scenario.h"

#include <stddef.h>

struct cmdline {
    char *text; /* borrowed */
    size_t size, used;
};

/* Appends as it is. */
void cmdline_add(struct cmdline *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends the program as it is typed: ./soak in a clone, soak where it is installed. */
void cmdline_program(struct cmdline *c);
/* Appends a blank and a word. */
void cmdline_word(struct cmdline *c, const char *word);
/* Appends option `i` of scenario_options with its value in `s`; what opts_parse reads gives it back
 * exactly. */
void cmdline_option(struct cmdline *c, const struct scenario *s, size_t i);
/* Appends each option whose value isn't its default; the behaviours by `--mix`. */
void cmdline_differences(struct cmdline *c, const struct scenario *s);
/* Whether option `i` of `s` prints as in `other`. */
bool cmdline_same(const struct scenario *s, const struct scenario *other, size_t i);

#endif

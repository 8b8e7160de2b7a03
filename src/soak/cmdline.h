/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command for people to copy, built word by word; every word is quoted for the shell that needs
 * it.
 */
#ifndef SOAK_CMDLINE_H
#define SOAK_CMDLINE_H

#include "base/text.h"
#include "scenario/scenario.h"

#include <stddef.h>

/* Appends the program as it is typed: soak where it is installed; in a clone as its launcher was
 * called, which says so in SOAK_COMMAND, else ./soak. */
void cmdline_program(struct text *c);
/* Appends a blank and a word. */
void cmdline_word(struct text *c, const char *word);
/* Bytes that it appends at most. */
size_t cmdline_word_room(const char *word);
/* Appends option `i` of scenario_options with its value in `s`; what opts_parse reads gives it back
 * exactly. */
void cmdline_option(struct text *c, const struct scenario *s, size_t i);
/* Whether option `i` has its default in `s`; or the same value in both. */
bool cmdline_is_usual(const struct scenario *s, size_t i);
bool cmdline_is_same(const struct scenario *a, const struct scenario *b, size_t i);
/* Appends each option whose value isn't that of `base`; the behaviours by `--mix`. */
void cmdline_differences(struct text *c, const struct scenario *s, const struct scenario *base);

#endif

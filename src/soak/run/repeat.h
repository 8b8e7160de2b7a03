/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command that runs the same again: the scenario by the word that finds it, and the options
 * that were typed. How long the run was is left out of it where another length is to follow; what
 * the scenario's file says of its length holds all the same, and is taken back by name.
 */
#ifndef SOAK_REPEAT_H
#define SOAK_REPEAT_H

#include "base/text.h"
#include "run.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the command; `whole`, with what was typed of its length. */
void repeat_run(struct text *c, const struct run *r, bool whole);
void repeat_seed(struct text *c, const struct run *r);
/* Whether the file says how long the run is; or has this option. */
bool repeat_is_bound(const struct run *r);
bool repeat_has(const struct run *r, const char *name);
/* Appends the option as it is by default, where the file has another: `--closed 0`. */
void repeat_take_back(struct text *c, const struct run *r, const char *name);
/* Appends the option as it was typed, where the file has another. */
void repeat_put_over(struct text *c, const struct run *r, const char *name);

/* The command that repeats the run to the letter, its length and seed too; "" when it is too long.
 * Returns buf. */
char *repeat_again(const struct run *r, char *buf, size_t size);
/* The same without the scenario's file: each of its options that isn't at its default. */
char *repeat_alone(const struct run *r, char *buf, size_t size);

/* A command without its last options is another command: the text, or "". */
char *repeat_whole_or_none(const struct text *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line without a shell: words at blanks, '...' and "..." hold a word together, a
 * backslash takes the next character as it is (not between single quotes), and {name} stands for a
 * value. A value is never split, whatever is in it. `{` that doesn't begin a name is itself. Pure.
 */
#ifndef SOAK_BASE_WORDS_H
#define SOAK_BASE_WORDS_H

#include "err.h"
#include "text.h"

#include <stdbool.h>

enum { WORDS_MAX = 64, WORDS_BYTES = 8192 };

/* `value` NULL: there is none here, and the name is refused. */
struct words_value {
    const char *name, *value;
};

/* For exec. */
struct words {
    char *argv[WORDS_MAX + 1]; /* NULL-ended; point into bytes */
    int count;
    char bytes[WORDS_BYTES];
};

/* Splits `command`. `values` ends with a NULL name; NULL: nothing stands for anything, and braces
 * are themselves. Returns 0, or -1 with a sentence that doesn't repeat the command. */
int words_split(const char *command, const struct words_value *values, struct words *ret,
                struct err *e);

/* `text` with the value in the place of each {name}, and nothing else changed: neither quotes nor
 * backslashes mean anything. A name that isn't in the list is refused, or where it may be the
 * text's own (`foreign_names`) left as it is. Returns what free() frees; NULL with a sentence. */
char *words_fill(const char *text, const struct words_value *values, bool foreign_names,
                 struct err *e);

/* Appends a word as a shell has to read it: plain ones stay as they are, what could steer a
 * terminal is spelled. */
void words_quote(struct text *c, const char *word);

/* Whether a text that somebody else wrote is such words and blanks: as a part of a command it is
 * words, and no shell takes anything in it for its own. */
bool words_are_quoted(const char *text);

#endif

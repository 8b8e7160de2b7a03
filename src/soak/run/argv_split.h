/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that a user gave as one text, split on blanks for exec: no shell reads it.
 */
#ifndef SOAK_WORDS_H
#define SOAK_WORDS_H

enum { WORDS_MAX = 32, WORDS_BYTES = 1024 };

struct split_argv {
    char *argv[WORDS_MAX + 1]; /* NULL-ended; point into bytes */
    int count;
    char bytes[WORDS_BYTES];
};

/* Splits `command`; `{pid}` is replaced when pid isn't 0. Returns 0, or -1 when there is no word or
 * no room. */
int argv_split(struct split_argv *w, const char *command, int pid);

#endif

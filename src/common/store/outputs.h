/*
 * Documents that a command writes where an option says: a file, or stdout for "-".
 */
#ifndef SOAK_STORE_OUTPUTS_H
#define SOAK_STORE_OUTPUTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>

/* Of NULL, which is not asked for, false. */
bool output_is_stdout(const char *path);
/* Found out before the runs rather than after them: the file is made if it isn't there. `name` is
 * the option's. Returns 0 or -1. */
int output_check(const char *name, const char *path, struct err *e);
/* Calls `writer` with the open file; NULL writes nothing. Returns 0, or -1 when something of it
 * couldn't be written. */
int output_write(const char *name, const char *path, void (*writer)(const void *ctx, FILE *out),
                 const void *ctx, struct err *e);
/* The same with a text. */
int output_text(const char *name, const char *path, const char *text, struct err *e);
/* Opens a document for reading: a regular file of at most 64 MiB, since a pipe or a device could be
 * read forever. NULL with a sentence without the path. */
FILE *input_open(const char *path, struct err *e);

#endif

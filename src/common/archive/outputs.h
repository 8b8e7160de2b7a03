/* SPDX-License-Identifier: Apache-2.0 */
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
/* Opens a file for writing without waiting for anybody; `flags` is O_TRUNC or O_APPEND. NULL with a
 * sentence without the path. */
FILE *output_open(const char *path, int flags, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that a command writes where an option says: a file, or stdout for "-". A file is
 * replaced as a whole (replace.h): what couldn't be written leaves what was there.
 */
#ifndef SOAK_ARCHIVE_OUTPUTS_H
#define SOAK_ARCHIVE_OUTPUTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A form of a result that an option asks for by name: one row for each that a command has. */
struct output {
    const char *name; /* of the option: "json" */
    const char *path; /* NULL: not asked for; "-": stdout */
    void (*write)(const void *ctx, FILE *out);
    bool needs_file; /* it is never written to stdout */
};
enum { OUTPUTS_MAX = 12 };
struct outputs {
    struct output output[OUTPUTS_MAX];
    size_t count;
};

/* Found out before the runs rather than after them: one document at most goes to stdout, no two to
 * one file, and the files can be made. Returns 0 or -1. */
int outputs_check(const struct outputs *o, struct err *e);
/* Writes all that are asked for, whatever fails; the sentence is of the last that did. Returns 0 or
 * -1. */
int outputs_write(const struct outputs *o, const void *ctx, struct err *e);
/* Where the text for people goes: stderr when stdout has a document. */
FILE *outputs_text(const struct outputs *o);

/* Of NULL, which is not asked for, false. */
bool output_is_stdout(const char *path);
/* Found out before the runs rather than after them: whether the file can be made; it isn't yet.
 * `name` is the option's. Returns 0 or -1. */
int output_check(const char *name, const char *path, struct err *e);
/* The same with a text. */
int output_text(const char *name, const char *path, const char *text, struct err *e);
/* Calls `writer` with a stream whose text becomes the file, or goes to stdout for "-". Returns 0,
 * or -1 with a sentence without the path. */
int output_file(const char *path, void (*writer)(const void *ctx, FILE *out), const void *ctx,
                struct err *e);
/* The same to stdout or stderr. Neither waits for a reader when soak is asked to end: see
 * base/ending_signals.h. */
int output_print(FILE *out, void (*writer)(const void *ctx, FILE *out), const void *ctx,
                 struct err *e);
/* Opens a file for more at its end, without waiting for anybody. NULL with a sentence without the
 * path. */
FILE *output_append(const char *path, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One human sentence for a failure, carried upwards by value. A function that can fail takes
 * `struct err *e` last, returns 0 or a negative code, and on failure writes the sentence here and
 * nothing else. No heap: the text is cut at the end of the buffer. What it quotes is made printable
 * (base/text.h). Thread-safe per object.
 */
#ifndef SOAK_BASE_ERR_H
#define SOAK_BASE_ERR_H

#include <stdarg.h>

struct err {
    char text[512];
};

/* Writes the sentence (printf format) and returns -1, so that `return err_set(e, ...)` reads well.
 * `e` may be NULL: then only the -1 is returned. */
int err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts `prefix: ` (printf format) before the sentence already there. Returns -1. */
int err_prefix(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* clang-tidy looks at one file, and takes what comes after a failure for reachable. (The
 * parentheses in err.c keep the definitions from these.) */
#ifdef __clang_analyzer__
#define err_set(...)    (err_set(__VA_ARGS__), -1)
#define err_prefix(...) (err_prefix(__VA_ARGS__), -1)
#endif

#endif

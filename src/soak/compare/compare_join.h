/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of a sentence, joined into a buffer; cut at its end.
 */
#ifndef SOAK_COMPARE_JOIN_H
#define SOAK_COMPARE_JOIN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct join {
    char *buf; /* borrowed */
    size_t size, used;
    const char *between;
};

static inline void join_begin(struct join *j)
{
    j->used = 0;
    j->buf[0] = '\0';
}

__attribute__((format(printf, 2, 3))) static inline void join_add(struct join *j,
                                                                  const char *format, ...)
{
    va_list args;
    if (j->used)
        j->used += (size_t)snprintf(j->buf + j->used, j->size - j->used, "%s", j->between);
    if (j->used >= j->size)
        return;
    va_start(args, format);
    j->used += (size_t)vsnprintf(j->buf + j->used, j->size - j->used, format, args);
    va_end(args);
    if (j->used >= j->size)
        j->used = j->size - 1;
}

#endif

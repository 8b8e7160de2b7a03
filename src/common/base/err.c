/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A sentence quotes what others wrote. */
static void finish(struct err *e, int wanted)
{
    if (wanted >= (int)sizeof e->text)
        text_drop_part(e->text);
    text_clean(e->text);
}

int err_set(struct err *e, const char *format, ...)
{
    if (e) {
        va_list args;
        va_start(args, format);
        int n = vsnprintf(e->text, sizeof e->text, format, args);
        va_end(args);
        finish(e, n);
    }
    return -1;
}

int err_prefix(struct err *e, const char *format, ...)
{
    if (!e)
        return -1;
    char said[sizeof e->text];
    memcpy(said, e->text, sizeof said);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof e->text)
        n += snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", said);
    finish(e, n);
    return -1;
}

_Noreturn void check_fail(const char *file, int line, const char *text)
{
    char said[256];
    int n = snprintf(said, sizeof said, "%s:%d: CHECK failed: %s\n", file, line, text);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof said ? (size_t)n : sizeof said - 1;
    ssize_t written = write(STDERR_FILENO, said, length);
    (void)written;
    abort();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
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

int(err_set)(struct err *e, const char *format, ...)
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

int(err_prefix)(struct err *e, const char *format, ...)
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

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char said[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(said, sizeof said, format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof said ? (size_t)n : sizeof said - 1;
    ssize_t written = write(STDERR_FILENO, said, length);
    (void)written;
}

/* What a system that has no more to give says. */
static bool is_refusal(int error)
{
    return error == ENOMEM || error == EMFILE || error == ENFILE;
}

_Noreturn void check_fail(const char *file, int line, const char *text)
{
    if (is_refusal(errno)) {
        say("%s: %s (%s:%d)\n", program_invocation_short_name,
            errno == ENOMEM ? "out of memory" : strerror(errno), file, line);
        _exit(EXIT_BROKEN);
    }
    say("%s:%d: CHECK failed: %s\n", file, line, text);
    abort();
}

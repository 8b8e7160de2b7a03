/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void check_fail(const char *file, int line, const char *text)
{
    char said[256];
    int n = snprintf(said, sizeof said, "%s:%d: CHECK failed: %s\n", file, line, text);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof said ? (size_t)n : sizeof said - 1;
    ssize_t written = write(STDERR_FILENO, said, length);
    (void)written;
    abort();
}

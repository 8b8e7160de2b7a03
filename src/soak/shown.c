/* SPDX-License-Identifier: Apache-2.0 */
#include "shown.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *shown_dir(const char *path)
{
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here))
        return path;
    size_t length = strlen(here);
    bool below = strncmp(path, here, length) == 0 && path[length] == '/';
    return below ? path + length + 1 : path;
}

char *shown_last(const char *shown, char *buf, size_t size)
{
    char target[PATH_MAX];
    const char *slash = strrchr(shown, '/');
    int n = slash ? snprintf(buf, size, "%.*s/last", (int)(slash - shown), shown) : -1;
    ssize_t length = n > 0 && (size_t)n < size ? readlink(buf, target, sizeof target - 1) : -1;
    if (length <= 0)
        return NULL;
    target[length] = '\0';
    return strcmp(target, slash + 1) == 0 ? buf : NULL;
}

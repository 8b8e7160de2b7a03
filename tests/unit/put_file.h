/* SPDX-License-Identifier: Apache-2.0 */
/* A file with a text in a folder of a test's own. */
#ifndef SOAK_TESTS_PUT_FILE_H
#define SOAK_TESTS_PUT_FILE_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Writes `name` below the folder, and makes the folders on its way. Returns its path, until the
 * next. */
static inline char *put_file(const char *folder, const char *name, const char *text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0700);
        *p = '/';
    }
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    return path;
}

#endif

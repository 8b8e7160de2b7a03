/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text against the one that is kept: tests/unit/stats/golden/NAME.txt.
 * After a deliberate change, the test with GOLDEN_WRITE=1 in its environment writes it anew, to be
 * read as a diff. Header-only, for the unit tests alone.
 */
#ifndef SOAK_TESTS_STATS_GOLDEN_H
#define SOAK_TESTS_STATS_GOLDEN_H

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Six digits: the same with each compiler. */
#define FIGURE "%.6g"

static void golden_differs(const char *path, const char *text, const char *approved)
{
    size_t line = 1;
    for (; *text && *text == *approved; text++, approved++)
        line += *text == '\n';
    fail_msg("%s:%zu: now \"%.200s\", approved \"%.200s\"", path, line, text, approved);
}

static void golden_expect(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.txt", GOLDEN_DIR, name);
    size_t size = strlen(text);
    if (getenv("GOLDEN_WRITE")) {
        FILE *made = fopen(path, "w");
        CHECK(made && fwrite(text, 1, size, made) == size && fclose(made) == 0);
    }
    char *approved = calloc(1, 2 * size + 2);
    FILE *in = fopen(path, "r");
    CHECK(approved && in);
    approved[fread(approved, 1, 2 * size + 1, in)] = '\0';
    fclose(in);
    if (strcmp(text, approved) != 0)
        golden_differs(path, text, approved);
    free(approved);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "build_log.h"

#include "base/input.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { NAMES = 128, NAME = 64, SHOWN = 8, LINE = 1024 };

/* What stands before a missing name, and behind it; gcc, clang and ld in the C locale. */
static const struct {
    const char *before, *after;
} marks[] = {
    {"undefined reference to `", "'"},           {"undefined symbol: ", "\n"},
    {"implicit declaration of function '", "'"}, {"unknown type name '", "'"},
    {"use of undeclared identifier '", "'"},     {"error: '", "' undeclared"},
};
enum { MARKS = sizeof marks / sizeof *marks };

struct names {
    size_t count; /* also those that aren't kept */
    char name[NAMES][NAME];
};

static void add(struct names *n, const char *text, size_t length)
{
    if (length == 0 || length >= NAME)
        return;
    for (size_t i = 0; i < n->count && i < NAMES; i++)
        if (strncmp(n->name[i], text, length) == 0 && n->name[i][length] == '\0')
            return;
    if (n->count < NAMES)
        snprintf(n->name[n->count], NAME, "%.*s", (int)length, text);
    n->count++;
}

static void take_line(struct names *n, const char *line)
{
    for (int i = 0; i < MARKS; i++) {
        const char *at = strstr(line, marks[i].before);
        if (!at)
            continue;
        at += strlen(marks[i].before);
        const char *end = strstr(at, marks[i].after);
        if (end)
            add(n, at, (size_t)(end - at));
    }
}

void build_log_explain(const char *log, const char *name, struct err *e)
{
    static struct names n; /* large; one thread builds */
    char line[LINE], text[400];
    struct text list = text_list(text, sizeof text, ", ");
    FILE *in = input_open(log, NULL);
    n.count = 0;
    while (in && fgets(line, sizeof line, in))
        take_line(&n, line);
    if (in)
        fclose(in);
    for (size_t i = 0; i < n.count && i < SHOWN; i++)
        text_item(&list, "%s", n.name[i]);
    if (n.count > SHOWN)
        text_add(&list, " and %zu more", n.count - SHOWN);
    if (n.count)
        err_set(e,
                "%.100s: it lacks %.250s, which the server needs; the build's output is in %.150s",
                name, text, log);
}

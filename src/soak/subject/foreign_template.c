/* SPDX-License-Identifier: Apache-2.0 */
/* --template: a program's configuration, copied to its folder with the placeholders filled in. */
#include "foreign.h"

#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Braces are common in configurations: a name that isn't soak's is theirs. */
static int fill_line(const char *line, FILE *to, const struct words_value *values, struct err *e)
{
    char *filled = words_fill(line, values, true, e);
    if (filled)
        fputs(filled, to);
    free(filled);
    return filled ? 0 : -1;
}

static int fill(FILE *from, FILE *to, const struct words_value *values, struct err *e)
{
    char *line = NULL;
    size_t size = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &size, from) >= 0)
        rc = fill_line(line, to, values, e);
    free(line);
    if (rc == 0 && (ferror(from) || fflush(to) != 0))
        rc = err_set(e, "%s", strerror(errno));
    return rc;
}

/* A new file in the folder, of the same name. */
static FILE *open_copy(const struct foreign *f, const char *from, struct err *e)
{
    char path[PATH_MAX];
    const char *slash = strrchr(from, '/');
    snprintf(path, sizeof path, "%.*s/%.255s", PATH_MAX - 260, f->files.work,
             slash ? slash + 1 : from);
    if (f->runs > 1) /* of the run before: {count} is another */
        unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
    if (!to)
        err_set(e, "%.300s: %s", path, strerror(errno));
    return to;
}

static int copy(const struct foreign *f, const char *path, struct err *e)
{
    struct words_value values[PLACEHOLDERS + 1];
    placeholders_values(&f->values, values);
    FILE *from = input_open(path, e), *to = from ? open_copy(f, path, e) : NULL;
    int rc = to ? fill(from, to, values, e) : -1;
    if (from)
        fclose(from);
    if (to)
        fclose(to);
    return rc;
}

/* Its path, where {here} is all that has a value. */
static int find(const char *template, const char *here, struct words *ret, struct err *e)
{
    struct placeholders values = {{NULL}};
    values.value[PLACEHOLDER_HERE] = here;
    if (placeholders_split(template, &values, ret, e) != 0)
        return -1;
    return ret->count == 1 ? 0 : err_set(e, "one file; --template may be given several times");
}

int foreign_templates_check(const struct scenario *s, const char *here, struct err *e)
{
    struct words path;
    for (size_t i = 0; i < s->template.count; i++) {
        if (find(s->template.item[i], here, &path, e) != 0 ||
            input_check(path.argv[0], INPUT_TEXT_MIB, e) != 0)
            return err_prefix(e, "--template %s", s->template.item[i]);
    }
    return 0;
}

int foreign_templates_fill(const struct foreign *f, const struct scenario *s, struct err *e)
{
    struct words path;
    for (size_t i = 0; i < s->template.count; i++) {
        if (find(s->template.item[i], f->values.value[PLACEHOLDER_HERE], &path, e) != 0 ||
            copy(f, path.argv[0], e) != 0)
            return err_prefix(e, "--template %s", s->template.item[i]);
    }
    return 0;
}

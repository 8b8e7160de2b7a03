/* SPDX-License-Identifier: Apache-2.0 */
#include "prefix.h"

#include "base/input.h"
#include "base/text.h"
#include "libs/version.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which macros of which header tell the version: one with a text, or up to three with numbers. */
struct source {
    enum lib_part part;
    const char *header, *macro[3];
};

static const struct source sources[] = {
    {LIB_OPENSSL, "openssl/base.h", {"AWSLC_VERSION_NUMBER_STRING"}},
    {LIB_OPENSSL, "openssl/opensslv.h", {"LIBRESSL_VERSION_TEXT"}},
    {LIB_OPENSSL, "openssl/opensslv.h", {"OPENSSL_VERSION_TEXT"}},
    {LIB_LIBUV, "uv/version.h", {"UV_VERSION_MAJOR", "UV_VERSION_MINOR", "UV_VERSION_PATCH"}},
    {LIB_LIBUV, "uv-version.h", {"UV_VERSION_MAJOR", "UV_VERSION_MINOR", "UV_VERSION_PATCH"}},
    {LIB_JEMALLOC, "jemalloc/jemalloc.h", {"JEMALLOC_VERSION"}},
};
enum { SOURCES = sizeof sources / sizeof *sources, LINE = 512 };

/* Copies the first word of the macro's value that begins with a digit. */
static bool take_define(const char *line, const char *macro, char *to, size_t size)
{
    const char *p = line + strspn(line, " \t");
    size_t length = strlen(macro);
    if (*p++ != '#')
        return false;
    p += strspn(p, " \t");
    if (strncmp(p, "define", 6) != 0)
        return false;
    p += 6 + strspn(p + 6, " \t");
    if (strncmp(p, macro, length) != 0 || !isspace((unsigned char)p[length]))
        return false;
    p += length;
    while (*p && !(isdigit((unsigned char)*p) && strchr(" \t\"", p[-1])))
        p++;
    snprintf(to, size, "%.*s", (int)strcspn(p, " \t\"\r\n"), p);
    return *to != '\0';
}

static bool read_macro(const char *path, const char *macro, char *to, size_t size)
{
    char line[LINE];
    FILE *in = input_open(path, NULL);
    bool found = false;
    while (in && !found && fgets(line, sizeof line, in))
        found = take_define(line, macro, to, size);
    if (in)
        fclose(in);
    return found;
}

static bool read_source(const struct lib *l, const struct source *s, char *to, size_t size)
{
    char path[PATH_MAX + 64], number[64];
    struct text version = text_list(to, size, ".");
    snprintf(path, sizeof path, "%s/%s", l->include[0], s->header);
    for (int i = 0; i < 3 && s->macro[i]; i++) {
        if (!read_macro(path, s->macro[i], number, sizeof number))
            return false;
        text_item(&version, "%s", number);
    }
    return !version.cut && version_ok(to);
}

static void find_version(struct lib *l)
{
    char version[64];
    snprintf(l->version, sizeof l->version, "unknown");
    for (int i = 0; i < SOURCES; i++) {
        if (sources[i].part != l->part || !l->includes ||
            !read_source(l, &sources[i], version, sizeof version))
            continue;
        snprintf(l->version, sizeof l->version, "%s", version);
        return;
    }
}

int prefix_examine(const char *prefix, enum lib_part part, struct lib *ret, struct err *e)
{
    char root[PATH_MAX];
    if (!realpath(prefix, root))
        return err_set(e, "%.300s: %s", prefix, strerror(errno));
    if (strpbrk(root, ":;,$\"'\\\n"))
        return err_set(e, "%.300s: a path without any of : ; , $ \" ' \\ is needed", root);
    *ret = (struct lib){.part = part == LIB_PARTS ? lib_part_in(root) : part};
    if (ret->part == LIB_PARTS)
        return err_set(e,
                       "%.300s: there is no libssl.so, libuv.so or libjemalloc.so in its lib or "
                       "lib64",
                       root);
    if (lib_examine(ret, root, e) != 0)
        return -1;
    const struct lib_part_entry *entry = lib_part_entry(ret->part);
    if (entry->header && !ret->includes)
        return err_set(e, "%.300s: there is no include/%s in it", root, entry->header);
    snprintf(ret->origin, sizeof ret->origin, "prefix:%.500s", root);
    find_version(ret);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/input.h"

#include "libs/lib.h"
#include "libs/version.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---- */

/* The document being read, and the place an error message names. */
struct reader {
    const char *folder;
    const json_t *document;
    struct err *e;
};

static int complain(const struct reader *r, const char *key)
{
    return err_set(r->e,
                   "%.300s/lib.json: '%s' isn't what soak writes; remove the folder and add the "
                   "library again",
                   r->folder, key);
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return true;
    return false;
}

static int take_text(const struct reader *r, const char *key, const char *text, char *to,
                     size_t size)
{
    if (!text || strlen(text) >= size || has_control(text))
        return complain(r, key);
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

static int read_text(const struct reader *r, const char *key, char *to, size_t size)
{
    return take_text(r, key, json_string_value(json_object_get(r->document, key)), to, size);
}

/* Whether one of the path's folders is "..", which leads elsewhere. */
static bool goes_up(const char *path)
{
    size_t length;
    for (; *path; path += length) {
        path += strspn(path, "/");
        length = strcspn(path, "/");
        if (length == 2 && memcmp(path, "..", 2) == 0)
            return true;
    }
    return false;
}

/* A path: absolute, or below the folder of the record. */
static int take_path(const struct reader *r, const char *key, const json_t *value, char *to)
{
    char text[PATH_MAX];
    if (take_text(r, key, json_string_value(value), text, sizeof text) != 0)
        return -1;
    if (!*text || goes_up(text))
        return complain(r, key);
    int n = *text == '/' ? snprintf(to, PATH_MAX, "%s", text)
                         : snprintf(to, PATH_MAX, "%s/%s", r->folder, text);
    return n > 0 && n < PATH_MAX ? 0 : complain(r, key);
}

static int read_includes(const struct reader *r, struct lib *l)
{
    const json_t *list = json_object_get(r->document, "include");
    if (!json_is_array(list) || json_array_size(list) > LIB_INCLUDES)
        return complain(r, "include");
    l->includes = json_array_size(list);
    for (size_t i = 0; i < l->includes; i++)
        if (take_path(r, "include", json_array_get(list, i), l->include[i]) != 0)
            return -1;
    return 0;
}

static int check_file(const struct reader *r, const struct lib *l, const char *name)
{
    char path[PATH_MAX + LIB_NAME + 1];
    snprintf(path, sizeof path, "%s/%s", l->library_dir, name);
    if (access(path, R_OK) == 0)
        return 0;
    return err_set(r->e, "%.200s: %.250s is no longer there; remove the library and add it again",
                   r->folder, path);
}

static int read_sonames(const struct reader *r, struct lib *l)
{
    const json_t *list = json_object_get(r->document, "soname");
    l->sonames = json_array_size(list);
    if (!l->sonames || l->sonames > LIB_SONAMES)
        return complain(r, "soname");
    for (size_t i = 0; i < l->sonames; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (take_text(r, "soname", text, l->soname[i], LIB_NAME) != 0)
            return -1;
        if (!lib_name_ok(l->soname[i]))
            return complain(r, "soname");
        if (check_file(r, l, l->soname[i]) != 0)
            return -1;
    }
    return 0;
}

static int read_part(const struct reader *r, struct lib *l)
{
    const char *part = json_string_value(json_object_get(r->document, "part"));
    l->part = part ? lib_part_named(part) : LIB_PARTS;
    return l->part == LIB_PARTS ? complain(r, "part") : 0;
}

static int read_names(const struct reader *r, struct lib *l)
{
    if (read_part(r, l) != 0 || read_text(r, "name", l->name, sizeof l->name) != 0 ||
        read_text(r, "version", l->version, sizeof l->version) != 0 ||
        read_text(r, "origin", l->origin, sizeof l->origin) != 0 ||
        read_text(r, "glibc", l->glibc, sizeof l->glibc) != 0 ||
        read_text(r, "libc", l->libc, sizeof l->libc) != 0)
        return -1;
    if (!lib_name_ok(l->name))
        return complain(r, "name");
    if (!version_ok(l->version))
        return complain(r, "version");
    if (*l->glibc && !version_ok(l->glibc))
        return complain(r, "glibc");
    return *l->libc && !lib_name_ok(l->libc) ? complain(r, "libc") : 0;
}

/* Made real, for it is compared with what the kernel says. */
static int read_library_dir(const struct reader *r, struct lib *l)
{
    char path[PATH_MAX];
    const json_t *value = json_object_get(r->document, "library_dir");
    if (take_path(r, "library_dir", value, path) != 0)
        return -1;
    if (realpath(path, l->library_dir))
        return 0;
    return err_set(r->e, "%.200s: %.250s is no longer there; remove the library and add it again",
                   r->folder, path);
}

static int read_document(const struct reader *r, struct lib *l)
{
    if (read_names(r, l) != 0 || read_library_dir(r, l) != 0 || read_includes(r, l) != 0)
        return -1;
    return read_sonames(r, l);
}

int lib_read(const char *folder, struct lib *ret, struct err *e)
{
    char path[PATH_MAX];
    json_error_t why;
    struct lib *l = calloc(1, sizeof *l);
    int n = snprintf(path, sizeof path, "%s/lib.json", folder);
    if (!l || n < 0 || n >= PATH_MAX) {
        free(l);
        return err_set(e, "%.300s: no memory, or the path is too long", folder);
    }
    struct err unopened = {{0}};
    FILE *in = input_open(path, &unopened);
    json_t *document = in ? json_loadf(in, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (in)
        fclose(in);
    struct reader r = {folder, document, e};
    int rc = document ? read_document(&r, l)
                      : err_set(e, "%.300s: %.150s; remove the folder and add the library again",
                                path, in ? why.text : unopened.text);
    snprintf(l->folder, sizeof l->folder, "%s", folder);
    json_decref(document);
    if (rc == 0)
        *ret = *l;
    free(l);
    return rc;
}

/* ---- writing ---- */

static const char *relative(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    bool below = strncmp(path, folder, length) == 0 && path[length] == '/';
    return below ? path + length + 1 : path;
}

static json_t *make_document(const struct lib *l, const char *folder)
{
    json_t *include = json_array(), *soname = json_array();
    for (size_t i = 0; i < l->includes; i++)
        json_array_append_new(include, json_string(relative(folder, l->include[i])));
    for (size_t i = 0; i < l->sonames; i++)
        json_array_append_new(soname, json_string(l->soname[i]));
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:s,s:s}", "part", lib_part_entry(l->part)->name,
                     "name", l->name, "version", l->version, "origin", l->origin, "include",
                     include, "library_dir", relative(folder, l->library_dir), "soname", soname,
                     "glibc", l->glibc, "libc", l->libc);
}

/* A folder's name may be anything, and lib_read takes no control characters. */
static bool can_be_read(const struct lib *l)
{
    bool ok = !has_control(l->library_dir) && !has_control(l->origin);
    for (size_t i = 0; i < l->includes; i++)
        ok = ok && !has_control(l->include[i]);
    return ok;
}

int lib_write(const struct lib *l, const char *to, struct err *e)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/lib.json", to);
    if (n < 0 || n >= PATH_MAX)
        return err_set(e, "%.300s: the path is too long", to);
    if (!can_be_read(l))
        return err_set(e, "%.300s: a folder of it has a control character in its name",
                       l->library_dir);
    json_t *text = make_document(l, to);
    if (!text)
        return err_set(e, "%.300s: the record can't be written: it isn't UTF-8", path);
    int rc = json_dump_file(text, path, JSON_INDENT(2));
    json_decref(text);
    return rc == 0 ? 0 : err_set(e, "%.300s: it can't be written: %s", path, strerror(errno));
}

static const struct lib_part_entry entries[LIB_PARTS] = {
#define X(identifier, name, dev, runtime, header, first, second, oldest)                           \
    {name, dev, runtime, header, {first, second}, oldest},
#include "libs/parts.def"
};

const struct lib_part_entry *lib_part_entry(enum lib_part part)
{
    return &entries[part];
}

enum lib_part lib_part_named(const char *name)
{
    int i = 0;
    while (i < LIB_PARTS && strcmp(entries[i].name, name) != 0)
        i++;
    return (enum lib_part)i;
}

bool lib_name_ok(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length >= LIB_NAME || !isalnum((unsigned char)text[0]))
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr(".+~_-", *text))
            return false;
    return true;
}

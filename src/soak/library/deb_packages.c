/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_packages.h"

#include "base/input.h"
#include "libs/cache.h"
#include "libs/version.h"
#include "spawn.h"
#include "unpacking.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

/* ---- package files ---- */

/* What a package file says of itself. */
struct deb {
    char package[LIB_NAME], version[LIB_VERSION];
};

/* A few MiB can hold a thousand times as much. `archive` is dpkg-deb's option that prints one of
 * the package's two as a tar; its length is known before a byte of it is on the disk. */
static int check_unpacked(const char *file, const char *archive, const char *log, struct err *e)
{
    const char *const argv[] = {"dpkg-deb", archive, file, NULL};
    struct spawn s = {.argv = argv, .log = log, .most_bytes = (uint64_t)INPUT_LIBRARY_MIB << 20};
    int rc = spawn_need(&s, file, e);
    if (rc == UV_EFBIG)
        err_set(e, "%.300s: it would unpack to more than %d MiB", file, INPUT_LIBRARY_MIB);
    return rc;
}

/* Copies the value of `key: value` in the control fields, up to the end of its line. */
static bool take_field(const char *text, const char *key, char *to, size_t size)
{
    const char *at = strstr(text, key);
    size_t length = at ? strcspn(at + strlen(key), "\n") : 0;
    if (!at || length == 0 || length >= size)
        return false;
    snprintf(to, size, "%.*s", (int)length, at + strlen(key));
    return true;
}

/* Reads the control fields of a package file by dpkg-deb. -1 with a sentence when it isn't one. */
static int deb_read(const char *file, const char *log, struct deb *ret, struct err *e)
{
    const char *const argv[] = {"dpkg-deb", "--field", file, "Package", "Version", NULL};
    char *text = NULL;
    struct deb deb;
    struct spawn s = {.argv = argv, .log = log, .ret_output = &text};
    int rc = check_unpacked(file, "--ctrl-tarfile", log, e);
    if (rc != 0 || (rc = spawn_need(&s, file, e)) != 0)
        return rc;
    bool read = text && take_field(text, "Package: ", deb.package, sizeof deb.package) &&
                take_field(text, "Version: ", deb.version, sizeof deb.version) &&
                version_ok(deb.version);
    free(text);
    if (!read)
        return err_set(e, "%.300s: it doesn't say which package and version it is", file);
    *ret = deb;
    return 0;
}

/* The part that a package is of, by parts.def; LIB_PARTS when of none. */
static enum lib_part deb_part(const char *package)
{
    int part = 0;
    for (; part < LIB_PARTS; part++) {
        const struct lib_part_entry *entry = lib_part_entry((enum lib_part)part);
        size_t length = strlen(entry->runtime_package);
        if (strcmp(package, entry->dev_package) == 0)
            break;
        /* libssl1.1, libssl3t64, libuv1: numbers, and Debian's mark of the 64-bit time. */
        if (strncmp(package, entry->runtime_package, length) == 0 &&
            strspn(package + length, "0123456789.t") == strlen(package + length))
            break;
    }
    return (enum lib_part)part;
}

int deb_packages_unpack(const char *file, const char *to, const char *log, struct err *e)
{
    struct unpacking u;
    const char *const argv[] = {"dpkg-deb", "--extract", file, u.apart, NULL};
    struct spawn s = {.argv = argv, .log = log};
    int rc = check_unpacked(file, "--fsys-tarfile", log, e);
    return rc == 0 ? unpacking_run(&u, &s, file, to, e) : rc;
}

static bool is_deb(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".deb") == 0;
}

int deb_packages_unpack_folder(const char *from, const char *to, const char *log, struct err *e)
{
    char path[PATH_MAX];
    DIR *dir = opendir(from);
    int rc = dir ? 0 : err_set(e, "%.300s: %s", from, strerror(errno));
    for (struct dirent *d = dir ? readdir(dir) : NULL; rc == 0 && d; d = readdir(dir)) {
        if (!is_deb(d->d_name))
            continue;
        int n = snprintf(path, sizeof path, "%s/%s", from, d->d_name);
        rc = n < PATH_MAX ? deb_packages_unpack(path, to, log, e)
                          : err_set(e, "the path is too long");
    }
    if (dir)
        closedir(dir);
    return rc;
}

/* ---- into the cache ---- */

static bool has_headers(const struct lib *l)
{
    return l->includes > 0 || !lib_part_entry(l->part)->header;
}

static const struct lib *find_version(const struct cache_list *list, const struct lib *l)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->lib[i].part == l->part && strcmp(list->lib[i].version, l->version) == 0 &&
            strncmp(list->lib[i].origin, "prefix:", 7) != 0)
            return &list->lib[i];
    return NULL;
}

int deb_packages_have(enum lib_part part, const char *version, struct lib *ret, struct err *e)
{
    struct cache_list list;
    struct lib l = {.part = part};
    snprintf(l.version, sizeof l.version, "%s", version);
    if (cache_list(&list, e) != 0)
        return -1;
    const struct lib *found = find_version(&list, &l);
    bool have = found && has_headers(found);
    if (have)
        *ret = *found;
    cache_list_free(&list);
    return have;
}

static bool is_taken(const struct cache_list *list, enum lib_part part, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->lib[i].part == part && strcmp(list->lib[i].name, name) == 0)
            return true;
    return false;
}

static int choose_name(struct lib *l, struct err *e)
{
    struct cache_list list;
    if (cache_list(&list, e) != 0)
        return -1;
    const struct lib *same = find_version(&list, l);
    if (same)
        snprintf(l->name, sizeof l->name, "%s", same->name);
    else if (is_taken(&list, l->part, version_upstream(l->version, l->name, sizeof l->name)))
        snprintf(l->name, sizeof l->name, "%s", l->version);
    cache_list_free(&list);
    for (char *p = l->name; *p; p++)
        *p = *p == ':' ? '_' : *p;
    if (!lib_name_ok(l->name))
        return err_set(e, "%s %s: no name can be made of this version",
                       lib_part_entry(l->part)->name, l->version);
    return cache_lib_folder(l->part, l->name, l->folder, sizeof l->folder, e);
}

int deb_packages_install(struct lib *l, const char *new_folder, struct err *e)
{
    char root[PATH_MAX + 8];
    snprintf(root, sizeof root, "%s/root", new_folder);
    if (lib_examine(l, root, e) != 0 || choose_name(l, e) != 0 ||
        cache_install(l, new_folder, e) != 0)
        return -1;
    return lib_read(l->folder, l, e);
}

/* ---- files that a user names ---- */

/* All must be of one part and version. */
static int check_together(const struct deb_files *files, struct lib *l, struct err *e)
{
    struct deb first, deb;
    for (size_t i = 0; i < files->count; i++) {
        int rc = deb_read(files->file[i], files->log, &deb, e);
        if (rc != 0)
            return rc;
        if (deb_part(deb.package) == LIB_PARTS)
            return err_set(e, "%.300s: %s is not a package of openssl, libuv, jemalloc or libc",
                           files->file[i], deb.package);
        if (i == 0)
            first = deb;
        if (strcmp(deb.version, first.version) != 0 ||
            deb_part(deb.package) != deb_part(first.package))
            return err_set(e, "%s %s and %s %s aren't one library: add them one after the other",
                           first.package, first.version, deb.package, deb.version);
    }
    l->part = deb_part(first.package);
    snprintf(l->version, sizeof l->version, "%s", first.version);
    return 0;
}

static int unpack_all(const struct deb_files *files, const char *folder, struct lib *l,
                      struct err *e)
{
    char root[PATH_MAX + 8];
    snprintf(root, sizeof root, "%s/root", folder);
    if (mkdir(root, 0700) != 0)
        return err_set(e, "%.300s: %s", root, strerror(errno));
    for (size_t i = 0; i < files->count; i++) {
        int rc = deb_packages_unpack(files->file[i], root, files->log, e);
        if (rc != 0)
            return rc;
    }
    return deb_packages_install(l, folder, e);
}

static int add_new(const struct deb_files *files, struct lib *l, struct err *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(files->file[0], '/');
    snprintf(l->origin, sizeof l->origin, "file:%.300s", slash ? slash + 1 : files->file[0]);
    int rc = cache_new_folder(folder, sizeof folder, e);
    if (rc == 0 && (rc = unpack_all(files, folder, l, e)) != 0)
        cache_drop(folder);
    return rc;
}

int deb_packages_add(const struct deb_files *files, struct lib *ret, bool *ret_added, struct err *e)
{
    struct lib l = {.libc = ""};
    int rc = check_together(files, &l, e);
    int have = rc == 0 ? deb_packages_have(l.part, l.version, ret, e) : rc;
    if (have != 0) {
        *ret_added = false;
        return have > 0 ? 0 : have;
    }
    rc = add_new(files, &l, e);
    if (rc != 0)
        return rc;
    *ret = l;
    *ret_added = true;
    return 0;
}

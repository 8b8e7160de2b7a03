/* SPDX-License-Identifier: Apache-2.0 */
#include "libs/cache.h"

#include "base/scratch.h"
#include "libs/version.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((format(printf, 4, 5))) static int print_path(char *to, size_t size, struct err *e,
                                                            const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to, size, format, args);
    va_end(args);
    return n >= 0 && (size_t)n < size ? 0 : err_set(e, "%.200s...: the path is too long", to);
}

/* ---- the root ---- */

int cache_root(char *ret, size_t size, struct err *e)
{
    static const struct {
        const char *variable, *below;
    } bases[] = {{"SOAK_CACHE", ""}, {"XDG_CACHE_HOME", "/soak"}, {"HOME", "/.cache/soak"}};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        const char *base = getenv(bases[i].variable);
        if (!base || !*base)
            continue;
        if (*base != '/' || strpbrk(base, ":;,$\"'\\\n"))
            return err_set(e,
                           "%s=%.200s: an absolute path without any of : ; , $ \" ' \\ is needed",
                           bases[i].variable, base);
        return print_path(ret, size, e, "%s%s", base, bases[i].below);
    }
    return err_set(e, "there is no place for libraries: set SOAK_CACHE to a folder");
}

static int make_folder(const char *path, struct err *e)
{
    struct stat s;
    if (mkdir(path, 0700) == 0)
        return 0;
    int why = errno;
    if (why == EEXIST && stat(path, &s) == 0) {
        if (S_ISDIR(s.st_mode))
            return 0;
        why = ENOTDIR;
    }
    return err_set(e, "%.300s: the folder can't be made: %s", path, strerror(why));
}

static int make_folders(char *path, struct err *e)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        int rc = make_folder(path, e);
        *p = '/';
        if (rc != 0)
            return -1;
    }
    return make_folder(path, e);
}

int cache_make(const char *below, char *ret, size_t size, struct err *e)
{
    char root[PATH_MAX], path[PATH_MAX];
    if (cache_root(root, sizeof root, e) != 0 ||
        print_path(path, sizeof path, e, "%s%s%s", root, *below ? "/" : "", below) != 0 ||
        make_folders(path, e) != 0)
        return -1;
    if (access(path, W_OK | X_OK) != 0)
        return err_set(e, "%.300s: it can't be written to: %s", path, strerror(errno));
    return print_path(ret, size, e, "%s", path);
}

/* ---- the libraries ---- */

int cache_lib_folder(enum lib_part part, const char *name, char *ret, size_t size, struct err *e)
{
    char root[PATH_MAX], last[2 * LIB_NAME];
    snprintf(last, sizeof last, "%s-%s", lib_part_entry(part)->name, name);
    if (cache_root(root, sizeof root, e) != 0)
        return -1;
    return print_path(ret, size, e, "%s/libs/%s", root, last);
}

static int by_part_and_version(const void *a, const void *b)
{
    const struct lib *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    int c = version_compare(x->version, y->version);
    return c != 0 ? c : strcmp(x->name, y->name);
}

static int add(struct cache_list *list, const char *folder)
{
    struct lib *more = realloc(list->lib, (list->count + 1) * sizeof *more);
    struct err why;
    if (!more)
        return -1;
    list->lib = more;
    if (lib_read(folder, &more[list->count], &why) == 0)
        list->count++;
    else if (list->broken++ == 0)
        list->because = why;
    return 0;
}

int cache_list(struct cache_list *ret, struct err *e)
{
    struct cache_list list = {.count = 0};
    char root[PATH_MAX], libs[PATH_MAX], folder[PATH_MAX];
    if (cache_root(root, sizeof root, e) != 0 ||
        print_path(libs, sizeof libs, e, "%s/libs", root) != 0)
        return -1;
    DIR *dir = opendir(libs);
    int rc = !dir && errno != ENOENT ? err_set(e, "%.300s: %s", libs, strerror(errno)) : 0;
    for (struct dirent *d = dir ? readdir(dir) : NULL; rc == 0 && d; d = readdir(dir)) {
        if (d->d_name[0] == '.')
            continue;
        rc = print_path(folder, sizeof folder, e, "%s/%s", libs, d->d_name);
        if (rc == 0 && add(&list, folder) != 0)
            rc = err_set(e, "out of memory");
    }
    if (dir)
        closedir(dir);
    if (list.count)
        qsort(list.lib, list.count, sizeof *list.lib, by_part_and_version);
    if (rc == 0)
        *ret = list;
    else
        cache_list_free(&list);
    return rc;
}

void cache_list_free(struct cache_list *list)
{
    free(list->lib);
    *list = (struct cache_list){.count = 0};
}

/* ---- which one is meant ---- */

static bool same_upstream(const struct lib *a, const struct lib *b)
{
    char x[LIB_VERSION], y[LIB_VERSION];
    return strcmp(version_upstream(a->version, x, sizeof x),
                  version_upstream(b->version, y, sizeof y)) == 0;
}

static const struct lib *find_exact(const struct cache_list *list, enum lib_part part,
                                    const char *asked)
{
    const struct lib *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct lib *l = &list->lib[i];
        if (l->part == part && strcmp(l->name, asked) == 0)
            return l;
        if (l->part == part && strcmp(l->version, asked) == 0)
            found = l;
    }
    return found;
}

/* Libraries come by rising version, so the last that fits is the newest. */
static int choose(const struct cache_list *list, enum lib_part part, const char *asked,
                  const struct lib **ret, struct err *e)
{
    const struct lib *exact = find_exact(list, part, asked), *found = exact;
    for (size_t i = 0; !exact && i < list->count; i++) {
        const struct lib *l = &list->lib[i];
        if (l->part != part || !version_means(asked, l->version))
            continue;
        if (found && !same_upstream(found, l))
            return err_set(e, "%s %.60s: is that %.60s or %.60s?", lib_part_entry(part)->name,
                           asked, found->name, l->name);
        found = l;
    }
    *ret = found;
    return found != NULL;
}

/* A record that can't be read isn't in the list, and yet the library is there. */
static int find_broken(enum lib_part part, const char *asked, struct err *e)
{
    char folder[PATH_MAX];
    struct lib unused;
    if (!lib_name_ok(asked) || cache_lib_folder(part, asked, folder, sizeof folder, NULL) != 0 ||
        access(folder, F_OK) != 0)
        return 0;
    return lib_read(folder, &unused, e);
}

int cache_find(enum lib_part part, const char *asked, struct lib *ret, struct err *e)
{
    struct cache_list list;
    const struct lib *found = NULL;
    if (cache_list(&list, e) != 0)
        return -1;
    int rc = choose(&list, part, asked, &found, e);
    if (rc > 0)
        *ret = *found;
    cache_list_free(&list);
    return rc == 0 ? find_broken(part, asked, e) : rc;
}

/* ---- coming and going ---- */

int cache_new_folder(char *ret, size_t size, struct err *e)
{
    char libs[PATH_MAX], path[PATH_MAX];
    if (cache_make("libs", libs, sizeof libs, e) != 0 ||
        print_path(path, sizeof path, e, "%s/.new-XXXXXX", libs) != 0)
        return -1;
    if (!mkdtemp(path) || !realpath(path, libs))
        return err_set(e, "%.300s: a folder can't be made in it: %s", libs, strerror(errno));
    return print_path(ret, size, e, "%s", libs);
}

/* Renames the folder to a hidden name, which it writes. Returns 0, or -1 with errno. */
static int hide(const char *folder, char *hidden)
{
    const char *slash = strrchr(folder, '/');
    int n = snprintf(hidden, PATH_MAX, "%.*s/.old-%ld-%s", (int)(slash - folder), folder,
                     (long)getpid(), slash + 1);
    if (n < 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return rename(folder, hidden);
}

void cache_drop(const char *new_folder)
{
    tree_remove(new_folder, NULL);
}

int cache_remove(const char *folder, struct err *e)
{
    char hidden[PATH_MAX];
    if (hide(folder, hidden) != 0)
        return err_set(e, "%.300s: it can't be removed: %s", folder, strerror(errno));
    return tree_remove(hidden, e);
}

int cache_install(const struct lib *l, const char *folder, struct err *e)
{
    char hidden[PATH_MAX];
    bool replaces = access(l->folder, F_OK) == 0;
    if (lib_write(l, folder, e) != 0)
        return -1;
    if (replaces && hide(l->folder, hidden) != 0)
        return err_set(e, "%.300s: it can't be replaced: %s", l->folder, strerror(errno));
    if (rename(folder, l->folder) != 0) {
        err_set(e, "%.300s: it can't be renamed to %.200s: %s", folder, l->folder, strerror(errno));
        if (replaces)
            rename(hidden, l->folder);
        return -1;
    }
    return replaces ? tree_remove(hidden, e) : 0;
}

/* What one that was interrupted has left. Only under the lock. */
static void sweep(const char *root)
{
    char libs[PATH_MAX], folder[PATH_MAX];
    DIR *dir = print_path(libs, sizeof libs, NULL, "%s/libs", root) == 0 ? opendir(libs) : NULL;
    for (struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir)) {
        bool left = strncmp(d->d_name, ".new-", 5) == 0 || strncmp(d->d_name, ".old-", 5) == 0;
        if (left && print_path(folder, sizeof folder, NULL, "%s/%s", libs, d->d_name) == 0)
            tree_remove(folder, NULL);
    }
    if (dir)
        closedir(dir);
}

int cache_lock(struct err *e)
{
    char root[PATH_MAX], path[PATH_MAX];
    if (cache_make("", root, sizeof root, e) != 0 ||
        print_path(path, sizeof path, e, "%s/lock", root) != 0)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0) {
        sweep(root);
        return fd;
    }
    err_set(e, "%.300s: it can't be locked: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- what a user asks for ---- */

enum { DIGITS = 3, MAJOR_DIGITS = 2, NUMBERS = 4 };

/* Skips a number of at most `most` digits. Returns NULL when there is none. */
static const char *number_end(const char *text, size_t most)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= most ? text + digits : NULL;
}

/* `1:3.0.22-1~deb12u2`, `1.1.1w`, `3.0`. */
static bool is_version(const char *text)
{
    const char *colon = strchr(text, ':'), *p = colon ? colon + 1 : text;
    int numbers = 0;
    if (colon && number_end(text, MAJOR_DIGITS) != colon)
        return false;
    for (size_t most = MAJOR_DIGITS;; most = DIGITS) {
        p = number_end(p, most);
        if (!p)
            return false;
        if (++numbers == NUMBERS || *p != '.')
            break;
        p++;
    }
    if (numbers >= 3 && isalpha((unsigned char)*p))
        p++;
    return !*p || (strchr("-+~", *p) && version_ok(p + 1));
}

/* Compares as many numbers as were given: 1.1 may mean 1.1.1. */
static bool is_older(const char *asked, const char *oldest)
{
    char upstream[LIB_VERSION], least[LIB_VERSION];
    size_t dots = 0;
    version_upstream(asked, upstream, sizeof upstream);
    for (const char *p = upstream; *p; p++)
        dots += *p == '.';
    snprintf(least, sizeof least, "%s", oldest);
    for (char *p = least; *p; p++)
        if (*p == '.' && dots-- == 0)
            *p-- = '\0';
    return version_compare(upstream, least) < 0;
}

int lib_asked_version(enum lib_part part, const char *asked, struct err *e)
{
    const struct lib_part_entry *entry = lib_part_entry(part);
    if (strlen(asked) >= LIB_NAME)
        return err_set(e, "a name or version has at most %d characters", LIB_NAME - 1);
    if (!is_version(asked))
        return err_set(e, "this is neither a name that `soak libs` lists nor a version, such as %s",
                       entry->oldest);
    if (is_older(asked, entry->oldest))
        return err_set(e, "this is too old: soak needs %s %s or newer", entry->name, entry->oldest);
    return 0;
}

static int check_name(enum lib_part part, const char *asked, struct err *e)
{
    struct lib *found = malloc(sizeof *found);
    if (!found)
        return err_set(e, "out of memory");
    int rc = strlen(asked) < LIB_NAME ? cache_find(part, asked, found, e) : 0;
    free(found);
    if (rc != 0)
        return rc > 0 ? 0 : rc;
    if (lib_asked_version(part, asked, e) == 0)
        return 0;
    return err_prefix(e, "--%s %.60s%s", lib_part_entry(part)->name, asked,
                      strlen(asked) > 60 ? "..." : "");
}

int lib_asked_check(const struct lib_asked *q, struct err *e)
{
    for (int i = 0; i < LIB_PARTS; i++) {
        const char *asked = q->name[i];
        if (!asked || strcmp(asked, "system") == 0 || strchr(asked, '/'))
            continue;
        if (check_name((enum lib_part)i, asked, e) != 0)
            return -1;
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "unpacking.h"

#include "libs/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int as_folder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/* Makes the empty folder. */
static int begin(struct unpacking *u, const char *to, struct err *e)
{
    u->to = to;
    int n = snprintf(u->apart, sizeof u->apart, "%s.one", to);
    if (n < 0 || (size_t)n >= sizeof u->apart)
        return err_set(e, "%.60s...: the path is too long", to);
    return mkdir(u->apart, 0700) == 0 ? 0 : err_set(e, "%.300s: %s", u->apart, strerror(errno));
}

static bool is_folder(int in, const char *name)
{
    struct stat s;
    return fstatat(in, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode);
}

static int move_contents(int from, int to);

static int move_between(int from, int to)
{
    int rc = from >= 0 && to >= 0 ? move_contents(from, to) : -errno;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return rc;
}

static int move_one(int from, int to, const char *name)
{
    bool folder = is_folder(from, name);
    if (folder && is_folder(to, name))
        return move_between(openat(from, name, as_folder), openat(to, name, as_folder));
    if (folder && unlinkat(to, name, 0) != 0 && errno != ENOENT)
        return -errno;
    return renameat(from, name, to, name) == 0 ? 0 : -errno;
}

/* Returns 0 or -errno. */
static int move_contents(int from, int to)
{
    int again = openat(from, ".", as_folder), rc = 0;
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    if (!dir)
        rc = -errno;
    for (struct dirent *d; rc == 0 && (d = readdir(dir)) != NULL;)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            rc = move_one(from, to, d->d_name);
    if (dir)
        closedir(dir);
    else if (again >= 0)
        close(again);
    return rc;
}

/* A package may say what mode its topmost folder has. */
static int move_to_others(const struct unpacking *u, struct err *e)
{
    int rc = chmod(u->apart, 0700) == 0
                 ? move_between(open(u->apart, as_folder), open(u->to, as_folder))
                 : -errno;
    return rc == 0 ? 0 : err_set(e, "%.300s: %s", u->to, strerror(-rc));
}

int unpacking_run(struct unpacking *u, const struct spawn *s, const char *file, const char *to,
                  struct err *e)
{
    int rc = begin(u, to, e);
    if (rc != 0)
        return rc;
    rc = spawn_need(s, file, e);
    rc = rc == 0 ? move_to_others(u, e) : rc;
    cache_drop(u->apart);
    return rc;
}

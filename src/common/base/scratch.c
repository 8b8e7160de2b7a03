/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NFTW_FILES = 16, ATTEMPTS = 10 };

static const char prefix[] = "soak-", running[] = "/.running";

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)place;
    if (kind == FTW_DNR)
        chmod(path, 0700);
    return remove(path);
}

int tree_remove(const char *folder, struct err *e)
{
    if (nftw(folder, remove_one, NFTW_FILES, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return 0;
    return err_set(e, "%.300s: it can't be removed: %s", folder, strerror(errno));
}

/* The lock of a folder's .running, or -1: there is none, it isn't ours, or it is locked. */
static int lock_running(const char *folder, int flags)
{
    char path[PATH_MAX];
    struct stat s;
    int n = snprintf(path, sizeof path, "%s%s", folder, running);
    int fd = n > 0 && n < (int)sizeof path
                 ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600)
                 : -1;
    if (fd < 0)
        return -1;
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}

static void sweep(const char *base)
{
    char folder[PATH_MAX];
    DIR *dir = opendir(base);
    for (struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir)) {
        if (strncmp(d->d_name, prefix, sizeof prefix - 1) != 0 ||
            snprintf(folder, sizeof folder, "%s/%s", base, d->d_name) >= (int)sizeof folder)
            continue;
        int lock = lock_running(folder, 0);
        if (lock < 0)
            continue;
        tree_remove(folder, NULL);
        close(lock);
    }
    if (dir)
        closedir(dir);
}

/* A sweep of another process may come between the folder and its lock: then both are lost. */
static bool is_whole(const struct scratch *s)
{
    struct stat stat;
    return s->lock >= 0 && fstat(s->lock, &stat) == 0 && stat.st_nlink == 1;
}

int scratch_open(struct scratch *s, const char *name, struct err *e)
{
    const char *tmp = getenv("TMPDIR"), *base = tmp && *tmp ? tmp : "/tmp";
    sweep(base);
    for (int i = 0; i < ATTEMPTS; i++) {
        struct scratch made = {.lock = -1};
        int n = snprintf(made.path, sizeof made.path, "%s/%s%s-XXXXXX", base, prefix, name);
        if (n < 0 || (size_t)n >= sizeof made.path)
            return err_set(e, "%.60s...: the path is too long", base);
        if (!mkdtemp(made.path))
            break;
        made.lock = lock_running(made.path, O_CREAT | O_EXCL);
        if (is_whole(&made)) {
            *s = made;
            return 0;
        }
        scratch_close(&made);
    }
    return err_set(e, "%.200s: no temporary folder can be made there: %s", base, strerror(errno));
}

void scratch_keep(struct scratch *s)
{
    char path[PATH_MAX];
    if (s->lock < 0)
        return;
    snprintf(path, sizeof path, "%s%s", s->path, running);
    unlink(path);
    close(s->lock);
    s->lock = -1;
}

void scratch_close(struct scratch *s)
{
    if (s->lock >= 0) {
        tree_remove(s->path, NULL);
        close(s->lock);
    }
    *s = (struct scratch){.lock = -1};
}

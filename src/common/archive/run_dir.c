/* SPDX-License-Identifier: Apache-2.0 */
#include "run_dir.h"

#include "base/check.h"
#include "base/memory_file.h"
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 128, SCENARIO_LIMIT = 64, SAME_SECOND_LIMIT = 1000 };

static const char samples_name[] = "samples.jsonl";

/* The system's word for `error`, with what to do where that is known; `chosen`: the folder is the
 * one that --results names. */
static int refuse_in(bool chosen, struct err *e, const char *path, int error)
{
    const char *why = strerror(error);
    switch (error) {
    case EFBIG:
        return err_set(e,
                       "%s: the limit of a file's size is reached (%s); raise it with 'ulimit -f "
                       "unlimited'",
                       path, why);
    case ENOSPC:
    case EDQUOT:
        return err_set(e, "%s: the disk is full (%s); free some space%s", path, why,
                       chosen ? " or give another folder with --results" : "");
    case EACCES:
    case EPERM:
    case EROFS:
        return err_set(e, "%s: can't be written (%s)%s", path, why,
                       chosen ? "; give another folder with --results" : "");
    case ENOENT:
        return err_set(e, "%s: its folder was removed (%s)", path, why);
    default:
        return err_set(e, "%s: %s", path, why);
    }
}

static int refuse(struct err *e, const char *path, int error)
{
    return refuse_in(true, e, path, error);
}

/* The same for `name` in the folder. */
static int refuse_file(const struct run_dir *d, struct err *e, const char *name, int error)
{
    char path[sizeof d->path + NAME_SIZE];
    snprintf(path, sizeof path, "%s/%s", d->path, name);
    return refuse_in(!d->entered, e, path, error);
}

/* The same where a folder couldn't be made: in some there can be none, such as in /proc. */
static int refuse_folder(struct err *e, const char *path, int error)
{
    if (error != ENOENT)
        return refuse(e, path, error);
    return err_set(e, "%s: no folder can be made there (%s); give another with --results", path,
                   strerror(error));
}

int run_dir_make_folders(const char *path)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return length ? -ENAMETOOLONG : -ENOENT;
    memcpy(part, path, length + 1);
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return -errno;
        *p = '/';
    }
    return mkdir(part, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

/* `20261122-023000-default`, in UTC. What a file name had better not hold becomes `_`. */
static void name_run(char *buf, size_t size, const char *scenario)
{
    char when[32], what[SCENARIO_LIMIT];
    time_t now = time(NULL);
    struct tm utc;
    CHECK(gmtime_r(&now, &utc));
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", &utc);
    snprintf(what, sizeof what, "%s", scenario);
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (char *p = what + strspn(what, plain); *p; p += strspn(p, plain))
        *p = '_';
    snprintf(buf, size, "%s-%s", when, what);
}

/* Makes a folder of that name in `base_fd`, or with -2, -3 ... after it. Returns 0 or -errno. */
static int make_run_folder(int base_fd, const char *wanted, char *name, size_t size)
{
    for (int i = 1; i < SAME_SECOND_LIMIT; i++) {
        snprintf(name, size, i == 1 ? "%s" : "%s-%d", wanted, i);
        if (mkdirat(base_fd, name, 0700) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
    }
    return -EEXIST;
}

/* Points `last` at the run: a link made beside and renamed, so that there always is one. */
static int link_last(int base_fd, const char *name)
{
    char beside[NAME_SIZE];
    snprintf(beside, sizeof beside, ".last-%ld", (long)getpid());
    unlinkat(base_fd, beside, 0);
    if (symlinkat(name, base_fd, beside) == 0 && renameat(base_fd, beside, base_fd, "last") == 0)
        return 0;
    int error = errno;
    unlinkat(base_fd, beside, 0);
    return -error;
}

/* Opens the folder, and its samples where it has any, then links `last`. Returns 0 or -errno, with
 * nothing open. */
static int open_folder(struct run_dir *d, int base_fd, const char *name, bool samples)
{
    d->samples_fd = -1;
    d->fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd >= 0 && samples)
        d->samples_fd =
            openat(d->fd, samples_name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int error = d->fd < 0 || (samples && d->samples_fd < 0) ? -errno : link_last(base_fd, name);
    if (error == 0)
        return 0;
    if (d->samples_fd >= 0)
        unlinkat(d->fd, samples_name, 0);
    run_dir_close(d);
    return error;
}

/* Makes and opens the run's folder in `base_fd`, whose absolute path is d->path. */
static int open_in(struct run_dir *d, int base_fd, const char *scenario, bool samples,
                   struct err *e)
{
    char wanted[NAME_SIZE], name[NAME_SIZE + 16];
    size_t used = strlen(d->path);
    name_run(wanted, sizeof wanted, scenario);
    int error = make_run_folder(base_fd, wanted, name, sizeof name);
    if (error < 0)
        return refuse_folder(e, d->path, -error);
    if ((size_t)snprintf(d->path + used, sizeof d->path - used, "/%s", name) >=
        sizeof d->path - used)
        error = -ENAMETOOLONG;
    else
        error = open_folder(d, base_fd, name, samples);
    if (error == 0)
        return 0;
    unlinkat(base_fd, name, AT_REMOVEDIR);
    return refuse(e, d->path, -error);
}

static int open_new(struct run_dir *d, const char *base, const char *scenario, bool samples,
                    struct err *e)
{
    char real[PATH_MAX];
    struct run_dir made = {.fd = -1, .samples_fd = -1};
    int error = run_dir_make_folders(base);
    if (error < 0)
        return refuse_folder(e, base, -error);
    if (!realpath(base, real)) /* as of a link to nothing */
        return refuse_folder(e, base, errno);
    if (strlen(real) >= sizeof made.path)
        return refuse(e, base, ENAMETOOLONG);
    memcpy(made.path, real, strlen(real) + 1);
    int base_fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (base_fd < 0)
        return refuse(e, real, errno);
    int status = open_in(&made, base_fd, scenario, samples, e);
    close(base_fd);
    if (status == 0)
        *d = made;
    return status;
}

/* `last` is for the link to the newest run: what somebody else keeps under that name stays. */
static int check_last(const char *base, struct err *e)
{
    char path[PATH_MAX + 8];
    struct stat stat_;
    snprintf(path, sizeof path, "%s/last", base);
    if (lstat(path, &stat_) != 0 || S_ISLNK(stat_.st_mode))
        return 0;
    return err_set(e,
                   "%s: is a %s of yours, but soak's link to the newest run has that name; rename "
                   "it or give another folder with --results",
                   path, S_ISDIR(stat_.st_mode) ? "folder" : "file");
}

/* Looks at the nearest folder above that is there. */
int run_dir_check(const char *base, struct err *e)
{
    char path[PATH_MAX];
    struct stat stat_;
    if (!*base || (size_t)snprintf(path, sizeof path, "%s", base) >= sizeof path)
        return refuse(e, base, *base ? ENAMETOOLONG : EINVAL);
    while (stat(path, &stat_) != 0) {
        char *slash = strrchr(path, '/');
        if (errno != ENOENT)
            return refuse(e, base, errno);
        if (!slash)
            snprintf(path, sizeof path, ".");
        else
            slash[slash == path] = '\0';
    }
    if (!S_ISDIR(stat_.st_mode))
        return refuse(e, path, ENOTDIR);
    return access(path, W_OK | X_OK) == 0 ? check_last(base, e) : refuse(e, path, errno);
}

int run_dir_open(struct run_dir *d, const char *base, const char *scenario, struct err *e)
{
    return open_new(d, base, scenario, true, e);
}

int run_dir_open_suite(struct run_dir *d, const char *base, const char *suite, struct err *e)
{
    return open_new(d, base, suite, false, e);
}

int run_dir_enter(struct run_dir *d, const char *path, struct err *e)
{
    struct run_dir made = {.samples_fd = -1, .entered = true};
    if ((size_t)snprintf(made.path, sizeof made.path, "%s", path) >= sizeof made.path)
        return refuse_in(false, e, path, ENAMETOOLONG);
    if (access(path, W_OK | X_OK) != 0)
        return refuse_in(false, e, path, errno);
    made.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made.fd < 0)
        return refuse_in(false, e, path, errno);
    *d = made;
    return 0;
}

int run_dir_sample(struct run_dir *d, const char *line, struct err *e)
{
    size_t length = strlen(line);
    CHECK(!strchr(line, '\n'));
    off_t before = lseek(d->samples_fd, 0, SEEK_END);
    if (before < 0)
        return refuse_file(d, e, samples_name, errno);
    char *text = malloc(length + 1);
    if (!text)
        return refuse_file(d, e, samples_name, ENOMEM);
    memcpy(text, line, length);
    text[length] = '\n';
    int error = write_all(d->samples_fd, text, length + 1);
    free(text);
    if (error == 0)
        return 0;
    if (ftruncate(d->samples_fd, before) < 0)
        return err_set(e, "%s/%s: its last line is incomplete and can't be cut: %s", d->path,
                       samples_name, strerror(errno));
    return refuse_file(d, e, samples_name, -error);
}

/* Returns 0 or -errno. */
static int read_all(int fd, char *to, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t n = pread(fd, to + at, length - at, (off_t)at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return n ? -errno : -EIO;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int run_dir_samples_read(const struct run_dir *d, char **ret_text, size_t *ret_length,
                         struct err *e)
{
    off_t length = lseek(d->samples_fd, 0, SEEK_END);
    if (length < 0)
        return refuse_file(d, e, samples_name, errno);
    char *text = malloc((size_t)length + 1);
    int error = text ? read_all(d->samples_fd, text, (size_t)length) : -ENOMEM;
    if (error < 0) {
        free(text);
        return refuse_file(d, e, samples_name, -error);
    }
    *ret_text = text;
    *ret_length = (size_t)length;
    return 0;
}

/* Returns 0 or -errno. */
static int write_file(const struct run_dir *d, const char *name, const char *text, size_t length,
                      bool hasty)
{
    char beside[NAME_SIZE];
    CHECK(!strchr(name, '/') && strlen(name) + 8 < sizeof beside);
    snprintf(beside, sizeof beside, ".%s.tmp", name);
    const struct replacement r = {
        .folder_fd = d->fd, .name = name, .beside = beside, .mode = 0600, .hasty = hasty};
    return replace_file(&r, text, length);
}

int run_dir_write(struct run_dir *d, const char *name, const char *text, size_t length,
                  struct err *e)
{
    int error = write_file(d, name, text, length, false);
    return error == 0 ? 0 : refuse_file(d, e, name, -error);
}

int run_dir_samples_replace(struct run_dir *d, const char *text, size_t length, struct err *e)
{
    int error = write_file(d, samples_name, text, length, false);
    int fd = error < 0 ? error : openat(d->fd, samples_name, O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return refuse_file(d, e, samples_name, error < 0 ? -error : errno);
    close(d->samples_fd);
    d->samples_fd = fd;
    return 0;
}

void run_dir_note(struct run_dir *d, const char *name, const char *text)
{
    write_file(d, name, text, strlen(text), true);
}

void run_dir_remove(struct run_dir *d, const char *name)
{
    unlinkat(d->fd, name, 0);
}

int run_dir_keep(struct run_dir *d, const char *name, char *text, struct err *e)
{
    int rc = text ? run_dir_write(d, name, text, strlen(text), e)
                  : err_set(e, "%s: out of memory", name);
    free(text);
    return rc;
}

int run_dir_log(struct run_dir *d, const char *name, struct err *e)
{
    int fd = openat(d->fd, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? refuse_file(d, e, name, errno) : fd;
}

void run_dir_close(struct run_dir *d)
{
    if (d->samples_fd >= 0)
        close(d->samples_fd);
    if (d->fd >= 0)
        close(d->fd);
    d->samples_fd = d->fd = -1;
}

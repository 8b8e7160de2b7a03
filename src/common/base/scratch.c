/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include "check.h"
#include "exit_codes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NFTW_FILES = 16, ATTEMPTS = 10 };

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

enum { WORDS = 2, TRIES = 500, AGAIN_MS = 10 };

static const char clean_word[] = "--clean", whole_word[] = "--clean-whole";
/* What soak writes so that nothing is removed. */
static const char stay = 's';

/* ---- a cleaner: the side of soak ---- */

/* Nothing that is sent to soak's group or session ends it. Returns 0 or an errno. */
static int spawn(struct cleaner *c, int read_fd, char *const *argv)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    if ((rc = posix_spawnattr_init(&attributes)) == 0) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
        posix_spawn_file_actions_adddup2(&actions, read_fd, STDIN_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
        rc = posix_spawn(&c->pid, "/proc/self/exe", &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

int cleaner_start(struct cleaner *c, const char *const *paths, size_t count, bool whole,
                  struct err *e)
{
    char *argv[WORDS + CLEANER_PATHS + 1] = {"soak",
                                             (char *)(uintptr_t)(whole ? whole_word : clean_word)};
    int ends[2];
    CHECK(count <= CLEANER_PATHS);
    *c = (struct cleaner){.fd = -1};
    for (size_t i = 0; i < count; i++)
        argv[WORDS + i] = (char *)(uintptr_t)paths[i];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(e, "no pipe can be made: %s", strerror(errno));
    int rc = spawn(c, ends[0], argv);
    close(ends[0]);
    if (rc == 0) {
        c->fd = ends[1];
        return 0;
    }
    close(ends[1]);
    return err_set(e, "soak can't be started again: %s", strerror(rc));
}

void cleaner_stop(struct cleaner *c)
{
    if (c->fd < 0)
        return;
    bool told = write(c->fd, &stay, 1) == 1;
    close(c->fd);
    c->fd = -1;
    if (told || errno == EPIPE)
        waitpid(c->pid, NULL, 0);
}

/* ---- its own side ---- */

/* Who wrote into a folder may be just ending, too. */
static void clean(const char *path, bool whole)
{
    const struct timespec again = {.tv_nsec = AGAIN_MS * 1000000L};
    for (int i = 0; i < TRIES && access(path, F_OK) == 0; i++) {
        if (i)
            nanosleep(&again, NULL);
        if (whole)
            tree_remove(path, NULL);
        else if (remove(path) != 0 && errno == ENOTEMPTY)
            return;
    }
}

void cleaner_begin(int argc, char *const *argv)
{
    char byte;
    ssize_t n;
    bool whole = argc > WORDS && strcmp(argv[1], whole_word) == 0;
    if (!whole && !(argc > WORDS && strcmp(argv[1], clean_word) == 0))
        return;
    if (getsid(0) != getpid())
        return; /* typed by hand: no such option */
    prctl(PR_SET_NAME, "soak-cleaner");
    while ((n = read(STDIN_FILENO, &byte, 1)) < 0 && errno == EINTR)
        ;
    for (int i = WORDS; n == 0 && i < argc; i++)
        clean(argv[i], whole);
    _exit(EXIT_PASS);
}

/* ---- a temporary folder ---- */

static const char prefix[] = "soak-", running[] = "/.running";

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

static int start_cleaner(struct scratch *s, struct err *e)
{
    return cleaner_start(&s->cleaner, (const char *[]){s->path}, 1, true, e);
}

int scratch_open(struct scratch *s, const char *name, struct err *e)
{
    const char *tmp = getenv("TMPDIR"), *base = tmp && *tmp ? tmp : "/tmp";
    sweep(base);
    for (int i = 0; i < ATTEMPTS; i++) {
        struct scratch made = SCRATCH_NONE;
        int n = snprintf(made.path, sizeof made.path, "%s/%s%s-XXXXXX", base, prefix, name);
        if (n < 0 || (size_t)n >= sizeof made.path)
            return err_set(e, "%.60s...: the path is too long", base);
        if (!mkdtemp(made.path))
            break;
        made.lock = lock_running(made.path, O_CREAT | O_EXCL);
        if (is_whole(&made) && start_cleaner(&made, e) == 0) {
            *s = made;
            return 0;
        }
        bool whole = is_whole(&made);
        scratch_close(&made);
        if (whole)
            return -1;
    }
    return err_set(e, "%.200s: no temporary folder can be made there: %s", base, strerror(errno));
}

void scratch_keep(struct scratch *s)
{
    char path[PATH_MAX];
    if (s->lock < 0)
        return;
    cleaner_stop(&s->cleaner);
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
    cleaner_stop(&s->cleaner);
    *s = (struct scratch)SCRATCH_NONE;
}

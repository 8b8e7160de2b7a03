/* SPDX-License-Identifier: Apache-2.0 */
#include "cleaner.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 2, TRIES = 500, AGAIN_MS = 10 };

static const char clean_word[] = "--clean", whole_word[] = "--clean-whole";
/* What soak writes so that nothing is removed. */
static const char stay = 's';

/* ---- the side of soak ---- */

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

/* ---- the side of the cleaner ---- */

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

#include "bisect_exit.h"

#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SKIP = 125, EXIT_LEAK = 1, EXIT_STOP = 128, EXIT_INTERRUPTED = 130 };

extern char **environ;

bool bisect_exit_asked(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--bisect-exit") == 0 || strcmp(argv[i], "--bisect-exit=true") == 0)
            return true;
    return false;
}

int bisect_exit_code(int code, bool tried)
{
    if (!tried)
        return EXIT_STOP;
    return code == 0 || code == EXIT_LEAK || code == EXIT_INTERRUPTED ? code : EXIT_SKIP;
}

/* The signals that soak ignores are as usual in what it starts. */
static int spawn(pid_t *ret_pid, char *const *argv)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int rc = posix_spawnp(ret_pid, argv[0], &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

int bisect_build(const char *command, struct err *e)
{
    struct words w;
    pid_t pid;
    int status;
    if (words_split(&w, command, 0) != 0)
        return err_set(e, "--build '%.200s' is empty or too long", command);
    int rc = spawn(&pid, w.argv);
    if (rc != 0)
        return err_set(e, "--build '%.200s' can't be started: %s", w.argv[0], strerror(rc));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(e, "--build '%.200s': %s", command, strerror(errno));
    if (WIFSIGNALED(status))
        return err_set(e, "--build '%.200s' ended with signal %d", command, WTERMSIG(status));
    return WEXITSTATUS(status) == 0
               ? 0
               : err_set(e, "--build '%.200s' ended with status %d", command, WEXITSTATUS(status));
}

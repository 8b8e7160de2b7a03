/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"
#include "base/exit_codes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STACK_LEAST_KIB = 1024, STACK_USUAL_KIB = 8192 };

/* ---- the start ---- */

/* Descriptors are given out from the lowest on, so the one that is missing is the one opened. */
static void open_missing(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            dprintf(STDERR_FILENO, "soak: descriptor %d is closed and /dev/null can't be opened\n",
                    fd);
            _exit(EXIT_USAGE);
        }
    }
}

/* The limit is what the kernel, the loader and the threads' default size were given at the exec, so
 * a raised one takes another. */
static void raise_stack(char *const *argv)
{
    struct rlimit limit;
    const rlim_t least = (rlim_t)STACK_LEAST_KIB << 10, usual = (rlim_t)STACK_USUAL_KIB << 10;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= least)
        return;
    const unsigned long long kib = limit.rlim_cur >> 10;
    limit.rlim_cur = limit.rlim_max < least ? usual : limit.rlim_max < usual ? least : usual;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur; /* root may */
    if (setrlimit(RLIMIT_STACK, &limit) == 0)
        execv("/proc/self/exe", argv);
    dprintf(STDERR_FILENO,
            "soak: the stack limit is %llu KiB and %d KiB are needed; raise it with 'ulimit -s "
            "%d'\n",
            kib, STACK_LEAST_KIB, STACK_USUAL_KIB);
    _exit(EXIT_USAGE);
}

void process_begin(char *const *argv)
{
    open_missing();
    signal(SIGXFSZ, SIG_IGN);
    raise_stack(argv);
}

/* ---- the end ---- */

void process_follow(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(EXIT_FAILURE);
}

int process_follow_socket(int fd)
{
    struct ucred maker;
    socklen_t size = sizeof maker;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0 || maker.pid <= 0)
        return -1;
    process_follow(maker.pid);
    return 0;
}

/* ---- programs ---- */

/* 0 when `path` can be executed, else the reason as errno has it. */
static int refusal(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return errno;
    if (!S_ISREG(s.st_mode))
        return EACCES;
    return access(path, X_OK) == 0 ? 0 : errno;
}

/* Goes through PATH. Returns 0 or the reason: "permission denied" beats "no such file", as with
 * execvp. An empty folder is the present one. */
static int look_up(const char *program, char *path, size_t size)
{
    const char *folders = getenv("PATH");
    int reason = ENOENT;
    for (const char *p = folders ? folders : "/bin:/usr/bin"; p; p = *p ? p + 1 : NULL) {
        int length = (int)strcspn(p, ":");
        int n = snprintf(path, size, "%.*s%s%s", length, p, length ? "/" : "./", program);
        p += length;
        if (n < 0 || (size_t)n >= size)
            continue;
        int why = refusal(path);
        if (why == 0)
            return 0;
        if (why == EACCES)
            reason = why;
    }
    return reason;
}

int process_processors(void)
{
    cpu_set_t allowed; /* of 1,024; on a machine that has more the call fails */
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return CPU_COUNT(&allowed);
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    return all > 0 ? (int)all : 1;
}

bool process_sets_one_of(const char *variable, const char *const *names)
{
    size_t length = strcspn(variable, "=");
    for (; *names; names++)
        if (strlen(*names) == length && strncmp(*names, variable, length) == 0)
            return true;
    return false;
}

int process_find(const char *program, char *ret, size_t size, struct err *e)
{
    char path[PATH_MAX];
    int reason;
    if (strchr(program, '/')) {
        reason = refusal(program);
        snprintf(path, sizeof path, "%s", program);
    } else {
        reason = *program ? look_up(program, path, sizeof path) : ENOENT;
    }
    if (reason != 0)
        return err_set(e, "%.200s: %s", program, strerror(reason));
    if (strlen(path) >= size)
        return err_set(e, "%.200s: %s", program, strerror(ENAMETOOLONG));
    memcpy(ret, path, strlen(path) + 1);
    return 0;
}

int process_own_folder(char *ret, size_t size, struct err *e)
{
    ssize_t n = readlink("/proc/self/exe", ret, size - 1);
    if (n <= 0)
        return err_set(e, "/proc/self/exe can't be read: %s", strerror(errno));
    ret[n] = '\0';
    *strrchr(ret, '/') = '\0';
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include "base/exit_codes.h"
#include "base/process.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

void program_start(int control_fd)
{
    signal(SIGPIPE, SIG_IGN);
    if (control_fd >= 0) {
        signal(SIGINT, SIG_IGN);
        if (process_follow_socket(control_fd) != 0)
            process_follow(getppid());
    }
}

int program_refuse(const char *name, const struct err *e)
{
    fprintf(stderr, "%s: %s\n", name, e->text);
    return EXIT_USAGE;
}

int program_begin(const struct program *p)
{
    if (p->help) {
        p->print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (p->version) {
        printf("%s %s, %s, libuv %s\n", p->name, SOAK_VERSION, p->crypto, uv_version_string());
        return EXIT_SUCCESS;
    }
    program_start(p->control_fd);
    return -1;
}

uint64_t program_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return UINT64_MAX;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

/* An eventfd that nobody writes to, at the highest number below `count` that the limit allows. */
static int highest_descriptor(uint64_t count)
{
    struct rlimit limit;
    uint64_t most = count < INT_MAX ? count : INT_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most)
        most = limit.rlim_cur;
    int low = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = low >= 0 ? fcntl(low, F_DUPFD_CLOEXEC, (int)(most - 1)) : -1;
    if (low >= 0)
        close(low);
    return fd;
}

/* uv__io_start makes room for a descriptor when it is to be watched, and nothing makes it smaller
 * (maybe_resize in src/unix/core.c). Without a descriptor to spare the table grows as it may. */
void program_give_room(uv_loop_t *loop, uint64_t count)
{
    uv_poll_t poll;
    int fd = highest_descriptor(count);
    if (fd < 0)
        return;
    if (uv_poll_init(loop, &poll, fd) == 0) {
        uv_poll_start(&poll, UV_READABLE, on_readable);
        uv_poll_stop(&poll);
        uv_close((uv_handle_t *)&poll, NULL);
        uv_run(loop, UV_RUN_NOWAIT);
    }
    close(fd);
}

_Noreturn void program_fail(const char *name, int control_fd, const struct err *e)
{
    if (control_fd >= 0)
        dprintf(control_fd, "fatal text=%.400s\n", e->text);
    fprintf(stderr, "%s: %s\n", name, e->text);
    _exit(EXIT_FAILURE);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "event_loop.h"

#include "base/exit_codes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

static int refuse(struct err *e, int rc)
{
    err_set(e, "can't start an event loop: %s%s", uv_strerror(rc),
            rc == UV_EMFILE ? "; raise the limit with 'ulimit -n'" : "");
    return rc;
}

/* errno is that of the call which libuv gave up at. It says nothing itself. */
static void on_abort(int number)
{
    struct err e;
    (void)number;
    refuse(&e, uv_translate_sys_error(errno));
    dprintf(STDERR_FILENO, "%s: %s\n", program_invocation_short_name, e.text);
    _exit(EXIT_BROKEN);
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
static void give_room(uv_loop_t *loop, uint64_t count)
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

int event_loop_open(uv_loop_t *loop, uint64_t room, struct err *e)
{
    struct sigaction before, action = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGABRT, &action, &before);
    int rc = uv_loop_init(loop);
    if (rc == 0)
        give_room(loop, room);
    sigaction(SIGABRT, &before, NULL);
    return rc < 0 ? refuse(e, rc) : 0;
}

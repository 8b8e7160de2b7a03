/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload, by which an older libuv does what 1.45 and later do: with each event loop
 * it makes an io_uring, where it is let, and calls it when the loop runs (uv__epoll_ctl_flush in
 * src/unix/linux.c), and it says nothing of an accept for which there is no descriptor left
 * (uv__server_io in src/unix/stream.c).
 */
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

enum { IO_URING_SETUP = 425, IO_URING_ENTER = 426, PARAMS = 120 }; /* linux/io_uring.h */

static long ring = -1; /* of the last loop */

__attribute__((visibility("default"))) int uv_loop_init(uv_loop_t *loop)
{
    int (*real)(uv_loop_t *) = (int (*)(uv_loop_t *))dlsym(RTLD_NEXT, "uv_loop_init");
    char params[PARAMS] = {0};
    ring = syscall(IO_URING_SETUP, 4, params);
    return real(loop);
}

__attribute__((visibility("default"))) int uv_run(uv_loop_t *loop, uv_run_mode mode)
{
    int (*real)(uv_loop_t *, uv_run_mode) =
        (int (*)(uv_loop_t *, uv_run_mode))dlsym(RTLD_NEXT, "uv_run");
    if (ring >= 0)
        syscall(IO_URING_ENTER, ring, 0, 0, 0, NULL, 0);
    return real(loop, mode);
}

/* libuv calls it as this; so does soak-server, when there are descriptors. */
__attribute__((visibility("default"))) int accept4(int fd, struct sockaddr *address,
                                                   socklen_t *size, int flags)
{
    int (*real)(int, struct sockaddr *, socklen_t *, int) =
        (int (*)(int, struct sockaddr *, socklen_t *, int))dlsym(RTLD_NEXT, "accept4");
    int accepted = real(fd, address, size, flags);
    if (accepted < 0 && errno == EMFILE)
        errno = EAGAIN;
    return accepted;
}

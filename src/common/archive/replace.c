/* SPDX-License-Identifier: Apache-2.0 */
#include "replace.h"

#include "base/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* What lies there already, of a process that was killed or of whoever else can write into the
 * folder, loses the name and is never opened. */
static int open_beside(const struct replacement *r)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    unlinkat(r->folder_fd, r->beside, 0);
    int fd = openat(r->folder_fd, r->beside, flags, r->mode);
    return fd < 0 ? -errno : fd;
}

int replace_check(const struct replacement *r)
{
    int fd = open_beside(r);
    if (fd < 0)
        return fd;
    close(fd);
    unlinkat(r->folder_fd, r->beside, 0);
    return 0;
}

static int fill(const struct replacement *r, int fd, const char *text, size_t length)
{
    if (r->like && fchmod(fd, r->like->st_mode & 0777) < 0)
        return -errno;
    int error = write_all(fd, text, length);
    if (error == 0 && !r->hasty && fsync(fd) < 0)
        error = -errno;
    return error;
}

/* Returns 0 or -errno. */
static int give_name(const struct replacement *r, int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    unlinkat(r->folder_fd, r->beside, 0); /* of a process that was killed */
    return linkat(AT_FDCWD, path, r->folder_fd, r->beside, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Its name stays beside. Returns 0 or -errno. */
static int write_beside(const struct replacement *r, const char *text, size_t length)
{
    int fd = openat(r->folder_fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, r->mode);
    bool nameless = fd >= 0;
    if (!nameless)
        fd = open_beside(r);
    if (fd < 0)
        return fd;
    int error = fill(r, fd, text, length);
    if (error == 0 && nameless)
        error = give_name(r, fd);
    if (close(fd) < 0 && error == 0)
        error = -errno;
    return error;
}

int replace_file(const struct replacement *r, const char *text, size_t length)
{
    int error = write_beside(r, text, length);
    if (error == 0 && renameat(r->folder_fd, r->beside, r->folder_fd, r->name) < 0)
        error = -errno;
    if (error != 0)
        unlinkat(r->folder_fd, r->beside, 0);
    return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const struct stat *stat, int limit_mib, struct err *e)
{
    if (S_ISDIR(stat->st_mode))
        return err_set(e, "this is a folder, and a file is needed");
    if (!S_ISREG(stat->st_mode))
        return err_set(e, "this is a pipe or a device, and a regular file is needed");
    return err_set(e, "this file is larger than %d MiB, which no file of its kind is", limit_mib);
}

int input_descriptor(const char *path, int limit_mib, struct err *e)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &stat) != 0)
        err_set(e, "%s", strerror(errno));
    else if (!S_ISREG(stat.st_mode) || stat.st_size >> 20 >= limit_mib)
        refuse(&stat, limit_mib, e);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

FILE *input_open(const char *path, struct err *e)
{
    int fd = input_descriptor(path, INPUT_TEXT_MIB, e);
    FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (fd >= 0 && !in) {
        err_set(e, "%s", strerror(errno));
        close(fd);
    }
    return in;
}

int input_check(const char *path, int limit_mib, struct err *e)
{
    int fd = input_descriptor(path, limit_mib, e);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : -1;
}

bool input_is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

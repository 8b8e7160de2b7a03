/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = write(fd, bytes, count);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            bytes += n;
            count -= (size_t)n;
        }
    }
    return 0;
}

int memory_file_make(const char *name, const char *text, int *ret_fd, struct err *e)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return err_set(e, "no memory file can be made: %s", strerror(errno));
    int error = write_all(fd, text, strlen(text));
    if (error < 0) {
        close(fd);
        return err_set(e, "a memory file can't be written: %s", strerror(-error));
    }
    *ret_fd = fd;
    return 0;
}

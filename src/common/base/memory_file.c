/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_all(int fd, const char *text, struct err *e)
{
    size_t left = strlen(text);
    while (left) {
        ssize_t n = write(fd, text, left);
        if (n < 0)
            return err_set(e, "a memory file can't be written: %s", strerror(errno));
        text += n;
        left -= (size_t)n;
    }
    return 0;
}

int memory_file_make(const char *name, const char *text, int *ret_fd, struct err *e)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return err_set(e, "no memory file can be made: %s", strerror(errno));
    if (write_all(fd, text, e) < 0) {
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

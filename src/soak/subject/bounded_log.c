/* SPDX-License-Identifier: Apache-2.0 */
#include "bounded_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static void write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t n = write(fd, bytes, count);
        if (n < 0 && errno != EINTR)
            return;
        bytes += n > 0 ? n : 0;
        count -= n > 0 ? (size_t)n : 0;
    }
}

void bounded_log_open(struct bounded_log *l, int fd)
{
    l->fd = fd;
    l->bytes = 0;
}

void bounded_log_add(struct bounded_log *l, const char *bytes, size_t count)
{
    size_t head = 0;
    if (l->bytes < BOUNDED_LOG_HEAD) {
        size_t room = (size_t)(BOUNDED_LOG_HEAD - l->bytes);
        head = count < room ? count : room;
        write_all(l->fd, bytes, head);
    }
    for (size_t i = head; i < count; i++)
        l->tail[(l->bytes + i) % BOUNDED_LOG_TAIL] = bytes[i];
    l->bytes += count;
}

void bounded_log_drain(struct bounded_log *l, int fd, size_t most)
{
    char bytes[4096];
    while (most > 0) {
        ssize_t n = read(fd, bytes, most < sizeof bytes ? most : sizeof bytes);
        if (n <= 0)
            return;
        bounded_log_add(l, bytes, (size_t)n);
        most -= (size_t)n;
    }
}

void bounded_log_finish(struct bounded_log *l)
{
    if (l->fd < 0)
        return;
    uint64_t after = l->bytes > BOUNDED_LOG_HEAD ? l->bytes - BOUNDED_LOG_HEAD : 0;
    uint64_t kept = after < BOUNDED_LOG_TAIL ? after : BOUNDED_LOG_TAIL;
    if (after > kept)
        dprintf(l->fd, "\n[soak left out %" PRIu64 " bytes here, of %" PRIu64 "]\n", after - kept,
                l->bytes);
    for (uint64_t n = l->bytes - kept; kept && n < l->bytes;) {
        size_t at = (size_t)(n % BOUNDED_LOG_TAIL), part = BOUNDED_LOG_TAIL - at;
        part = part < l->bytes - n ? part : (size_t)(l->bytes - n);
        write_all(l->fd, l->tail + at, part);
        n += part;
    }
    close(l->fd);
    l->fd = -1;
}

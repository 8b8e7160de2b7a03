/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEP_BYTES = 65536 };

/* Fills `text` up to `limit`, growing it as needed. Returns the length, or -1 with errno. */
static ssize_t read_text(int fd, size_t limit, char **text)
{
    size_t length = 0, room = 0;
    while (length < limit) {
        if (room - length < STEP_BYTES) {
            char *larger = realloc(*text, room + 2 * STEP_BYTES + 1);
            if (!larger)
                return -1;
            *text = larger;
            room += 2 * STEP_BYTES;
        }
        size_t want = limit - length < STEP_BYTES ? limit - length : STEP_BYTES;
        ssize_t got = read(fd, *text + length, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static void end_after_last_line(char *text, size_t length)
{
    while (length > 0 && text[length - 1] != '\n')
        length--;
    text[length] = '\0';
}

int maps_read(pid_t pid, size_t limit, char **ret_text, struct err *e)
{
    char path[64], *text = NULL;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    ssize_t length = read_text(fd, limit, &text);
    if (length < 0 || !text) {
        err_set(e, "%s: %s", path, strerror(errno));
        free(text);
        close(fd);
        return -1;
    }
    close(fd);
    end_after_last_line(text, (size_t)length);
    *ret_text = text;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "argv_split.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Appends `from` to `into`, with {pid} replaced. Returns 0, or -1 when it doesn't fit. */
static int expand(char *into, size_t size, const char *from, int pid)
{
    size_t used = 0;
    while (*from) {
        bool is_pid = pid && strncmp(from, "{pid}", 5) == 0;
        int n = is_pid ? snprintf(into + used, size - used, "%d", pid)
                       : snprintf(into + used, size - used, "%c", *from);
        if (n < 0 || (size_t)n >= size - used)
            return -1;
        used += (size_t)n;
        from += is_pid ? 5 : 1;
    }
    into[used] = '\0';
    return 0;
}

int argv_split(struct split_argv *w, const char *command, int pid)
{
    char *save = NULL;
    *w = (struct split_argv){.count = 0};
    if (expand(w->bytes, sizeof w->bytes, command, pid) != 0)
        return -1;
    for (char *word = strtok_r(w->bytes, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
        if (w->count == WORDS_MAX)
            return -1;
        w->argv[w->count++] = word;
    }
    return w->count ? 0 : -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "waiting.h"

#include "base/check.h"
#include "options/grammar.h"
#include "terminal.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_MS = 2000, EVERY_MS = 1000, PLAIN_EVERY_MS = 30000, TAIL = 4096 };

int waiting_percent(const char *text, int *ret_percent)
{
    int found = -1, percent, end;
    for (const char *p = strstr(text, "["); p; p = strstr(p + 1, "[")) {
        end = 0;
        if (sscanf(p, "[%d%%]%n", &percent, &end) == 1 && end > 0 && percent >= 0 && percent <= 100)
            found = percent;
    }
    if (found < 0)
        return -1;
    *ret_percent = found;
    return 0;
}

/* The end of the log. "" when it can't be read. */
static void read_tail(const char *log, char *text)
{
    int fd = open(log, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    ssize_t got = 0;
    if (size > 0)
        got = pread(fd, text, TAIL - 1, size > TAIL - 1 ? size - (TAIL - 1) : 0);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static void print(const struct waiting *w, uint64_t now_ms, char *text, size_t size)
{
    char tail[TAIL], far[32] = "", time[32];
    int percent;
    read_tail(w->log, tail);
    if (waiting_percent(tail, &percent) == 0)
        snprintf(far, sizeof far, "%d %%, ", percent);
    human_duration(time, sizeof time, (now_ms - w->start_ms) / 1000 * 1000000000u);
    snprintf(text, size, "soak: %s is under way, %s%s; Ctrl-C stops it; it says: %s", w->what, far,
             time, w->log);
}

static void on_timer(uv_timer_t *timer)
{
    struct waiting *w = timer->data;
    struct block_line line = {.rank = 0};
    uint64_t now_ms = uv_now(timer->loop);
    bool terminal = terminal_is(STDERR_FILENO);
    if (!terminal && now_ms - w->said_ms < PLAIN_EVERY_MS)
        return;
    print(w, now_ms, line.text, sizeof line.text);
    if (terminal)
        block_draw(&w->block, &line, 1);
    else
        fprintf(stderr, "%s\n", line.text);
    w->said_ms = now_ms;
}

void waiting_start(struct waiting *w, uv_loop_t *loop, const char *what, const char *log)
{
    *w = (struct waiting){.what = what, .log = log};
    w->start_ms = w->said_ms = uv_now(loop);
    CHECK(uv_timer_init(loop, &w->timer) == 0);
    w->timer.data = w;
    CHECK(uv_timer_start(&w->timer, on_timer, FIRST_MS, EVERY_MS) == 0);
}

void waiting_stop(struct waiting *w)
{
    block_clear(&w->block);
    uv_close((uv_handle_t *)&w->timer, NULL);
}

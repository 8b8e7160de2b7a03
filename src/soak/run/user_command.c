/* SPDX-License-Identifier: Apache-2.0 */
#include "user_command.h"

#include "base/process.h"
#include "guard.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 32, WORDS_BYTES = 1024 };

/* A command for exec. */
struct split_argv {
    char *argv[WORDS_MAX + 1]; /* NULL-ended; point into bytes */
    int count;
    char bytes[WORDS_BYTES];
};

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

/* `{pid}` is replaced when pid isn't 0. Returns 0, or -1 when there is no word or no room. */
static int split(struct split_argv *w, const char *command, int pid)
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

/* ---- --build ---- */

int user_command_build(const char *command, struct err *e)
{
    struct split_argv w;
    struct guard_end end;
    if (split(&w, command, 0) != 0)
        return err_set(e, "--build '%.200s' is empty or too long", command);
    /* What it says goes to stderr, as our stdout is for the verdict. */
    int rc = guard_run(&(struct guard_job){.argv = w.argv, .out_fd = STDERR_FILENO}, &end);
    if (rc != 0)
        return err_set(e, "--build '%.200s' can't be started: %s", w.argv[0], uv_strerror(rc));
    if (end.signal_number)
        return err_set(e, "--build '%.200s' ended with signal %d", command, end.signal_number);
    return end.status == 0
               ? 0
               : err_set(e, "--build '%.200s' ended with status %d", command, (int)end.status);
}

/* ---- --on-drain ---- */

int on_drain_check(const char *command, struct err *e)
{
    struct split_argv w;
    char path[PATH_MAX];
    struct err why = {{0}};
    if (!command || strstr(command, "{pid}") == command)
        return 0;
    if (split(&w, command, 0) != 0)
        return err_set(e, "--on-drain '%.200s': empty, or too long", command);
    if (process_find(w.argv[0], path, sizeof path, &why) != 0)
        return err_set(e, "--on-drain %s; it is started without a shell", why.text);
    return 0;
}

static void on_exit_command(uv_process_t *process, int64_t status, int signal_number)
{
    struct run *r = process->data;
    r->on_drain.running = false;
    uv_close((uv_handle_t *)process, NULL);
    if (r->state != RUN_ON_DRAIN)
        return;
    if (status != 0 || signal_number != 0)
        run_break(r, "--on-drain '%s' ended with %s %d", r->scenario->on_drain,
                  signal_number ? "signal" : "status", signal_number ? signal_number : (int)status);
    else
        r->on_drain.done(r);
}

void on_drain_start(struct run *r, void (*done)(struct run *))
{
    if (!r->scenario->on_drain) {
        done(r);
        return;
    }
    struct split_argv w;
    if (split(&w, r->scenario->on_drain, run_judged(r)->subject->child.pid) != 0) {
        run_break(r, "--on-drain '%s' is empty or too long", r->scenario->on_drain);
        return;
    }
    r->on_drain.done = done;
    uv_process_options_t options = {.file = w.argv[0], .args = w.argv, .exit_cb = on_exit_command};
    r->on_drain.process.data = r;
    int rc = guard_spawn(&r->subjects.loop, &r->on_drain.process, &options);
    r->on_drain.running = rc == 0;
    if (rc != 0) {
        uv_close((uv_handle_t *)&r->on_drain.process, NULL);
        run_break(r, "--on-drain '%s' can't be started: %s", w.argv[0], uv_strerror(rc));
    }
}

void on_drain_kill(struct run *r)
{
    if (r->on_drain.running)
        guard_kill(&r->on_drain.process, SIGKILL);
}

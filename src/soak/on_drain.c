#include "on_drain.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 32, BYTES = 1024 };

struct words {
    char *argv[WORDS + 1];
    int count;
    char bytes[BYTES];
};

/* Appends `from` to `into`, with {pid} replaced. Returns 0, or -1 when it doesn't fit. */
static int expand(char *into, size_t size, const char *from, int pid)
{
    size_t used = 0;
    while (*from) {
        bool is_pid = strncmp(from, "{pid}", 5) == 0;
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

static int split(struct words *w, const char *command, int pid)
{
    if (expand(w->bytes, sizeof w->bytes, command, pid) != 0)
        return -1;
    char *save = NULL;
    for (char *word = strtok_r(w->bytes, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
        if (w->count == WORDS)
            return -1;
        w->argv[w->count++] = word;
    }
    return w->count ? 0 : -1;
}

static void on_exit_command(uv_process_t *process, int64_t status, int signal_number)
{
    struct run *r = process->data;
    r->on_drain_running = false;
    uv_close((uv_handle_t *)process, NULL);
    if (r->state != RUN_ON_DRAIN)
        return;
    if (status != 0 || signal_number != 0)
        run_break(r, "--on-drain '%s' ended with %s %d", r->scenario->on_drain,
                  signal_number ? "signal" : "status", signal_number ? signal_number : (int)status);
    else
        r->on_drain_done(r);
}

void on_drain_start(struct run *r, void (*done)(struct run *))
{
    if (!r->scenario->on_drain) {
        done(r);
        return;
    }
    struct words w = {.count = 0};
    if (split(&w, r->scenario->on_drain, r->child[RUN_SERVER].pid) != 0) {
        run_break(r, "--on-drain '%s' is empty or too long", r->scenario->on_drain);
        return;
    }
    r->on_drain_done = done;
    uv_process_options_t options = {.file = w.argv[0], .args = w.argv, .exit_cb = on_exit_command};
    r->on_drain_process.data = r;
    int rc = uv_spawn(&r->loop, &r->on_drain_process, &options);
    r->on_drain_running = rc == 0;
    if (rc != 0) {
        uv_close((uv_handle_t *)&r->on_drain_process, NULL);
        run_break(r, "--on-drain '%s' can't be started: %s", w.argv[0], uv_strerror(rc));
    }
}

void on_drain_kill(struct run *r)
{
    if (r->on_drain_running)
        uv_process_kill(&r->on_drain_process, SIGKILL);
}

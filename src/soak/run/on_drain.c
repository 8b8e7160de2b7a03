/* SPDX-License-Identifier: Apache-2.0 */
#include "on_drain.h"

#include "argv_split.h"
#include "base/process.h"
#include "guard.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

int on_drain_check(const char *command, struct err *e)
{
    struct split_argv w;
    char path[PATH_MAX];
    struct err why = {{0}};
    if (!command || strstr(command, "{pid}") == command)
        return 0;
    if (argv_split(&w, command, 0) != 0)
        return err_set(e, "--on-drain '%.200s': empty, or too long", command);
    if (process_find(w.argv[0], path, sizeof path, &why) != 0)
        return err_set(e, "--on-drain %s; it is started without a shell", why.text);
    return 0;
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
    struct split_argv w;
    if (argv_split(&w, r->scenario->on_drain, r->child[RUN_SERVER].pid) != 0) {
        run_break(r, "--on-drain '%s' is empty or too long", r->scenario->on_drain);
        return;
    }
    r->on_drain_done = done;
    uv_process_options_t options = {.file = w.argv[0], .args = w.argv, .exit_cb = on_exit_command};
    r->on_drain_process.data = r;
    int rc = guard_spawn(&r->loop, &r->on_drain_process, &options);
    r->on_drain_running = rc == 0;
    if (rc != 0) {
        uv_close((uv_handle_t *)&r->on_drain_process, NULL);
        run_break(r, "--on-drain '%s' can't be started: %s", w.argv[0], uv_strerror(rc));
    }
}

void on_drain_kill(struct run *r)
{
    if (r->on_drain_running)
        guard_kill(&r->on_drain_process, SIGKILL);
}

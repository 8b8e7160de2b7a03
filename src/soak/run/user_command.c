/* SPDX-License-Identifier: Apache-2.0 */
#include "user_command.h"

#include "base/process.h"
#include "display.h"
#include "guard.h"
#include "scenario/placeholders.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- --build ---- */

int user_command_build(const char *command, struct err *e)
{
    struct words w;
    struct guard_end end;
    if (words_split(command, NULL, &w, e) != 0)
        return err_prefix(e, "--build '%.200s'", command);
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

/* ---- commands of a run ---- */

int user_command_check(const char *name, const char *command, struct err *e)
{
    struct words w;
    char path[PATH_MAX];
    struct err why = {{0}};
    if (!command || *command == '{')
        return 0;
    if (words_split(command, NULL, &w, &why) != 0)
        return err_set(e, "--%s '%.200s': %s", name, command, why.text);
    if (process_find(w.argv[0], path, sizeof path, &why) != 0)
        return err_set(e, "--%s %s; it is started without a shell", name, why.text);
    return 0;
}

/* The handle is free for the next command only now. */
static void on_command_closed(uv_handle_t *process)
{
    struct run *r = process->data;
    struct run_command *c = &r->command;
    if (r->state != RUN_COMMAND)
        return;
    if (c->stopped)
        run_quit(r);
    else if (!c->dropped && (c->status != 0 || c->signal != 0))
        run_break(r, "--%s '%s' ended with %s %d", c->name, c->text,
                  c->signal ? "signal" : "status", c->signal ? c->signal : (int)c->status);
    else
        c->done(r);
}

static void on_exit_command(uv_process_t *process, int64_t status, int signal_number)
{
    struct run *r = process->data;
    r->command.running = false;
    r->command.status = status;
    r->command.signal = signal_number;
    uv_close((uv_handle_t *)process, on_command_closed);
}

/* What {name} stands for: of a built-in server {pid} alone. */
static struct placeholders values_of(const struct run *r, char pid[16])
{
    const struct subject *judged = run_judged(r)->subject;
    struct placeholders values = {{NULL}};
    if (judged->foreign)
        return *foreign_values(judged->foreign);
    snprintf(pid, 16, "%d", judged->child.pid);
    values.value[PLACEHOLDER_PID] = pid;
    return values;
}

static void spawn(struct run *r, struct words *w)
{
    struct run_command *c = &r->command;
    uv_process_options_t options = {
        .file = w->argv[0], .args = w->argv, .exit_cb = on_exit_command};
    c->process.data = r;
    int rc = guard_spawn(&r->subjects.loop, &c->process, &options);
    c->running = rc == 0;
    if (rc == 0)
        return;
    uv_close((uv_handle_t *)&c->process, NULL);
    run_break(r, "--%s '%s' can't be started: %s", c->name, w->argv[0], uv_strerror(rc));
}

void user_command_start(struct run *r, const char *name, const char *command,
                        void (*done)(struct run *))
{
    struct words w;
    struct err why = {{0}};
    char pid[16];
    if (!command) {
        done(r);
        return;
    }
    run_state_set(r, RUN_COMMAND);
    r->command.name = name;
    r->command.text = command;
    r->command.done = done;
    r->command.dropped = r->command.stopped = false;
    const struct placeholders values = values_of(r, pid);
    if (placeholders_split(command, &values, &w, &why) != 0)
        run_break(r, "--%s '%s': %s", name, command, why.text);
    else
        spawn(r, &w);
}

void user_command_drop(struct run *r)
{
    r->command.dropped = true;
    user_command_kill(r);
}

void user_command_interrupted(struct run *r)
{
    if (r->state != RUN_COMMAND || r->command.dropped)
        return;
    display_note(r, "ending the command that it waits for");
    r->command.stopped = true;
    user_command_kill(r);
}

void user_command_kill(struct run *r)
{
    if (r->command.running)
        guard_kill(&r->command.process, SIGKILL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "subject_check.h"

#include "args.h"
#include "base/check.h"
#include "base/memory_file.h"
#include "environment.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, SAID = 8192 };

struct job {
    bool server;
    uv_process_t process;
    uv_timer_t timer;
    int64_t status;
    int signal_number;
};

static const char *name_of(bool server)
{
    return server ? "soak-server" : "soak-client";
}

static void on_exit_process(uv_process_t *process, int64_t status, int signal_number)
{
    struct job *j = process->data;
    j->status = status;
    j->signal_number = signal_number;
    uv_close((uv_handle_t *)process, NULL);
    uv_close((uv_handle_t *)&j->timer, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct job *j = timer->data;
    uv_process_kill(&j->process, SIGKILL);
}

/* Runs it to its end. Returns 0 or libuv's code. */
static int run(struct job *j, char **argv, char **environment, int out_fd)
{
    uv_loop_t loop;
    uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE},
                                    {.flags = UV_INHERIT_FD, .data.fd = out_fd},
                                    {.flags = UV_INHERIT_FD, .data.fd = out_fd}};
    uv_process_options_t options = {.file = argv[0],
                                    .args = argv,
                                    .env = environment,
                                    .exit_cb = on_exit_process,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .stdio = stdio};
    CHECK(uv_loop_init(&loop) == 0 && uv_timer_init(&loop, &j->timer) == 0);
    j->process.data = j->timer.data = j;
    int rc = uv_spawn(&loop, &j->process, &options);
    if (rc == 0)
        CHECK(uv_timer_start(&j->timer, on_timer, PATIENCE_MS, 0) == 0);
    else
        on_exit_process(&j->process, -1, 0);
    CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0 && uv_loop_close(&loop) == 0);
    return rc;
}

/* The last line that it said, without the program's name before it. */
static const char *last_line(char *text, const char *name)
{
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n')
        text[--length] = '\0';
    const char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    size_t named = strlen(name);
    return strncmp(line, name, named) == 0 && strncmp(line + named, ": ", 2) == 0 ? line + named + 2
                                                                                  : line;
}

static int concluded(const struct programs *p, const struct job *j, int out_fd, struct err *e)
{
    bool server = j->server;
    char text[SAID];
    ssize_t n = pread(out_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    const char *said = last_line(text, name_of(server));
    if (j->status == 0 && j->signal_number == 0)
        return programs_check_allocator(p, server, said, e);
    if (j->status == 2)
        return err_set(e, "%.450s", said);
    char how[64];
    snprintf(how, sizeof how, j->signal_number ? "signal %d" : "status %d",
             j->signal_number ? j->signal_number : (int)j->status);
    return err_set(e, "the %s can't start, it ended with %s%s%.350s", server ? "server" : "client",
                   how, *said ? "; it said: " : "", said);
}

/* The system's libraries, and an address of the kernel's choice, are the build's own affair. */
static bool server_has_questions(const struct programs *p)
{
    const struct scenario *s = p->scenario;
    struct scenario usual;
    scenario_defaults(&usual);
    return p->assembled || s->env.count || s->groups || s->ciphers ||
           strcmp(s->listen, usual.listen) != 0;
}

/* Every OpenSSL lets a connection leave. */
static bool client_has_questions(const struct programs *p)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (p->scenario->weight[i] && behaviour_entry((enum behaviour)i)->family == BEHAVIOUR_LEAVE)
            return false;
    }
    return true;
}

static int ask(const struct programs *p, bool server, struct err *e)
{
    struct args args;
    struct job j = {.server = server, .status = -1};
    char path[PATH_MAX + 32];
    int out_fd;
    if (memory_file_make(name_of(server), "", &out_fd, e) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/%s", server ? programs_server_folder(p) : p->folder,
             name_of(server));
    if (server)
        args_server_check(&args, p->scenario, path);
    else
        args_client_check(&args, p->scenario, path);
    char **environment = programs_environment(p, server);
    int started = run(&j, args.argv, environment, out_fd);
    int rc = started == 0 ? concluded(p, &j, out_fd, e)
                          : err_set(e, "%.300s can't be started: %s", path, uv_strerror(started));
    environment_free(environment);
    close(out_fd);
    return rc;
}

int subject_check(const struct programs *p, struct err *e)
{
    if (server_has_questions(p) && ask(p, true, e) < 0)
        return -1;
    return client_has_questions(p) ? ask(p, false, e) : 0;
}

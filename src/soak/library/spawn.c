/* SPDX-License-Identifier: Apache-2.0 */
#include "spawn.h"

#include "base/check.h"
#include "base/input.h"
#include "base/process.h"
#include "control/event_loop.h"
#include "guard.h"
#include "options/grammar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is said meanwhile ---- */

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
    snprintf(text, size, "soak: %s is under way, %s%s; Ctrl-C stops it; its output: %s", w->what,
             far, time, w->log);
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

extern char **environ;

enum { READ_BYTES = 16384, OUTPUT_LIMIT = 64 << 20, LINE_BYTES = 512 };

struct job {
    uv_loop_t loop;
    uv_process_t process;
    struct interrupts interrupts;
    struct waiting waiting;
    uv_pipe_t pipe; /* its stdout, when it is caught */
    bool running, interrupted;
    int exit_code;
    char *bytes; /* owned */
    size_t used, room;
    uint64_t printed, most; /* bytes; most = 0: all are kept */
};

/* The whole group, which the process leads: `cmake --build` holds a signal back until its make is
 * done. A second signal doesn't ask. */
static void on_interrupt(void *owner, int number)
{
    struct job *job = owner;
    (void)number;
    if (job->running)
        guard_kill(&job->process, job->interrupted ? SIGKILL : SIGTERM);
    job->interrupted = true;
}

static void on_exit_process(uv_process_t *process, int64_t status, int signal_number)
{
    struct job *job = process->loop->data;
    job->running = false;
    job->exit_code = signal_number ? -1 : (int)status;
    uv_close((uv_handle_t *)process, NULL);
    interrupts_stop(&job->interrupts);
    waiting_stop(&job->waiting);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct job *job = handle->loop->data;
    (void)suggested;
    if (job->room - job->used < READ_BYTES + 1) {
        job->room = job->room * 2 + READ_BYTES + 1;
        job->bytes = realloc(job->bytes, job->room);
        CHECK(job->bytes);
    }
    *buf = uv_buf_init(job->bytes + job->used, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct job *job = stream->loop->data;
    (void)buf;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        return;
    }
    job->printed += (uint64_t)count;
    if (job->most && job->printed > job->most && job->running)
        guard_kill(&job->process, SIGKILL);
    else if (!job->most && job->used + (size_t)count <= OUTPUT_LIMIT)
        job->used += (size_t)count;
}

static bool has_pipe(const struct spawn *s)
{
    return s->ret_output || s->most_bytes;
}

/* What they get of the caller's: where programs and compilers lie, how apt reaches a mirror
 * (apt-transport-http(1)) and is configured (apt.conf(5)), and what a person who builds sets
 * (cmake-env-variables(7), pkg-config(1)). */
static const char *const kept[] = {"PATH",
                                   "HOME",
                                   "TMPDIR",
                                   "http_proxy",
                                   "https_proxy",
                                   "all_proxy",
                                   "no_proxy",
                                   "APT_CONFIG",
                                   "CC",
                                   "CFLAGS",
                                   "CPPFLAGS",
                                   "LDFLAGS",
                                   "PKG_CONFIG_PATH",
                                   "PKG_CONFIG_LIBDIR",
                                   "CMAKE_PREFIX_PATH",
                                   "CMAKE_C_COMPILER_LAUNCHER",
                                   NULL};

/* With LC_ALL=C. The array is the caller's, the strings aren't. */
static char **make_environment(void)
{
    static char locale[] = "LC_ALL=C";
    char **copy = calloc(sizeof kept / sizeof *kept + 1, sizeof *copy);
    size_t used = 0;
    CHECK(copy);
    for (char **from = environ; *from && used + 1 < sizeof kept / sizeof *kept; from++)
        if (process_sets_one_of(*from, kept))
            copy[used++] = *from;
    copy[used] = locale;
    return copy;
}

static int start(struct job *job, const struct spawn *s, int log_fd)
{
    uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE},
                                    {.flags = UV_INHERIT_FD, .data.fd = log_fd},
                                    {.flags = UV_INHERIT_FD, .data.fd = log_fd}};
    if (has_pipe(s)) {
        CHECK(uv_pipe_init(&job->loop, &job->pipe, 0) == 0);
        stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
        stdio[1].data.stream = (uv_stream_t *)&job->pipe;
    }
    char **environment = make_environment();
    uv_process_options_t options = {.file = s->argv[0],
                                    .args = (char **)(uintptr_t)s->argv,
                                    .cwd = s->folder,
                                    .env = environment,
                                    .exit_cb = on_exit_process,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .stdio = stdio};
    int rc = guard_spawn(&job->loop, &job->process, &options);
    free(environment);
    job->running = rc == 0;
    if (rc == 0 && has_pipe(s))
        CHECK(uv_read_start((uv_stream_t *)&job->pipe, on_alloc, on_read) == 0);
    if (rc != 0 && has_pipe(s))
        uv_close((uv_handle_t *)&job->pipe, NULL);
    if (rc != 0)
        on_exit_process(&job->process, -1, 0);
    return rc;
}

static void say_command(int fd, const struct spawn *s)
{
    dprintf(fd, "$");
    for (size_t i = 0; s->argv[i]; i++)
        dprintf(fd, " %s", s->argv[i]);
    dprintf(fd, "\n");
}

static int run(struct job *job, const struct spawn *s, int log_fd, struct err *e)
{
    if (event_loop_open(&job->loop, EVENT_LOOP_FEW, e) < 0)
        return -1;
    job->loop.data = job;
    interrupts_start(&job->interrupts, &job->loop, on_interrupt, job);
    waiting_start(&job->waiting, &job->loop, s->argv[0], s->log);
    int rc = start(job, s, log_fd);
    CHECK(uv_run(&job->loop, UV_RUN_DEFAULT) == 0);
    CHECK(uv_loop_close(&job->loop) == 0);
    if (job->interrupted) {
        err_set(e, "interrupted");
        return UV_EINTR;
    }
    if (job->most && job->printed > job->most) {
        err_set(e, "%.200s printed more than %" PRIu64 " bytes", s->argv[0], job->most);
        return UV_EFBIG;
    }
    if (rc != 0)
        return err_set(e, "%.200s can't be started: %s", s->argv[0], uv_strerror(rc));
    if (job->exit_code < 0)
        return err_set(e, "%.200s was ended by a signal; its output is in %.200s", s->argv[0],
                       s->log);
    return job->exit_code;
}

int spawn_run(const struct spawn *s, struct err *e)
{
    struct job job = {.exit_code = -1, .most = s->most_bytes};
    int fd = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, "%.300s: %s", s->log, strerror(errno));
    say_command(fd, s);
    int rc = run(&job, s, fd, e);
    close(fd);
    if (rc >= 0 && s->ret_output) {
        *s->ret_output = job.bytes ? job.bytes : strdup("");
        CHECK(*s->ret_output);
        (*s->ret_output)[job.used] = '\0';
    } else {
        free(job.bytes);
    }
    return rc;
}

/* ---- what went wrong ---- */

static bool is_error(const char *line)
{
    static const char *const marks[] = {"E: ", "error: ", "CMake Error", "ERROR: "};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strstr(line, marks[i]))
            return true;
    return false;
}

/* The first line behind `offset` that looks like an error, else the last line; or "". A full disk
 * is the cause of whatever error comes before or after. */
static void first_error(const char *log, long offset, char *line, size_t size)
{
    char text[LINE_BYTES];
    FILE *in = input_open(log, NULL);
    line[0] = '\0';
    if (!in)
        return;
    bool found = false, full = fseek(in, offset, SEEK_SET) != 0;
    while (!full && fgets(text, sizeof text, in)) {
        text[strcspn(text, "\n")] = '\0';
        full = strstr(text, strerror(ENOSPC)) != NULL;
        if (full || (!found && *text && *text != '$'))
            snprintf(line, size, "%.*s", (int)size - 1, full ? strerror(ENOSPC) : text);
        found = found || is_error(text);
    }
    fclose(in);
}

/* Whether a line behind `offset` contains one of the words. */
static bool says_one_of(const char *log, long offset, const char *const *words)
{
    char line[1024];
    FILE *in = words ? input_open(log, NULL) : NULL;
    bool found = false;
    if (!in)
        return false;
    bool more = fseek(in, offset, SEEK_SET) == 0;
    while (more && !found && fgets(line, sizeof line, in))
        for (size_t i = 0; words[i]; i++)
            found = found || strstr(line, words[i]) != NULL;
    fclose(in);
    return found;
}

int spawn_need(const struct spawn *s, const char *what, struct err *e)
{
    struct stat before;
    char line[200];
    long offset = stat(s->log, &before) == 0 ? (long)before.st_size : 0;
    int rc = spawn_run(s, e);
    if (rc == UV_EINTR || rc == UV_EFBIG || rc == 0)
        return rc;
    if (rc < 0)
        return err_prefix(e, "%.200s", what);
    if (s->ret_output) {
        free(*s->ret_output);
        *s->ret_output = NULL;
    }
    first_error(s->log, offset, line, sizeof line);
    err_set(e, "%.150s: %s%sthe whole output is in %.150s", what, line, *line ? "; " : "", s->log);
    return says_one_of(s->log, offset, s->gone) ? UV_ENOENT : -1;
}

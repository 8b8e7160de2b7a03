/* SPDX-License-Identifier: Apache-2.0 */
#include "footprint.h"

#include "base/check.h"
#include "base/line.h"
#include "base/text.h"
#include "control/event_loop.h"
#include "footprint_lines.h"
#include "guard.h"
#include "measure/proc.h"
#include "options/limits.h"
#include "subject/args.h"
#include "symbol/symbol.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { MAPS_LIMIT = 1 << 20, NS_PER_MS = 1000000 };

struct job {
    uv_loop_t loop;
    uv_process_t process;
    uv_pipe_t in, out; /* the child's stdin and stdout */
    uv_timer_t watchdog;
    struct interrupts interrupts;
    uint64_t patience_ms;
    struct line_reader reader;
    struct footprint_lines lines;
    bool failed; /* `e` has the reason */
    bool interrupted;
    struct err *e;
    int64_t status;
    int signal_number;
};

char *footprint_left_out(const struct scenario *s, char *buf, size_t size)
{
    const struct {
        const char *name;
        bool has;
    } options[] = {
        {"starttls", s->starttls != 0},
        {"key", s->key == KEY_BOTH},
        {"resume", s->resume > 0 && !args_footprint_resumes(s)},
        {"client-auth", s->client_auth && s->client_auth != CLIENT_AUTH_REQUIRE},
        {"ticket-callback", s->ticket_callback != TICKET_CALLBACK_NONE},
        {"ticket-rotate", s->ticket_rotate > 0},
        {"early-data", s->early_data > 0},
        {"psk", s->psk},
        {"ocsp", s->ocsp != OCSP_NONE},
        {"record-padding", s->record_padding > 0},
        {"alpn", s->alpn != NULL},
        {"sni", s->sni != NULL},
        {"payload", s->payload > LIMIT_FOOTPRINT_PAYLOAD},
        {"operate", s->operate != OPERATE_NONE},
        {"ctx", s->ctx != CTX_SHARED},
        {"defect", s->defect != NULL},
    };
    struct text names = text_list(buf, size, ", ");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].has && names.used + strlen(options[i].name) + 2 < size)
            text_item(&names, "%s", options[i].name);
    return buf;
}

/* ---- names ---- */

static void name_side(struct symbols *symbols, struct footprint_side *side, const uint64_t *caller)
{
    for (size_t i = 0; i < side->sites; i++) {
        struct symbol symbol;
        if (!caller[i])
            continue;
        symbols_find(symbols, caller[i], true, &symbol);
        if (symbol.function && !symbol_is_allocator(&symbol))
            side->site[i].function = strdup(symbol.function);
    }
}

/* No name is no error: figures don't depend on it. */
static void name_sites(struct footprint_lines *l, pid_t pid)
{
    char *maps = NULL;
    struct image image = {0};
    struct symbols *symbols = NULL;
    if (maps_read(pid, MAPS_LIMIT, &maps, NULL) == 0) {
        image_keep(&image, pid, 0, maps);
        symbols = symbols_open(&image, NULL);
    }
    for (int end = 0; symbols && end < FOOTPRINT_END_COUNT; end++)
        name_side(symbols, &l->footprint.end[end], l->caller[end]);
    if (symbols)
        symbols_close(symbols);
    image_fini(&image);
}

/* ---- the process ---- */

/* The first reason counts; all others follow from it. */
static void give_up(struct job *j)
{
    j->failed = true;
    uv_process_kill(&j->process, SIGKILL);
    handle_close(&j->in);
    handle_close(&j->out);
}

static void on_interrupt(void *owner, int number)
{
    struct job *j = owner;
    (void)number;
    if (!j->failed) {
        j->interrupted = true;
        err_set(j->e, "interrupted");
        give_up(j);
    }
}

static void on_watchdog(uv_timer_t *timer)
{
    struct job *j = timer->data;
    if (!j->failed) {
        err_set(j->e, "soak-footprint has been silent for %.0f s", (double)j->patience_ms / 1e3);
        give_up(j);
    }
}

static void on_line(void *ctx, const char *line)
{
    struct job *j = ctx;
    if (j->failed)
        return;
    if (footprint_lines_add(&j->lines, line, j->e) < 0) {
        give_up(j);
    } else if (j->lines.done) {
        name_sites(&j->lines, j->process.pid);
        handle_close(&j->in); /* it may go */
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct job *j = stream->data;
    if (count < 0) {
        handle_close(stream);
        return;
    }
    CHECK(uv_timer_again(&j->watchdog) == 0);
    if (count > 0 && line_reader_feed(&j->reader, buf->base, (size_t)count, on_line, j) < 0 &&
        !j->failed) {
        err_set(j->e, "soak-footprint said a line that is too long");
        give_up(j);
    }
}

static void on_exit_process(uv_process_t *process, int64_t status, int signal_number)
{
    struct job *j = process->data;
    j->status = status;
    j->signal_number = signal_number;
    uv_close((uv_handle_t *)process, NULL);
    handle_close(&j->in);
    handle_close(&j->watchdog);
    interrupts_stop_and_hold(&j->interrupts); /* the run isn't written yet */
}

static int spawn(struct job *j, char **argv, char *const *environment, int log_fd)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&j->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&j->out},
        {.flags = log_fd < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = log_fd}};
    uv_process_options_t options = {.file = argv[0],
                                    .args = argv,
                                    .env = (char **)(uintptr_t)environment,
                                    .exit_cb = on_exit_process,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .stdio = stdio};
    return uv_spawn(&j->loop, &j->process, &options);
}

/* Starts it and reads it to its end. Returns libuv's code of the start. */
static int run(struct job *j, char **argv, char *const *environment, int log_fd)
{
    int rc = event_loop_open(&j->loop, EVENT_LOOP_FEW, NULL);
    if (rc < 0)
        return rc;
    CHECK(uv_pipe_init(&j->loop, &j->in, 0) == 0 && uv_pipe_init(&j->loop, &j->out, 0) == 0 &&
          uv_timer_init(&j->loop, &j->watchdog) == 0);
    j->process.data = j->out.data = j->watchdog.data = j;
    interrupts_start(&j->interrupts, &j->loop, on_interrupt, j);
    rc = spawn(j, argv, environment, log_fd);
    if (rc == 0) {
        CHECK(uv_read_start((uv_stream_t *)&j->out, handle_buffer, on_read) == 0);
        CHECK(uv_timer_start(&j->watchdog, on_watchdog, j->patience_ms, j->patience_ms) == 0);
    } else {
        on_exit_process(&j->process, -1, 0);
        handle_close(&j->out);
    }
    CHECK(uv_run(&j->loop, UV_RUN_DEFAULT) == 0 && uv_loop_close(&j->loop) == 0);
    return rc;
}

static int concluded(const struct job *j, const char *path, int started)
{
    if (started != 0)
        return err_set(j->e, "%s can't be started: %s", path, uv_strerror(started));
    if (j->failed)
        return j->interrupted ? UV_EINTR : -1;
    if (j->signal_number)
        return err_set(j->e, "soak-footprint ended by signal %d", j->signal_number);
    if (j->status != 0 || !j->lines.done)
        return err_set(j->e, "soak-footprint ended early, with status %d", (int)j->status);
    return 0;
}

int footprint_measure(const struct footprint_launch *launch, const struct scenario *s,
                      struct footprint *ret, struct err *e)
{
    const char *log_path = launch->log_path;
    char path[PATH_MAX];
    struct args args;
    struct job j = {.e = e, .patience_ms = s->watchdog_ns / NS_PER_MS};
    if ((size_t)snprintf(path, sizeof path, "%s/soak-footprint", launch->folder) >= sizeof path)
        return err_set(e, "%.200s...: the path is too long", launch->folder);
    int log_fd = log_path ? open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (log_path && log_fd < 0)
        return err_set(e, "%s: %s", log_path, strerror(errno));
    args_footprint(&args, s, path);
    footprint_lines_init(&j.lines);
    int rc = concluded(&j, path, run(&j, args.argv, launch->environment, log_fd));
    if (log_fd >= 0)
        close(log_fd);
    if (rc == 0) {
        footprint_left_out(s, j.lines.footprint.left_out, sizeof j.lines.footprint.left_out);
        footprint_sort(&j.lines.footprint);
        *ret = j.lines.footprint;
        j.lines.footprint = (struct footprint){.connections = 0};
    }
    footprint_lines_fini(&j.lines);
    return rc;
}

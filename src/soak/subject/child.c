/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include "base/check.h"
#include "guard.h"
#include "measure/proc.h"
#include "page/page_file.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_FD = 4, EXTRA_FD = 5, MAPS_BYTES = 4 << 20 };

int child_init(struct child *c, struct err *e)
{
    CHECK(c->name && c->on_line && c->on_exit);
    c->page_fd = -1;
    return page_file_make(&c->page_fd, &c->page, e);
}

void child_init_beside(struct child *c, const struct child *first)
{
    CHECK(c->name && c->on_line && c->on_exit);
    c->page = first->page;
    c->page_fd = first->page_fd;
    c->page_lent = true;
}

char *child_label(const struct child *c, char *buf, size_t size)
{
    if (c->of > 1)
        snprintf(buf, size, "%s %u of %u", c->name, c->number, c->of);
    else
        snprintf(buf, size, "%s", c->name);
    return buf;
}

char *child_log_name(const struct child *c, char *buf, size_t size)
{
    if (c->number > 1)
        snprintf(buf, size, "%s-%u.log", c->name, c->number);
    else
        snprintf(buf, size, "%s.log", c->name);
    return buf;
}

static void child_on_skipped(struct child *c, const char *line)
{
    if (c->skipped_count == CHILD_SKIPPED)
        return;
    struct child_skipped *skipped = &c->skipped[c->skipped_count];
    if (line_text(line, "name", false, skipped->name, sizeof skipped->name) == 0 &&
        line_text(line, "text", true, skipped->why, sizeof skipped->why) == 0)
        c->skipped_count++;
}

/* A client's problem is a connection that failed: it says whose, and of which kind. */
static void child_on_problem(struct child *c, const char *line)
{
    struct child_failure failure = {.text = ""};
    if (!c->problem[0])
        line_text(line, "text", true, c->problem, sizeof c->problem);
    if (!c->failure.text[0] &&
        line_text(line, "kind", false, failure.kind, sizeof failure.kind) == 0 &&
        line_text(line, "behaviour", false, failure.behaviour, sizeof failure.behaviour) == 0 &&
        line_text(line, "text", true, failure.text, sizeof failure.text) == 0)
        c->failure = failure;
}

void child_hear(struct child *c, const char *line)
{
    if (line_is(line, "fatal"))
        line_text(line, "text", true, c->fatal, sizeof c->fatal);
    else if (line_is(line, "problem"))
        child_on_problem(c, line);
    else if (line_is(line, "skipped"))
        child_on_skipped(c, line);
    c->on_line(c, line);
}

static void child_on_line(void *ctx, const char *line)
{
    child_hear(ctx, line);
}

/* One that sends what is no line can't be talked to any more. */
static void child_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct child *c = stream->data;
    if (count > 0 && line_reader_feed(&c->reader, buf->base, (size_t)count, child_on_line, c) == 0)
        return;
    if (count != 0)
        uv_read_stop(stream);
    if (count > 0) {
        c->babbles = true;
        child_kill(c);
    }
}

static void child_on_process_exit(uv_process_t *process, int64_t status, int signal_number)
{
    struct child *c = process->data;
    c->running = false;
    c->exit_status = status;
    c->exit_signal = signal_number;
    uv_close((uv_handle_t *)process, NULL);
    handle_close(&c->control);
    c->on_exit(c);
}

static int child_spawn(struct child *c, const struct child_launch *launch, int control_fd)
{
    const int fds[] = {
        -1,         launch->log_fd,   launch->log_fd,  control_fd,
        c->page_fd, launch->extra_fd, launch->heap_fd,
    };
    uv_stdio_container_t stdio[CHILD_HEAP_FD + 1] = {{.flags = UV_IGNORE}};
    for (int i = 1; i <= CHILD_HEAP_FD; i++) {
        stdio[i].flags = fds[i] < 0 ? UV_IGNORE : UV_INHERIT_FD;
        stdio[i].data.fd = fds[i];
    }
    uv_process_options_t options = {
        .file = launch->path,
        .args = (char **)(uintptr_t)launch->argv,
        .env = launch->environment,
        .exit_cb = child_on_process_exit,
        .stdio_count = fds[CHILD_HEAP_FD] >= 0 ? CHILD_HEAP_FD + 1
                       : fds[EXTRA_FD] >= 0    ? EXTRA_FD + 1
                                               : EXTRA_FD,
        .stdio = stdio,
    };
    c->process.data = c;
    return c->guarded ? guard_spawn_all(launch->loop, &c->process, &options)
                      : uv_spawn(launch->loop, &c->process, &options);
}

void child_page_text(int page_fd, char *buf, size_t size)
{
    struct stat st = {0};
    CHECK(fstat(page_fd, &st) == 0);
    snprintf(buf, size, "fd=%d,ino=%" PRIu64 ":%" PRIu64 ",path=/proc/%d/fd/%d", PAGE_FD,
             (uint64_t)st.st_dev, (uint64_t)st.st_ino, (int)getpid(), page_fd);
}

uint64_t child_page_bytes(const struct child *c)
{
    enum { BLOCK = 512 }; /* of st_blocks, whatever the file system: stat(3type) */
    struct stat st = {0};
    if (c->page_fd >= 0)
        CHECK(fstat(c->page_fd, &st) == 0);
    return (uint64_t)st.st_blocks * BLOCK;
}

int child_start(struct child *c, const struct child_launch *launch, struct err *e)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(e, "%s: no control socket can be made: %s", c->name, strerror(errno));
    CHECK(uv_pipe_init(launch->loop, &c->control, 0) == 0);
    c->control.data = c;
    CHECK(uv_pipe_open(&c->control, pair[0]) == 0);
    int rc = child_spawn(c, launch, pair[1]);
    close(pair[1]);
    if (rc != 0) {
        uv_close((uv_handle_t *)&c->control, NULL);
        uv_close((uv_handle_t *)&c->process, NULL);
        return err_set(e, "%s: %s can't be started: %s", c->name, launch->path, uv_strerror(rc));
    }
    c->pid = c->guarded ? 0 : c->process.pid;
    c->running = true;
    CHECK(uv_read_start((uv_stream_t *)&c->control, handle_buffer, child_on_read) == 0);
    return 0;
}

void child_send(struct child *c, const char *format, ...)
{
    if (!c->running)
        return;
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    CHECK(n > 0 && (size_t)n < sizeof line - 1);
    line[n] = '\n';
    uv_buf_t buf = uv_buf_init(line, (unsigned)n + 1);
    /* The socket's buffer holds thousands of such lines and the protocol has at most one or two
     * under way; a child that doesn't read at all is the watchdog's matter. */
    uv_try_write((uv_stream_t *)&c->control, &buf, 1);
}

void child_kill(struct child *c)
{
    if (c->running) {
        c->quitting = true;
        uv_process_kill(&c->process, SIGKILL);
    }
}

void child_keep_image(struct child *c)
{
    char *maps;
    if (maps_read(c->pid, MAPS_BYTES, &maps, NULL) == 0)
        image_keep(&c->image, c->pid, page_epoch(atomic_load(&c->page->epoch)), maps);
}

static const char *signal_name(int number)
{
    const char *abbreviation = sigabbrev_np(number);
    return abbreviation ? abbreviation : "?";
}

char *child_end_text(const struct child *c, char *buf, size_t size)
{
    char label[CHILD_LABEL];
    child_label(c, label, sizeof label);
    if (c->babbles)
        snprintf(buf, size, "%s sent a control line of more than %d bytes, or with a zero", label,
                 LINE_MAX_BYTES - 1);
    else if (c->exit_signal)
        snprintf(buf, size, "%s exited with signal %d (SIG%s)", label, c->exit_signal,
                 signal_name(c->exit_signal));
    else if (c->fatal[0])
        snprintf(buf, size, "%s: %s", label, c->fatal);
    else
        snprintf(buf, size, "%s exited with status %d", label, (int)c->exit_status);
    return buf;
}

void child_fini(struct child *c)
{
    if (c->page && !c->page_lent)
        page_file_unmap(c->page);
    if (c->page_fd >= 0 && !c->page_lent)
        close(c->page_fd);
    image_fini(&c->image);
    c->page = NULL;
    c->page_fd = -1;
}

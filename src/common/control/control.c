/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include "base/exit_codes.h"
#include "base/process.h"
#include "base/version.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Without soak nobody needs an answer or a clean shutdown. */
static _Noreturn void abandon(void)
{
    _exit(EXIT_FAILURE);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char bytes[LINE_MAX_BYTES];
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct control *c = stream->data;
    if (count < 0 || (count > 0 && line_reader_feed(&c->reader, buf->base, (size_t)count,
                                                    c->on_line, c->ctx) < 0))
        abandon();
}

int control_open(struct control *c, uv_loop_t *loop, int fd, struct err *e)
{
    *c = (struct control){.on_line = c->on_line, .ctx = c->ctx, .open = true};
    uv_pipe_init(loop, &c->pipe, 0);
    c->pipe.data = c;
    int rc = uv_pipe_open(&c->pipe, fd);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
    if (rc < 0)
        return err_set(e, "--control-fd %d: %s", fd, uv_strerror(rc));
    return 0;
}

void control_say(struct control *c, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    if (!c->open)
        return;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (n < 0)
        return;
    size_t length = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[length++] = '\n';
    uv_buf_t buf = uv_buf_init(line, (unsigned)length);
    /* The lines are few and short: a peer that leaves no room for one doesn't read any more. */
    if (uv_try_write((uv_stream_t *)&c->pipe, &buf, 1) != (int)length)
        abandon();
}

void control_close(struct control *c)
{
    if (c->open)
        uv_close((uv_handle_t *)&c->pipe, NULL);
    c->open = false;
}

/* ---- a program that is started ---- */

void program_start(int control_fd)
{
    signal(SIGPIPE, SIG_IGN);
    if (control_fd >= 0) {
        signal(SIGINT, SIG_IGN);
        if (process_follow_socket(control_fd) != 0)
            process_follow(getppid());
    }
}

int program_refuse(const char *name, const struct err *e)
{
    fprintf(stderr, "%s: %s\n", name, e->text);
    return EXIT_USAGE;
}

int program_begin(const struct program *p)
{
    if (p->help) {
        p->print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (p->version) {
        printf("%s %s, %s, libuv %s\n", p->name, soak_version, p->crypto, uv_version_string());
        return EXIT_SUCCESS;
    }
    program_start(p->control_fd);
    return -1;
}

uint64_t program_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return UINT64_MAX;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max;
}

_Noreturn void program_fail(const char *name, int control_fd, const struct err *e)
{
    if (control_fd >= 0)
        dprintf(control_fd, "fatal text=%.400s\n", e->text);
    fprintf(stderr, "%s: %s\n", name, e->text);
    _exit(EXIT_FAILURE);
}

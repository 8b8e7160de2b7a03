/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/text.h"
#include "environment.h"
#include "guard.h"
#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRY_MS = 20, LOOK_MS = 20, PIPE_BYTES = 1 << 20 };

/* From --stop to the end of all; what the program itself has left behind gets less, and soak itself
 * ends what the guard doesn't. */
static const uint64_t GRACE_NS = 5000000000u, LEFT_NS = 500000000u, STUBBORN_NS = 10000000000u;

/* Whether it is started again and again. */
static bool loops(const struct foreign *f)
{
    return f->subject->all->programs->scenario->loop > 0;
}

/* ---- its log ---- */

static void on_output(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct foreign *f = stream->data;
    if (count > 0)
        bounded_log_add(&f->log, buf->base, (size_t)count);
    else if (count < 0)
        uv_read_stop(stream);
}

/* A pipe, not a socket, as programs open /dev/stderr. Returns its other end, or -1. */
static int open_log(struct foreign *f, struct err *e)
{
    int ends[2], log;
    char name[32];
    snprintf(name, sizeof name, "%s.log", f->subject->child.name);
    log = run_dir_log(f->subject->all->dir, name, e);
    if (log < 0)
        return -1;
    bounded_log_open(&f->log, log);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(e, "%s: no pipe can be made: %s", f->subject->child.name, strerror(errno));
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES);
    CHECK(uv_pipe_init(&f->subject->all->loop, &f->output, 0) == 0);
    f->output.data = f;
    CHECK(uv_pipe_open(&f->output, ends[0]) == 0);
    CHECK(uv_read_start((uv_stream_t *)&f->output, handle_buffer, on_output) == 0);
    return ends[1];
}

/* What is still in the pipe belongs to the log before its end is told: what the pipe can hold, as
 * whatever the guard has left, should that have been killed, may go on writing. */
static void finish_log(struct foreign *f)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&f->output, &fd) == 0)
        bounded_log_drain(&f->log, fd, PIPE_BYTES);
    bounded_log_finish(&f->log);
}

/* ---- its time ---- */

static void on_timer(uv_timer_t *timer)
{
    struct foreign *f = timer->data;
    uint64_t now = clock_now_ns();
    bool over = f->told || (loops(f) && f->main_ended);
    if (over && now - f->told_ns > STUBBORN_NS) {
        guard_end_all(&f->subject->child.process);
    } else if (over && now - f->told_ns > (f->main_ended ? LEFT_NS : GRACE_NS)) {
        guard_kill_all(&f->subject->child.process);
    } else if (!f->ready && !f->told && f->main_pid) {
        foreign_ready_poll(f, now);
    }
}

/* ---- its end ---- */

/* As it was asked to, in whatever way it obeys. */
static bool ended_well(const struct foreign *f)
{
    int number = f->subject->child.exit_signal;
    return f->told && (number == 0 || number == SIGKILL || number == f->stop_signal);
}

static void on_exit_guard(struct child *c)
{
    struct subject *s = c->owner;
    struct foreign *f = s->foreign;
    guard_kill(&c->process, SIGKILL); /* it may have been killed, and its program be left */
    finish_log(f);
    handle_close(&f->output);
    handle_close(&f->timer);
    foreign_ready_stop(f);
    if (!loops(f))
        foreign_files_remove(&f->files);
    if (ended_well(f))
        c->exit_signal = 0, c->exit_status = 0;
    s->all->on_exit(s, c);
}

/* The program has ended and others of its family go on: a daemon, when it did so in peace. */
static void main_ended(struct foreign *f, const char *line)
{
    uint64_t status = 0, number = 0;
    f->main_ended = true;
    line_number(line, "status", &status);
    line_number(line, "signal", &number);
    f->end = (struct foreign_end){status, number};
    if (f->told || loops(f))
        f->told_ns = clock_now_ns();
    else if (status || number)
        guard_kill_all(&f->subject->child.process);
    else if (f->ready)
        foreign_find_main(f);
}

/* What the guard says. */
static void on_line(struct child *c, const char *line)
{
    struct foreign *f = ((struct subject *)c->owner)->foreign;
    uint64_t pid;
    if (line_is(line, "started") && line_number(line, "pid", &pid) == 0) {
        f->main_pid = c->pid = (pid_t)pid;
        foreign_find_main(f);
        if (!f->subject->serves)
            foreign_is_ready(f, "started");
    } else if (line_is(line, "ended")) {
        main_ended(f, line);
    }
}

/* ---- its start ---- */

/* The port that is asked for, or a free one. */
static int choose_port(struct foreign *f, const struct scenario *scenario, struct err *e)
{
    const char *given = scenario_address(scenario), *brace = strchr(given, '{');
    struct address at;
    char text[ADDRESS_TEXT];
    snprintf(text, sizeof text, "%.*s%s", brace ? (int)(brace - given) : ADDRESS_TEXT, given,
             brace ? "0" : "");
    CHECK(address_parse_any(text, &at, NULL) == 0); /* scenario_check */
    int fd = socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at.storage, at.bytes) != 0 ||
        getsockname(fd, (struct sockaddr *)&at.storage, &at.bytes) != 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return err_set(e, "--connect %s: %s", given,
                       error == EADDRINUSE ? SERVED_ALREADY : strerror(error));
    }
    close(fd);
    address_print(&at, f->address);
    snprintf(f->port, sizeof f->port, "%u", address_port(&at));
    address_host(&at, f->subject->all->host);
    f->subject->all->port = address_port(&at);
    return 0;
}

/* Where soak-server listens. */
static void find_server(struct foreign *f)
{
    const struct subjects *all = f->subject->all;
    struct text address = text_into(f->address, sizeof f->address);
    snprintf(f->port, sizeof f->port, "%u", (unsigned)all->port & 0xffff);
    text_add(&address, "%s:%s", all->host, f->port);
}

static void fill_values(struct foreign *f)
{
    const struct programs *programs = f->subject->all->programs;
    const char **v = f->values.value;
    v[PLACEHOLDER_WORK] = f->files.work;
    v[PLACEHOLDER_HERE] = programs->here;
    v[PLACEHOLDER_ADDRESS] = f->address;
    v[PLACEHOLDER_PORT] = f->port;
    v[PLACEHOLDER_CERT] = *f->files.cert ? f->files.cert : NULL;
    v[PLACEHOLDER_KEY] = *f->files.key ? f->files.key : NULL;
    v[PLACEHOLDER_PEM] = *f->files.pem ? f->files.pem : NULL;
    v[PLACEHOLDER_PROGRAM] = *programs->program ? programs->program : NULL;
    v[PLACEHOLDER_CA] = *f->files.ca ? f->files.ca : NULL;
    snprintf(f->count, sizeof f->count, "%llu", (unsigned long long)f->subject->all->asked);
    v[PLACEHOLDER_COUNT] = loops(f) ? f->count : NULL;
}

static int launch(struct foreign *f, struct err *e)
{
    struct subject *s = f->subject;
    const struct programs *programs = s->all->programs;
    char page[160];
    int log = open_log(f, e);
    if (log < 0)
        return -1;
    child_page_text(s->child.page_fd, page, sizeof page);
    char **environment = programs_foreign_environment(programs, &f->values, page, e);
    const struct child_launch launched = {.loop = &s->all->loop,
                                          .path = f->command.argv[0],
                                          .argv = f->command.argv,
                                          .environment = environment,
                                          .log_fd = log,
                                          .extra_fd = -1,
                                          .heap_fd = -1};
    int rc = environment ? child_start(&s->child, &launched, e) : -1;
    environment_free(environment);
    close(log);
    return rc;
}

static int prepare_and_launch(struct foreign *f, const struct scenario *scenario, struct err *e)
{
    const struct subject *s = f->subject;
    if ((s->serves ? choose_port(f, scenario, e) : 0) != 0 ||
        (f->runs <= 1 && foreign_files_make(&f->files, s, scenario, e) != 0))
        return -1;
    if (!s->serves)
        find_server(f);
    fill_values(f);
    if (foreign_templates_fill(f, scenario, e) != 0)
        return -1;
    const char *command = s->serves ? scenario->server : scenario->client;
    if (placeholders_split(command, &f->values, &f->command, e) != 0)
        return err_prefix(e, "--%s", s->child.name);
    return launch(f, e);
}

/* A run of --loop: what the last one held goes, and this one's stays when it ends. */
static void begin_run(struct foreign *f)
{
    struct subject *s = f->subject;
    struct page *page = s->child.page;
    pid_t pid[PAGE_OWNERS];
    for (size_t i = page_process_all(page, pid); i-- > 0;)
        page_reap(page, &(struct page_reap){pid[i], UINT64_MAX, getpid()});
    atomic_store(&page->keeper, PAGE_KEEPER_NEXT);
    f->runs++;
    f->main_pid = 0;
    f->main_ended = f->ready = f->told = s->child.quitting = false;
    f->end = (struct foreign_end){0};
    f->known_count = 0;
    f->looked_ns = f->cpu_ns = 0;
    s->child.reader = (struct line_reader){0};
}

static int start(struct subject *s, const struct scenario *scenario, struct err *e)
{
    struct foreign *f = s->foreign;
    if (loops(f))
        begin_run(f);
    f->stop_signal = scenario_stop_signal(scenario);
    f->started_ns = clock_now_ns();
    if (prepare_and_launch(f, scenario, e) != 0) {
        handle_close(&f->output);
        bounded_log_finish(&f->log);
        foreign_files_remove(&f->files);
        return -1;
    }
    CHECK(uv_timer_init(&s->all->loop, &f->timer) == 0);
    f->timer.data = f;
    CHECK(uv_timer_start(&f->timer, on_timer, TRY_MS, TRY_MS) == 0);
    return 0;
}

/* ---- what it is told ---- */

static int ready(struct subject *s, struct err *e)
{
    (void)e;
    child_keep_image(&s->child);
    return 0;
}

static void say(struct subject *s, enum subject_said said, const char *line)
{
    s->all->on_said(s, &(struct subject_word){.said = said, .line = line});
}

static void again(struct subject *s)
{
    s->foreign->ready = false;
    s->foreign->started_ns = clock_now_ns();
}

/* Nobody can be told. What it closes late is waited for where its page isn't quiet. */
static void drain(struct subject *s)
{
    say(s, SUBJECT_DRAINED, "drained");
}

static void flush(struct subject *s)
{
    say(s, SUBJECT_FLUSHED, "flushed");
}

static void stop(struct subject *s)
{
    struct foreign *f = s->foreign;
    s->child.quitting = f->told = true;
    f->told_ns = clock_now_ns();
    if (!s->child.running)
        return;
    foreign_find_main(f); /* a daemon may have handed over to another */
    if (f->main_pid)
        kill(f->main_pid, f->stop_signal);
    else
        guard_kill_all(&s->child.process);
}

static void end(struct subject *s)
{
    s->child.quitting = s->foreign->told = true;
    s->foreign->told_ns = clock_now_ns();
    if (s->child.running)
        guard_kill_all(&s->child.process);
}

/* When the process that has this number began; that of none: what began before now is nobody's. */
static uint64_t began_ns(pid_t pid)
{
    struct process now;
    uint64_t now_ns = page_process_now_ns();
    return process_read(pid, &now) ? now.started * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK))
                                   : now_ns;
}

/* What a process that has gone held isn't held any more, unless others share it: another that has
 * its number is another. Where one is of another namespace numbers say nothing. */
static void reap(struct page *page)
{
    pid_t pid[PAGE_OWNERS];
    bool stays = atomic_load(&page->processes_apart) || atomic_load(&page->memory_shared);
    size_t count = stays ? 0 : page_process_all(page, pid);
    for (size_t i = 0; i < count; i++)
        if ((uint64_t)pid[i] != atomic_load(&page->keeper))
            page_reap(page, &(struct page_reap){pid[i], began_ns(pid[i]), getpid()});
}

static void look(struct subject *s)
{
    struct foreign *f = s->foreign;
    uint64_t now = clock_now_ns();
    if (now - f->looked_ns < LOOK_MS * UINT64_C(1000000))
        return;
    f->looked_ns = now;
    reap(s->child.page);
    foreign_find_counted(f);
}

void subject_foreign(struct subject *s, bool serves)
{
    static const struct subject_ops foreign = {.can = SUBJECT_HAS_PAGE,
                                               .start = start,
                                               .ready = ready,
                                               .drain = drain,
                                               .flush = flush,
                                               .snapshot = foreign_snapshot,
                                               .measure = foreign_measure,
                                               .wanted = foreign_wanted,
                                               .again = again,
                                               .stop = stop,
                                               .kill = end,
                                               .look = look,
                                               .blind = foreign_blind,
                                               .check = foreign_check};
    subject_init(s, &foreign, serves ? "server" : "client");
    s->role = SUBJECT_JUDGED;
    s->serves = serves;
    s->child.on_line = on_line;
    s->child.on_exit = on_exit_guard;
    s->child.guarded = true;
    s->foreign = calloc(1, sizeof *s->foreign);
    CHECK(s->foreign);
    s->foreign->subject = s;
    s->foreign->log.fd = -1;
    s->foreign->files.cleaner.fd = -1;
}

void foreign_free(struct foreign *f)
{
    if (!f)
        return;
    if (loops(f))
        foreign_files_remove(&f->files);
    free(f->last);
    free(f);
}

bool foreign_ended(const struct subject *s, struct foreign_end *ret)
{
    if (!s->foreign->main_ended || s->child.running)
        return false;
    reap(s->child.page);
    *ret = s->foreign->end;
    return true;
}

pid_t foreign_main(const struct subject *s)
{
    return s->foreign->main_pid;
}

const struct placeholders *foreign_values(const struct foreign *f)
{
    return &f->values;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A server that runs already, which soak neither starts nor ends: nothing in it is counted. */
#include "subject.h"

#include "base/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void say(struct subject *s, enum subject_said said, const char *line)
{
    s->all->on_said(s, &(struct subject_word){
                           .said = said, .numbered = true, .number = s->all->port, .line = line});
}

/* Later, as the words of the others come. */
static void on_begun(uv_handle_t *handle)
{
    struct subject *s = handle->data;
    if (s->child.running)
        say(s, SUBJECT_READY, "it can be connected to");
}

static void on_timer(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, on_begun);
}

static int try_to_connect(const struct address *at, const char *given, struct err *e)
{
    int fd = socket(at->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&at->storage, at->bytes);
    int error = errno;
    if (fd >= 0)
        close(fd);
    return rc == 0 ? 0
                   : err_set(e, "--connect %s: %s; start the server, or let --server COMMAND do it",
                             given, strerror(error));
}

static int start(struct subject *s, const struct scenario *scenario, struct err *e)
{
    struct address at;
    struct proc_sample unused;
    CHECK(address_parse_any(scenario->connect, &at, NULL) == 0); /* scenario_check */
    if (try_to_connect(&at, scenario->connect, e) != 0)
        return -1;
    if (scenario->pid && proc_sample_full(scenario->pid, &unused, e) != 0)
        return err_prefix(e, "--pid %d", scenario->pid);
    address_host(&at, s->all->host);
    s->all->port = address_port(&at);
    s->child.pid = scenario->pid;
    s->child.running = true;
    snprintf(s->libs, sizeof s->libs, "address=%s", scenario->connect);
    CHECK(uv_timer_init(&s->all->loop, &s->begin) == 0);
    s->begin.data = s;
    CHECK(uv_timer_start(&s->begin, on_timer, 0, 0) == 0);
    return 0;
}

static int ready(struct subject *s, struct err *e)
{
    (void)e;
    if (s->child.pid)
        child_keep_image(&s->child);
    return 0;
}

static void drain(struct subject *s)
{
    say(s, SUBJECT_DRAINED, "drained");
}

static void flush(struct subject *s)
{
    say(s, SUBJECT_FLUSHED, "flushed");
}

static int snapshot(const struct subject *s, struct snapshot *ret, struct err *e)
{
    return snapshot_read(s->child.page, ret, e);
}

static int measure(const struct subject *s, struct proc_sample *ret, struct proc_rollup *ret_rollup,
                   struct err *e)
{
    *ret = (struct proc_sample){0};
    if (!s->child.pid)
        return 0;
    if (proc_sample_full(s->child.pid, ret, e) != 0)
        return -1;
    if (ret_rollup)
        proc_rollup_read(s->child.pid, ret_rollup, NULL);
    return 0;
}

/* It goes on. */
static void leave(struct subject *s)
{
    if (!s->child.running)
        return;
    s->child.quitting = true;
    s->child.running = false;
    s->all->on_exit(s, &s->child);
}

/* It has no control socket and ends as soak says. */
static void on_line(struct child *c, const char *line)
{
    (void)c;
    (void)line;
}

static void on_exit_child(struct child *c)
{
    (void)c;
}

void subject_remote(struct subject *s)
{
    static const struct subject_ops remote = {.start = start,
                                              .ready = ready,
                                              .drain = drain,
                                              .flush = flush,
                                              .snapshot = snapshot,
                                              .measure = measure,
                                              .stop = leave,
                                              .kill = leave};
    subject_init(s, &remote, "server");
    s->role = SUBJECT_JUDGED;
    s->serves = true;
    s->child.on_line = on_line;
    s->child.on_exit = on_exit_child;
}

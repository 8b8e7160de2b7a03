/* SPDX-License-Identifier: Apache-2.0 */
/* A server that runs already, which soak neither starts nor ends: nothing in it is counted. */
#include "subject.h"

#include "base/check.h"
#include "base/text.h"
#include "measure/process_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is known of the process of --pid. */
struct remote {
    struct process process; /* as it was at the start: tells its number's next owner */
    bool seen, holds;       /* at a checkpoint: what it has of those that stood, and one it had */
    struct process holder;  /* who else had one; pid 0: nobody that can be seen */
};

void remote_free(struct remote *remote)
{
    free(remote);
}

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

static int find_process(struct subject *s, pid_t pid, struct err *e)
{
    struct proc_sample unused;
    s->child.pid = pid;
    s->remote = calloc(1, sizeof *s->remote);
    CHECK(s->remote);
    if (pid && (proc_sample_full(pid, &unused, e) != 0 || !process_read(pid, &s->remote->process)))
        return err_prefix(e, "--pid %d", pid);
    return 0;
}

static int start(struct subject *s, const struct scenario *scenario, struct err *e)
{
    struct address at;
    CHECK(address_parse_any(scenario->connect, &at, NULL) == 0); /* scenario_check */
    if (try_to_connect(&at, scenario->connect, e) != 0 || find_process(s, scenario->pid, e) != 0)
        return -1;
    address_host(&at, s->all->host);
    s->all->port = address_port(&at);
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

static int check_alive(const struct subject *s, struct err *e)
{
    const struct process *then = &s->remote->process;
    struct process now;
    char name[PROCESS_NAME];
    if (!s->child.pid || (process_read(s->child.pid, &now) && now.started == then->started))
        return 0;
    return err_set(e, "the process of --pid, %s (process %d), has ended",
                   text_copy(name, sizeof name, then->name), (int)s->child.pid);
}

static bool is_it(const void *owner, const struct process *p)
{
    return ((const struct process *)owner)->pid == p->pid;
}

/* At a checkpoint: whether connections stand that it doesn't hold. All of the machine's processes
 * are asked only then. What it may be hiding says nothing. */
static void look_for_holder(struct remote *remote, const struct address *server)
{
    struct process_tree *tree = malloc(sizeof *tree);
    struct process_holders h = {.server = *server, .chosen = is_it, .owner = &remote->process};
    CHECK(tree);
    tree->count = 1;
    tree->process[0] = remote->process;
    process_tree_holders(tree, &h);
    remote->seen |= h.standing && !h.unread;
    remote->holds |= h.of_chosen > 0;
    if (h.standing && !h.of_chosen && !h.unread) {
        process_tree_read(tree, 0);
        process_tree_holders(tree, &h);
        remote->holder = h.others;
    }
    free(tree);
}

static int measure(const struct subject *s, struct proc_sample *ret, struct proc_rollup *ret_rollup,
                   struct err *e)
{
    *ret = (struct proc_sample){0};
    if (!s->child.pid)
        return 0;
    if (check_alive(s, e) != 0 || proc_sample_full(s->child.pid, ret, e) != 0)
        return -1;
    if (!ret_rollup)
        return 0;
    proc_rollup_read(s->child.pid, ret_rollup, NULL);
    struct address server;
    if (!s->remote->holds && subjects_address(s->all, &server))
        look_for_holder(s->remote, &server);
    return 0;
}

char *remote_outside(const struct subject *s, char *buf, size_t size)
{
    const struct remote *remote = s->remote;
    struct text to = text_into(buf, size);
    if (!s->child.pid)
        text_add(&to, "--connect alone makes load: the server's memory isn't looked at");
    else if (remote->holds || !remote->seen)
        text_add(&to, "process %d is seen from outside only, which shows no block",
                 (int)s->child.pid);
    else
        text_add(&to, "process %d, which is seen from outside, holds none of the connections",
                 (int)s->child.pid);
    if (!remote->holds && remote->holder.pid)
        text_add(&to, ": %.*s (process %d) does", PROCESS_NAME, remote->holder.name,
                 (int)remote->holder.pid);
    return text_clean(buf);
}

/* It is no child, and nobody else tells of its end. */
static void look(struct subject *s)
{
    struct err e;
    if (check_alive(s, &e) != 0)
        s->all->on_broken(s, e.text);
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
                                              .kill = leave,
                                              .look = look};
    subject_init(s, &remote, "server");
    s->role = SUBJECT_JUDGED;
    s->serves = true;
    s->child.on_line = on_line;
    s->child.on_exit = on_exit_child;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak-server and soak-client: one process or several, which share a page and have a control socket
 * each. What is told is told to all of them; a word is the subject's once all have said it.
 */
#include "args.h"
#include "base/check.h"
#include "base/memory_file.h"
#include "subject.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- its start ---- */

static void make_args(struct args *args, const struct subject *s, const struct child *c,
                      const struct scenario *scenario)
{
    const struct subjects *all = s->all;
    char address[ADDRESS_TEXT + 24];
    snprintf(address, sizeof address, "%s:%" PRIu64, all->host, all->port);
    struct args_process process = {
        .seed = all->seed, .at = {c->number - 1, c->of}, .address = address};
    if (!s->serves) {
        args_client(args, scenario, &process);
    } else if (s->role == SUBJECT_LOAD) {
        args_paced(args, scenario, "soak-server", all->seed);
    } else {
        process.address = c->number > 1 ? address : NULL;
        args_server(args, scenario, &process);
    }
}

static int start_process(struct subject *s, struct child *c, const struct scenario *scenario,
                         struct err *e)
{
    struct args args;
    make_args(&args, s, c, scenario);
    const struct programs_launch launch = {.server = s->serves,
                                           .loop = &s->all->loop,
                                           .argv = args.argv,
                                           .dir = s->all->dir,
                                           .extra_fd = s->pki_fd,
                                           .heap_fd = s->heap_fd};
    return programs_start(s->all->programs, c, &launch, e);
}

static int start_others(struct subject *s, const struct scenario *scenario, struct err *e)
{
    for (size_t i = 1; i < s->processes; i++)
        if (start_process(s, subject_process(s, i), scenario, e) != 0)
            return -1;
    return 0;
}

/* The others of a server join its port, which the first one tells. */
static int start(struct subject *s, const struct scenario *scenario, struct err *e)
{
    struct subjects *all = s->all;
    s->scenario = scenario;
    if (s->serves) {
        snprintf(all->host, sizeof all->host, "%s", scenario->listen);
        *strrchr(all->host, ':') = '\0'; /* scenario_check: address:port */
    }
    if (memory_file_make("soak-heap", "", &s->heap_fd, e) != 0 ||
        start_process(s, &s->child, scenario, e) != 0)
        return -1;
    if (s->processes > 1) /* the addresses in another's stacks would be others */
        atomic_store(&s->child.page->capture.pid, (uint64_t)s->child.pid);
    return s->serves ? 0 : start_others(s, scenario, e);
}

/* One process of several that loaded other libraries would make two subjects of them. */
static int check_libs(const struct subject *s, const struct child *c, const char *line,
                      struct err *e)
{
    const char *found = strstr(line, "openssl="), *libs = found ? found : "";
    if (c->of < 2 || !s->libs[0] || strcmp(s->libs, libs) == 0)
        return 0;
    return err_set(e, "%s %u of %u runs on %.300s, another on %.300s", s->child.name, c->number,
                   c->of, libs, s->libs);
}

static void on_ready(struct subject *s, const struct child *c, const struct subject_word *word)
{
    struct err e = {{0}};
    int rc = check_libs(s, c, word->line, &e);
    if (rc == 0)
        subject_keep_libs(s, word->line);
    if (rc == 0 && s->serves && word->numbered && c == &s->child) {
        s->all->port = word->number;
        rc = start_others(s, s->scenario, &e);
    }
    if (rc != 0)
        s->all->on_broken(s, e.text);
}

/* ---- its words ---- */

static void on_line(struct child *c, const char *line)
{
    struct subject *s = c->owner;
    struct subject_word word;
    if (!subject_word_read(line, &word))
        return;
    if (word.said == SUBJECT_READY)
        on_ready(s, c, &word);
    if (subject_gather(s, c, &word))
        s->all->on_said(s, &word);
}

static void on_exit_child(struct child *c)
{
    struct subject *s = c->owner;
    s->all->on_exit(s, c);
}

/* ---- what it is told ---- */

static int ready(struct subject *s, struct err *e)
{
    for (size_t i = 0; i < s->processes; i++) {
        struct child *c = subject_process(s, i);
        if (programs_check(s->all->programs, c, s->serves, s->libs, e) != 0)
            return -1;
        child_keep_image(c);
    }
    return 0;
}

__attribute__((format(printf, 2, 3))) static void tell(struct subject *s, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    CHECK(n > 0 && (size_t)n < sizeof line);
    for (size_t i = 0; i < s->processes; i++)
        child_send(subject_process(s, i), "%s", line);
}

static void epoch(struct subject *s, uint64_t opens, const char *more)
{
    for (size_t i = 0; i < s->processes; i++) {
        uint64_t own = share_opens(opens, (struct share){i, s->processes}, s->scenario->conns);
        child_send(subject_process(s, i), "epoch opens=%" PRIu64 "%s", own, more);
    }
}

static void finish(struct subject *s)
{
    tell(s, "finish");
}

static void settle(struct subject *s, uint64_t id, const char *profile)
{
    tell(s, "settle id=%" PRIu64 "%s", id, profile);
}

static void drain(struct subject *s)
{
    tell(s, "drain");
}

static void flush(struct subject *s)
{
    tell(s, "flush");
}

static int snapshot(const struct subject *s, struct snapshot *ret, struct err *e)
{
    return snapshot_read(s->child.page, ret, e);
}

static int measure(const struct subject *s, struct proc_sample *ret, struct proc_rollup *ret_rollup,
                   struct err *e)
{
    *ret = (struct proc_sample){0};
    for (size_t i = 0; i < s->processes; i++) {
        struct proc_sample one;
        struct proc_rollup rollup;
        pid_t pid = subject_process(s, i)->pid;
        if (proc_sample_full(pid, &one, e) != 0)
            return -1;
        proc_add_counts(ret, &one);
        proc_add_memory(ret, &one);
        if (ret_rollup && proc_rollup_read(pid, &rollup, NULL) == 0)
            proc_add_rollup(ret_rollup, &rollup);
    }
    return 0;
}

static void stop(struct subject *s)
{
    for (size_t i = 0; i < subject_processes(s); i++)
        subject_process(s, i)->quitting = true;
    tell(s, "quit");
}

static void end(struct subject *s)
{
    for (size_t i = 0; i < subject_processes(s); i++)
        child_kill(subject_process(s, i));
}

void subject_builtin(struct subject *s, enum subject_role role, bool serves, size_t processes)
{
    static const struct subject_ops builtin = {.can = SUBJECT_CAN_SETTLE |
                                                      SUBJECT_COUNTS_CONNECTIONS | SUBJECT_HAS_PAGE,
                                               .start = start,
                                               .ready = ready,
                                               .epoch = epoch,
                                               .finish = finish,
                                               .settle = settle,
                                               .drain = drain,
                                               .flush = flush,
                                               .snapshot = snapshot,
                                               .measure = measure,
                                               .stop = stop,
                                               .kill = end};
    subject_init(s, &builtin, serves ? "server" : "client");
    s->role = role;
    s->processes = processes;
    s->serves = serves;
    s->child.on_line = on_line;
    s->child.on_exit = on_exit_child;
}

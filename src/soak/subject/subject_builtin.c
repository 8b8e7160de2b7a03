/* SPDX-License-Identifier: Apache-2.0 */
/* soak-server and soak-client: children with a control socket and a page of their own. */
#include "args.h"
#include "subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what it says ---- */

/* Each word, and what it says a number of. */
static const struct {
    const char *word, *number;
} words[] = {[SUBJECT_READY] = {"ready", "port"},
             [SUBJECT_QUIET] = {"quiet", "oldest"},
             [SUBJECT_SETTLED] = {"settled", "id"},
             [SUBJECT_DRAINED] = {"drained", NULL},
             [SUBJECT_FLUSHED] = {"flushed", NULL}};

static void keep_libs(struct subject *s, const char *line)
{
    const char *libs = strstr(line, "openssl=");
    snprintf(s->libs, sizeof s->libs, "%s", libs ? libs : "");
}

static void on_line(struct child *c, const char *line)
{
    struct subject *s = c->owner;
    struct subject_word word = {.line = line};
    size_t i = 0;
    while (i < sizeof words / sizeof *words && !line_is(line, words[i].word))
        i++;
    if (i == sizeof words / sizeof *words)
        return;
    word.said = (enum subject_said)i;
    word.numbered = words[i].number && line_number(line, words[i].number, &word.number) == 0;
    if (word.said == SUBJECT_READY) {
        keep_libs(s, line);
        if (s->serves && word.numbered)
            s->all->port = word.number;
    }
    s->all->on_said(s, &word);
}

static void on_exit_child(struct child *c)
{
    struct subject *s = c->owner;
    s->all->on_exit(s);
}

/* ---- what it is told ---- */

static int start(struct subject *s, const struct scenario *scenario, struct err *e)
{
    struct subjects *all = s->all;
    struct args args;
    char server[ADDRESS_TEXT + 24];
    if (s->serves) {
        snprintf(all->host, sizeof all->host, "%s", scenario->listen);
        *strrchr(all->host, ':') = '\0'; /* scenario_check: address:port */
        if (s->role == SUBJECT_LOAD)
            args_paced(&args, scenario, "soak-server", all->seed);
        else
            args_server(&args, scenario, "soak-server", all->seed);
    } else {
        snprintf(server, sizeof server, "%s:%" PRIu64, all->host, all->port);
        args_client(&args, scenario, "soak-client", all->seed, server);
    }
    const struct programs_launch launch = {.server = s->serves,
                                           .loop = &all->loop,
                                           .argv = args.argv,
                                           .dir = all->dir,
                                           .extra_fd = s->pki_fd};
    return programs_start(all->programs, &s->child, &launch, e);
}

static int ready(struct subject *s, struct err *e)
{
    if (programs_check(s->all->programs, &s->child, s->serves, s->libs, e) != 0)
        return -1;
    child_keep_image(&s->child);
    return 0;
}

static void settle(struct subject *s, uint64_t id, const char *profile)
{
    child_send(&s->child, "settle id=%" PRIu64 "%s", id, profile);
}

static void drain(struct subject *s)
{
    child_send(&s->child, "drain");
}

static void flush(struct subject *s)
{
    child_send(&s->child, "flush");
}

static int snapshot(const struct subject *s, struct snapshot *ret, struct err *e)
{
    return snapshot_read(s->child.page, ret, e);
}

static int measure(const struct subject *s, struct proc_sample *ret, struct proc_rollup *ret_rollup,
                   struct err *e)
{
    if (proc_sample_full(s->child.pid, ret, e) != 0)
        return -1;
    return ret_rollup ? proc_rollup_read(s->child.pid, ret_rollup, e) : 0;
}

static void stop(struct subject *s)
{
    s->child.quitting = true;
    child_send(&s->child, "quit");
}

static void end(struct subject *s)
{
    child_kill(&s->child);
}

void subject_builtin(struct subject *s, enum subject_role role, bool serves)
{
    static const struct subject_ops builtin = {.can = SUBJECT_CAN_SETTLE |
                                                      SUBJECT_COUNTS_CONNECTIONS | SUBJECT_HAS_PAGE,
                                               .start = start,
                                               .ready = ready,
                                               .settle = settle,
                                               .drain = drain,
                                               .flush = flush,
                                               .snapshot = snapshot,
                                               .measure = measure,
                                               .stop = stop,
                                               .kill = end};
    *s = (struct subject){.ops = &builtin,
                          .role = role,
                          .serves = serves,
                          .child = {.name = serves ? "server" : "client",
                                    .owner = s,
                                    .on_line = on_line,
                                    .on_exit = on_exit_child,
                                    .page_fd = -1},
                          .pki_fd = -1};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool subjects_address(const struct subjects *all, struct address *ret)
{
    char text[ADDRESS_TEXT + 24];
    struct err e;
    snprintf(text, sizeof text, "%s:%" PRIu64, all->host, all->port);
    return all->port && address_parse_any(text, ret, &e) == 0;
}

struct subject *subjects_find(const struct subjects *all, enum subject_role role)
{
    size_t i = 0;
    while (i < all->count && all->subject[i].role != role)
        i++;
    CHECK(i < all->count);
    return (struct subject *)&all->subject[i];
}

struct subject *subject_partner(const struct subject *s)
{
    return subjects_find(s->all, s->role == SUBJECT_JUDGED ? SUBJECT_LOAD : SUBJECT_JUDGED);
}

size_t subject_index(const struct subject *s)
{
    return (size_t)(s - s->all->subject);
}

void subject_init(struct subject *s, const struct subject_ops *ops, const char *name)
{
    *s = (struct subject){.ops = ops,
                          .processes = 1,
                          .child = {.name = name, .owner = s, .page_fd = -1},
                          .pki_fd = -1,
                          .heap_fd = -1};
}

/* Each word, and what it says a number of. */
static const struct {
    const char *word, *number;
} words[] = {[SUBJECT_READY] = {"ready", "port"},
             [SUBJECT_QUIET] = {"quiet", "oldest"},
             [SUBJECT_SETTLED] = {"settled", "id"},
             [SUBJECT_DRAINED] = {"drained", NULL},
             [SUBJECT_FLUSHED] = {"flushed", NULL}};

bool subject_word_read(const char *line, struct subject_word *ret)
{
    size_t i = 0;
    while (i < sizeof words / sizeof *words && !line_is(line, words[i].word))
        i++;
    if (i == sizeof words / sizeof *words)
        return false;
    *ret = (struct subject_word){.said = (enum subject_said)i, .line = line};
    ret->numbered = words[i].number && line_number(line, words[i].number, &ret->number) == 0;
    return true;
}

static void forget(struct subject *s, enum subject_said said)
{
    s->gathered[said] = (struct subject_gathered){0};
    for (size_t i = 0; i < subject_processes(s); i++)
        subject_process(s, i)->said &= ~(1u << said);
}

bool subject_gather(struct subject *s, struct child *c, struct subject_word *word)
{
    struct subject_gathered *g = &s->gathered[word->said];
    if (c->said & 1u << word->said)
        return false;
    c->said |= 1u << word->said;
    if (g->count == 0 || word->number < g->number)
        g->number = word->number;
    g->unnumbered |= !word->numbered;
    if (++g->count < s->processes)
        return false;
    word->number = g->number;
    word->numbered = !g->unnumbered;
    forget(s, word->said);
    return true;
}

void subject_unsay(struct subject *s, struct child *c)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        s->gathered[i].count -= c->said >> i & 1u;
    c->said = 0;
}

void subject_keep_libs(struct subject *s, const char *line)
{
    const char *libs = strstr(line, "openssl=");
    snprintf(s->libs, sizeof s->libs, "%s", libs ? libs : "");
}

bool subject_running(const struct subject *s)
{
    for (size_t i = 0; i < subject_processes(s); i++)
        if (subject_process(s, i)->running)
            return true;
    return false;
}

const struct child_failure *subject_failure(const struct subject *s)
{
    for (size_t i = 0; i < subject_processes(s); i++)
        if (subject_process(s, i)->failure.text[0])
            return &subject_process(s, i)->failure;
    return &s->child.failure;
}

const char *subject_problem(const struct subject *s)
{
    for (size_t i = 0; i < subject_processes(s); i++)
        if (subject_process(s, i)->problem[0])
            return subject_process(s, i)->problem;
    return "";
}

static void renew(struct subject *s, struct child *c, unsigned number)
{
    const struct child *before = &s->child;
    *c = (struct child){.name = before->name,
                        .number = number,
                        .of = (unsigned)s->processes,
                        .owner = s,
                        .on_line = before->on_line,
                        .on_exit = before->on_exit,
                        .guarded = before->guarded};
}

static int open_others(struct subject *s, struct err *e)
{
    if (s->processes < 2)
        return 0;
    s->others = calloc(s->processes - 1, sizeof *s->others);
    if (!s->others)
        return err_set(e, "out of memory");
    for (size_t i = 1; i < s->processes; i++) {
        renew(s, subject_process(s, i), (unsigned)i + 1);
        child_init_beside(subject_process(s, i), &s->child);
    }
    return 0;
}

int subject_open(struct subject *s, struct err *e)
{
    renew(s, &s->child, 1);
    memset(s->gathered, 0, sizeof s->gathered);
    return child_init(&s->child, e) == 0 ? open_others(s, e) : -1;
}

void subject_close(struct subject *s)
{
    for (size_t i = 1; i < subject_processes(s); i++)
        child_fini(subject_process(s, i));
    free(s->others);
    s->others = NULL;
    child_fini(&s->child);
}

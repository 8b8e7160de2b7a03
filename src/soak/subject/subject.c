/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int subjects_init(struct subjects *all, struct err *e)
{
    CHECK(uv_loop_init(&all->loop) == 0);
    all->count = SUBJECTS_MAX;
    const struct scenario *scenario = all->programs->scenario;
    if (scenario->server || scenario->client)
        subject_foreign(&all->subject[0], !scenario->client);
    else if (scenario->connect)
        subject_remote(&all->subject[0]);
    else
        subject_builtin(&all->subject[0], SUBJECT_JUDGED, true, (size_t)scenario->server_procs);
    subject_builtin(&all->subject[1], SUBJECT_LOAD, scenario->client != NULL,
                    (size_t)scenario->client_procs);
    for (size_t i = 0; i < all->count; i++)
        all->subject[i].all = all;
    int *judged = &subjects_find(all, SUBJECT_JUDGED)->pki_fd,
        *load = &subjects_find(all, SUBJECT_LOAD)->pki_fd;
    if (scenario->client)
        return pki_make_for_program(judged, load, e);
    return scenario->client_auth == CLIENT_AUTH_NONE ? 0 : pki_make(judged, load, e);
}

void subjects_fini(struct subjects *all)
{
    if (!all->count)
        return;
    uv_run(&all->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&all->loop) == 0);
    for (size_t i = 0; i < all->count; i++) {
        subject_close(&all->subject[i]);
        foreign_free(all->subject[i].foreign);
        if (all->subject[i].pki_fd >= 0)
            close(all->subject[i].pki_fd);
    }
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

static unsigned all_that_settle(const struct subjects *all)
{
    unsigned bits = 0;
    for (size_t i = 0; i < all->count; i++)
        bits |= all->subject[i].ops->can & SUBJECT_CAN_SETTLE ? 1u << i : 0;
    return bits;
}

void subjects_settle(struct subjects *all, const char *const *words)
{
    all->settled = 0;
    all->settle_id++;
    for (size_t i = 0; i < all->count; i++) {
        struct subject *s = &all->subject[i];
        if (s->ops->can & SUBJECT_CAN_SETTLE)
            s->ops->settle(s, all->settle_id, words ? words[i] : "");
    }
}

bool subjects_settled(struct subjects *all, const struct subject *s, uint64_t id)
{
    if (id != all->settle_id)
        return false;
    all->settled |= 1u << subject_index(s);
    return all->settled == all_that_settle(all);
}

void subjects_stop(struct subjects *all)
{
    for (size_t i = 0; i < all->count; i++)
        all->subject[i].ops->stop(&all->subject[i]);
}

void subjects_kill(struct subjects *all)
{
    for (size_t i = 0; i < all->count; i++)
        all->subject[i].ops->kill(&all->subject[i]);
}

bool subjects_running(const struct subjects *all)
{
    for (size_t i = 0; i < all->count; i++) {
        if (subject_running(&all->subject[i]))
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent_load.h"
#include "base/check.h"
#include "control/event_loop.h"
#include "subject.h"

#include <unistd.h>

int subjects_init(struct subjects *all, struct err *e)
{
    if (event_loop_open(&all->loop, EVENT_LOOP_FEW, e) < 0)
        return -1;
    all->count = SUBJECTS_MAX;
    const struct scenario *scenario = all->programs->scenario;
    if (scenario->server || scenario->client)
        subject_foreign(&all->subject[0], !scenario->client);
    else if (scenario->connect)
        subject_remote(&all->subject[0]);
    else
        subject_builtin(&all->subject[0], SUBJECT_JUDGED, true, (size_t)scenario->server_procs);
    if (scenario->agents)
        subject_agents(&all->subject[1], (size_t)scenario->agents);
    else
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
        remote_free(all->subject[i].remote);
        agent_load_free(all->subject[i].agents);
        if (all->subject[i].pki_fd >= 0)
            close(all->subject[i].pki_fd);
        if (all->subject[i].heap_fd >= 0)
            close(all->subject[i].heap_fd);
    }
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

const char *subject_outside(const struct subject *s, char *buf, size_t size)
{
    if (s->agents)
        return "it is on the agents' machines, where memory isn't looked at";
    if (s->role == SUBJECT_LOAD)
        return NULL;
    if (s->ops->can & SUBJECT_HAS_PAGE)
        return s->foreign ? foreign_doubt(s) : NULL;
    return remote_outside(s, buf, size);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "overlap.h"

#include "base/check.h"
#include "leave.h"
#include "records.h"
#include "resume.h"

#include <stdlib.h>
#include <string.h>

enum { OVERLAP_MOST = 4 };

struct member {
    struct peer *peer; /* borrowed: taken back by overlap_gone */
    struct overlap *group;
    bool spoils, ready;
    size_t used;
    uint8_t *held; /* owned: its second flight */
};

struct overlap {
    struct session_der session; /* owned */
    struct member *member[OVERLAP_MOST];
    unsigned joined, present, ready, spoilers;
    bool released;
};

static unsigned size_of_group(const struct peer_shared *shared)
{
    return shared->slots < OVERLAP_MOST ? (unsigned)shared->slots : OVERLAP_MOST;
}

static struct overlap *group_take(struct peer_shared *shared)
{
    if (shared->overlap)
        return shared->overlap;
    struct session_der der = sessions_take(shared->sessions, false);
    if (!der.bytes)
        return NULL;
    struct overlap *group = shared->overlap = calloc(1, sizeof *group);
    CHECK(group);
    group->session = der;
    return group;
}

static int join(struct peer *p, bool spoils)
{
    struct peer_shared *shared = p->shared;
    struct overlap *group = group_take(shared);
    if (!group)
        return 0;
    struct member *m = calloc(1, sizeof *m);
    CHECK(m);
    *m = (struct member){.peer = p, .group = group, .spoils = spoils};
    p->own = m;
    group->member[group->joined++] = m;
    group->present++;
    group->spoilers += spoils;
    if (group->joined == size_of_group(shared))
        shared->overlap = NULL;
    return offer_der(p, &group->session);
}

int overlap_prepare(struct peer *p)
{
    return join(p, false);
}

int overlap_prepare_spoiler(struct peer *p)
{
    return join(p, true);
}

/* The peer is on its own from here. The group may be freed by it. */
static void part(struct member *m)
{
    struct overlap *group = m->group;
    struct peer *p = m->peer;
    for (unsigned i = 0; i < group->joined; i++) {
        if (group->member[i] == m)
            group->member[i] = NULL;
    }
    group->ready -= m->ready;
    group->spoilers -= m->spoils;
    p->own = NULL;
    free(m->held);
    free(m);
    if (--group->present > 0)
        return;
    if (p->shared->overlap == group)
        p->shared->overlap = NULL;
    free(group->session.bytes);
    free(group);
}

/* Those who spoil are gone: the others go on, each on its own. */
static void go_on(struct overlap *group)
{
    struct member *all[OVERLAP_MOST];
    unsigned count = group->joined;
    memcpy(all, group->member, sizeof all);
    for (unsigned i = 0; i < count; i++) {
        if (!all[i])
            continue;
        if (all[i]->used)
            peer_queue(all[i]->peer, all[i]->held, all[i]->used);
        part(all[i]);
    }
}

/* A write of nothing gives an abort its turn, where it leaves. */
static void release(struct overlap *group)
{
    group->released = true;
    if (group->spoilers == 0) {
        go_on(group);
        return;
    }
    for (unsigned i = 0; i < group->joined; i++) {
        struct member *m = group->member[i];
        if (!m || !m->spoils || !m->ready)
            continue;
        m->peer->flights = 2;
        peer_queue(m->peer, m->held, m->used);
    }
}

static void release_when_complete(struct peer_shared *shared, struct overlap *group)
{
    bool complete = group->joined == size_of_group(shared) && group->ready == group->present;
    if (!group->released && complete)
        release(group);
}

static void hold(struct member *m, struct wire_out *out)
{
    if (out->used == 0)
        return;
    m->held = realloc(m->held, m->used + out->used);
    CHECK(m->held);
    memcpy(m->held + m->used, out->bytes, out->used);
    m->used += out->used;
    out->used = 0;
}

/* Holds the second flight back. False: the group waits for nothing any more. */
static bool held_back(struct peer *p)
{
    struct member *m = p->own;
    if (!m || m->group->released)
        return false;
    hold(m, &p->shared->net.out);
    if (!m->ready) {
        m->ready = true;
        m->group->ready++;
        release_when_complete(p->shared, m->group);
    }
    return true;
}

void overlap_transmit(struct peer *p)
{
    if (p->flights++ == 0)
        return;
    struct member *m = p->own;
    /* While those who spoil act, the others still hold back. */
    if (m && m->group->released && m->group->spoilers > 0)
        hold(m, &p->shared->net.out);
    else
        held_back(p);
}

/* As the peer is mute, Finished is the last of the flight; in TLS 1.3 it travels as data. */
void overlap_transmit_corrupt(struct peer *p)
{
    if (p->flights++ == 0)
        return;
    bool as_data = SSL_version(p->ssl) >= TLS1_3_VERSION;
    if (p->step++ == 0)
        records_damage_last(&p->shared->net.out, as_data ? RECORD_DATA : RECORD_HANDSHAKE);
    held_back(p);
}

/* What is held back is never sent. */
void overlap_transmit_abort(struct peer *p)
{
    struct member *m = p->own;
    if (p->flights == 0) {
        p->flights = 1;
        return;
    }
    p->shared->net.out.used = 0;
    if (!held_back(p))
        p->flights = 2;
    CHECK(!m || m->used == 0);
}

/* A group that doesn't fill goes on. While one of its handshakes is still under way it is awaited,
 * however slow the machine is: it gets ready, or is gone. */
enum step overlap_tick(struct peer *p)
{
    struct member *m = p->own;
    bool all_ready = m && m->group->ready == m->group->present;
    if (all_ready && !m->group->released && p->step++ > 1) {
        if (p->shared->overlap == m->group)
            p->shared->overlap = NULL;
        release(m->group);
    }
    bool leaves = p->recipe->point != POINT_NONE && p->flights >= 2;
    return leaves ? leave_at_point(p) : STEP_STAY;
}

void overlap_gone(struct peer *p)
{
    struct member *m = p->own;
    if (!m)
        return;
    struct overlap *group = m->group;
    struct peer_shared *shared = p->shared;
    bool last = group->present == 1, spoiled = m->spoils;
    part(m);
    if (last)
        return;
    if (!group->released)
        release_when_complete(shared, group);
    else if (spoiled && group->spoilers == 0)
        go_on(group);
}

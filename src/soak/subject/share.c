/* SPDX-License-Identifier: Apache-2.0 */
#include "share.h"

#include "options/limits.h"

enum { SERVER_FILES = 256 }; /* beside its connections, and a fourth of them */

/* Slots of the stable set: process `at` has those from first to behind. */
static uint64_t first_slot(uint64_t conns, struct share at)
{
    return load_share(conns, 0, at.number, at.of);
}

static uint64_t behind_slot(uint64_t conns, struct share at)
{
    return first_slot(conns, (struct share){at.number + 1, at.of});
}

uint64_t share_opens(uint64_t opens, struct share at, uint64_t conns)
{
    return load_share(opens, first_slot(conns, at), behind_slot(conns, at), conns);
}

/* Those asked for are each process's; else the processors are shared, too. */
static int threads_of(const struct scenario *s, struct share at, uint64_t conns)
{
    int asked = s->client_workers;
    if (asked || at.of == 1)
        return load_need_workers(asked, conns);
    int all = load_need_workers(0, s->conns), each = all / (int)at.of;
    return load_need_workers(each ? each : 1, conns);
}

static uint64_t sources_in_all(const struct scenario *s)
{
    return s->sources ? s->sources : LIMIT_SOURCES;
}

static uint64_t sources_each(const struct scenario *s, struct share at)
{
    uint64_t each = sources_in_all(s) / at.of;
    return each ? each : 1;
}

unsigned share_sources_before(const struct scenario *s, struct share at)
{
    return (unsigned)(at.number * sources_each(s, at) % sources_in_all(s));
}

void share_scenario(const struct scenario *s, struct share at, struct scenario *ret)
{
    *ret = *s;
    ret->conns = behind_slot(s->conns, at) - first_slot(s->conns, at);
    ret->client_workers = threads_of(s, at, ret->conns);
    if (at.of == 1)
        return;
    ret->churn.per_s = s->churn.per_s * (double)ret->conns / (double)s->conns;
    ret->sources = sources_each(s, at);
}

/* ---- files ---- */

/* Every process holds one descriptor per open connection, and while one leaves the next is open;
 * each of the client's threads has some that linger on. The first process has the most. */
uint64_t share_client_files(const struct scenario *s, size_t processes)
{
    struct share last = {processes - 1, processes};
    uint64_t conns = s->conns - first_slot(s->conns, last);
    return load_need_files(conns, threads_of(s, last, conns));
}

/* The kernel chooses the process by a hash: a fourth more than the share is far beyond chance. */
uint64_t share_server_files(const struct scenario *s, size_t processes)
{
    uint64_t conns = (s->conns + processes - 1) / processes;
    return conns + conns / 4 + SERVER_FILES;
}

static size_t needed(const struct scenario *s, uint64_t allowed,
                     uint64_t (*files)(const struct scenario *s, size_t processes))
{
    for (size_t n = 1; n <= LIMIT_PROCESSES && n <= s->conns; n++)
        if (files(s, n) <= allowed)
            return n;
    return 0;
}

size_t share_clients_needed(const struct scenario *s, uint64_t allowed)
{
    return needed(s, allowed, share_client_files);
}

size_t share_servers_needed(const struct scenario *s, uint64_t allowed)
{
    return needed(s, allowed, share_server_files);
}

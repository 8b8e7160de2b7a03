/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_footprint.h"

#include "base/check.h"
#include "report/footprint.h"

#include <stdlib.h>

static const struct {
    enum compare_row bytes, blocks;
} stages[FOOTPRINT_STAGE_COUNT] = {
    [FOOTPRINT_NEW] = {COMPARE_HELD_NEW, COMPARE_BLOCKS_NEW},
    [FOOTPRINT_HANDSHAKE] = {COMPARE_HELD_HANDSHAKE, COMPARE_BLOCKS_HANDSHAKE},
    [FOOTPRINT_DATA] = {COMPARE_HELD_DATA, COMPARE_BLOCKS_DATA},
    [FOOTPRINT_IDLE] = {COMPARE_HELD_IDLE, COMPARE_BLOCKS_IDLE}};

static void set(struct compare_run *run, enum compare_row row, double value, bool exact)
{
    run->row[row] = value;
    run->inexact[row] = !exact;
}

static void take_rows(const struct footprint *f, struct compare_run *run)
{
    const struct footprint_side *server = &f->end[FOOTPRINT_SERVER],
                                *client = &f->end[FOOTPRINT_CLIENT];
    bool both = server->exact && client->exact;
    set(run, COMPARE_ALLOCS, server->allocs + client->allocs, both);
    set(run, COMPARE_ALLOCS_SERVER, server->allocs, server->exact);
    set(run, COMPARE_ALLOCS_CLIENT, client->allocs, client->exact);
    set(run, COMPARE_REALLOCS, server->reallocs + client->reallocs, both);
    set(run, COMPARE_ALLOC_BYTES, server->alloc_bytes + client->alloc_bytes, both);
    set(run, COMPARE_REALLOCS_SERVER, server->reallocs, server->exact);
    set(run, COMPARE_REALLOCS_CLIENT, client->reallocs, client->exact);
    set(run, COMPARE_ALLOC_BYTES_SERVER, server->alloc_bytes, server->exact);
    set(run, COMPARE_ALLOC_BYTES_CLIENT, client->alloc_bytes, client->exact);
    set(run, COMPARE_PEAK, server->peak_bytes, server->exact);
    for (int s = 0; s < FOOTPRINT_STAGE_COUNT; s++) {
        set(run, stages[s].bytes, server->held[s].bytes, server->exact);
        set(run, stages[s].blocks, server->held[s].blocks, server->exact);
    }
    run->row[COMPARE_RSS] = f->rss_bytes_per_conn;
}

/* Allocations count at both ends, held bytes at the server's. */
static void take_sites(struct compare_set *s, const struct footprint *f,
                       struct compare_footprint *ret)
{
    _Static_assert(FOOTPRINT_SERVER == 0, "the server's sites come first");
    ret->server_sites = f->end[FOOTPRINT_SERVER].sites;
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        for (size_t i = 0; i < f->end[end].sites; i++) {
            const struct footprint_site *from = &f->end[end].site[i];
            ret->site[ret->sites++] =
                (struct compare_site){.file = compare_file(compare_set_text(s, from->file)),
                                      .function = compare_set_text(s, from->function),
                                      .line = from->line,
                                      .allocs = from->allocs,
                                      .held_bytes = end == FOOTPRINT_SERVER ? from->held_bytes : 0};
        }
    }
}

int compare_footprint_take(struct compare_set *s, const struct footprint *f,
                           struct compare_run *run, struct compare_footprint *ret, struct err *e)
{
    *ret = (struct compare_footprint){.site = NULL};
    if (!f)
        return 0;
    size_t total = f->end[FOOTPRINT_SERVER].sites + f->end[FOOTPRINT_CLIENT].sites;
    if (total > COMPARE_SITES)
        return err_set(e, "footprint: it has more than %d sites", COMPARE_SITES);
    ret->site = calloc(total + 1, sizeof *ret->site);
    CHECK(ret->site);
    take_rows(f, run);
    take_sites(s, f, ret);
    ret->conns = f->connections;
    ret->group = f->group[0] ? compare_set_text(s, f->group) : NULL;
    return 0;
}

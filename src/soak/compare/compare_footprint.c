#include "compare_footprint.h"

#include "base/check.h"
#include "compare_json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERVER, CLIENT, ENDS };

static const char *const end_names[ENDS] = {"server", "client"};

static const struct {
    const char *stage;
    enum compare_row bytes, blocks;
} stages[] = {{"new", COMPARE_HELD_NEW, COMPARE_BLOCKS_NEW},
              {"handshake", COMPARE_HELD_HANDSHAKE, COMPARE_BLOCKS_HANDSHAKE},
              {"data", COMPARE_HELD_DATA, COMPARE_BLOCKS_DATA},
              {"idle", COMPARE_HELD_IDLE, COMPARE_BLOCKS_IDLE}};
enum { STAGES = sizeof stages / sizeof *stages };

struct end {
    double allocs, reallocs, alloc_bytes, peak_bytes;
    double held_bytes[STAGES], held_blocks[STAGES];
    bool exact;
    const json_t *sites;
};

static int read_held(const json_t *list, struct end *end, struct err *e)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *held = json_array_get(list, i);
        const char *stage = "";
        if (json_read_text(held, "stage", &stage, e) != 0)
            return -1;
        for (int s = 0; s < STAGES; s++) {
            if (strcmp(stage, stages[s].stage) != 0)
                continue;
            if (json_read_count(held, "bytes", &end->held_bytes[s], e) != 0 ||
                json_read_count(held, "blocks", &end->held_blocks[s], e) != 0)
                return err_prefix(e, "held, %s", stages[s].stage);
        }
    }
    return 0;
}

static int read_end(const json_t *object, struct end *end, struct err *e)
{
    *end = (struct end){.allocs = NAN, .reallocs = NAN, .alloc_bytes = NAN, .peak_bytes = NAN};
    for (int s = 0; s < STAGES; s++)
        end->held_bytes[s] = end->held_blocks[s] = NAN;
    end->sites = json_object_get(object, "sites");
    if (json_read_count(object, "allocs", &end->allocs, e) != 0 ||
        json_read_count(object, "reallocs", &end->reallocs, e) != 0 ||
        json_read_count(object, "alloc_bytes", &end->alloc_bytes, e) != 0 ||
        json_read_count(object, "peak_bytes", &end->peak_bytes, e) != 0 ||
        json_read_bool(object, "exact", &end->exact, e) != 0)
        return -1;
    return read_held(json_object_get(object, "held"), end, e);
}

/* The two ends by their names. */
static int read_ends(const json_t *list, struct end end[ENDS], struct err *e)
{
    bool seen[ENDS] = {false};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *object = json_array_get(list, i);
        const char *name = "";
        if (json_read_text(object, "name", &name, e) != 0)
            return -1;
        for (int k = 0; k < ENDS; k++) {
            if (strcmp(name, end_names[k]) != 0)
                continue;
            if (read_end(object, &end[k], e) != 0)
                return err_prefix(e, "%s", end_names[k]);
            seen[k] = true;
        }
    }
    for (int k = 0; k < ENDS; k++)
        if (!seen[k])
            return err_set(e, "it has no %s among its ends", end_names[k]);
    return 0;
}

static void set(struct compare_run *run, enum compare_row row, double value, bool exact)
{
    run->row[row] = value;
    run->inexact[row] = !exact;
}

static void take_rows(const struct end end[ENDS], struct compare_run *run)
{
    const struct end *server = &end[SERVER], *client = &end[CLIENT];
    bool both = server->exact && client->exact;
    set(run, COMPARE_ALLOCS, server->allocs + client->allocs, both);
    set(run, COMPARE_ALLOCS_SERVER, server->allocs, server->exact);
    set(run, COMPARE_ALLOCS_CLIENT, client->allocs, client->exact);
    set(run, COMPARE_REALLOCS, server->reallocs + client->reallocs, both);
    set(run, COMPARE_ALLOC_BYTES, server->alloc_bytes + client->alloc_bytes, both);
    set(run, COMPARE_PEAK, server->peak_bytes, server->exact);
    for (int s = 0; s < STAGES; s++) {
        set(run, stages[s].bytes, server->held_bytes[s], server->exact);
        set(run, stages[s].blocks, server->held_blocks[s], server->exact);
    }
}

/* Allocations count at both ends, held bytes at the server's. */
static int read_site(struct compare_set *s, const json_t *object, int end, struct compare_site *ret,
                     struct err *e)
{
    const char *file = NULL, *function = NULL;
    double line = 0, allocs = 0, held = 0;
    if (json_read_text(object, "file", &file, e) != 0 ||
        json_read_text(object, "function", &function, e) != 0 ||
        json_read_count(object, "line", &line, e) != 0 ||
        json_read_count(object, "allocs", &allocs, e) != 0 ||
        json_read_count(object, "held_bytes", &held, e) != 0)
        return -1;
    if (!file)
        return err_set(e, "'file' is no text");
    *ret = (struct compare_site){.file = compare_file(compare_set_text(s, file)),
                                 .function = compare_set_text(s, function),
                                 .line = line <= UINT32_MAX ? (uint32_t)line : 0,
                                 .allocs = allocs,
                                 .held_bytes = end == SERVER ? held : 0};
    return 0;
}

static int read_sites(struct compare_set *s, const struct end end[ENDS],
                      struct compare_footprint *ret, struct err *e)
{
    size_t total = json_array_size(end[SERVER].sites) + json_array_size(end[CLIENT].sites);
    if (total > COMPARE_SITES)
        return err_set(e, "it has more than %d sites", COMPARE_SITES);
    ret->site = calloc(total + 1, sizeof *ret->site);
    CHECK(ret->site);
    for (int k = 0; k < ENDS; k++) {
        for (size_t i = 0; i < json_array_size(end[k].sites); i++) {
            const json_t *object = json_array_get(end[k].sites, i);
            if (read_site(s, object, k, &ret->site[ret->sites++], e) == 0)
                continue;
            free(ret->site);
            ret->site = NULL;
            return err_prefix(e, "%s, site %zu", end_names[k], i + 1);
        }
    }
    return 0;
}

int compare_footprint_read(struct compare_set *s, const json_t *object, struct compare_run *run,
                           struct compare_footprint *ret, struct err *e)
{
    struct end end[ENDS];
    double conns = 0, rss = NAN;
    *ret = (struct compare_footprint){.site = NULL};
    if (!object || json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return err_set(e, "'footprint' is no object");
    if (json_read_count(object, "connections", &conns, e) != 0 ||
        json_read_number(object, "rss_bytes_per_conn", &rss, e) != 0 ||
        read_ends(json_object_get(object, "ends"), end, e) != 0 || read_sites(s, end, ret, e) != 0)
        return err_prefix(e, "footprint");
    run->row[COMPARE_RSS] = rss;
    take_rows(end, run);
    ret->conns = conns >= 1 ? (uint64_t)conns : 1;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Populations that several sites share: an SSL_SESSION is made new or duplicated, at two places of
 * one file. None of them grows as the population does, and one may slow down while another speeds
 * up: so their sum is judged, and what becomes of it becomes of each. */
#include "base/check.h"
#include "judge_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The sites of one type, and their sum: of what the end frees its blocks alone, as the bytes that a
 * finding says are each site's own. Its arrays are owned. */
struct group {
    struct judge_site sum;
    int64_t *blocks, *bytes, *born_blocks, *born_bytes;
    size_t *member;        /* owned; indices in the evidence */
    size_t members, grown; /* those that survivors are born at */
};

static void group_open(struct group *g, const struct evidence *e)
{
    int64_t **series[] = {&g->blocks, &g->bytes, &g->born_blocks, &g->born_bytes};
    *g = (struct group){0};
    for (size_t i = 0; i < sizeof series / sizeof *series; i++) {
        *series[i] = calloc(e->epochs, sizeof **series[i]);
        CHECK(*series[i]);
    }
    g->member = calloc(e->sites, sizeof *g->member);
    CHECK(g->member);
}

static void group_close(struct group *g)
{
    free(g->blocks);
    free(g->bytes);
    free(g->born_blocks);
    free(g->born_bytes);
    free(g->member);
}

static void group_add(struct group *g, const struct judge_context *h, size_t site)
{
    const struct judge_site *s = &h->e->site[site];
    for (size_t c = 0; c < h->e->epochs; c++) {
        g->blocks[c] += s->blocks[c];
        g->bytes[c] += s->bytes[c];
        g->born_blocks[c] += s->born_blocks[c];
        g->born_bytes[c] += s->born_bytes[c];
    }
    g->sum.drained_blocks += s->drained_blocks;
    g->sum.flushed_blocks += s->flushed_blocks;
    g->grown += survivors_after(h, s, SIZE_MAX) > 0;
    g->member[g->members++] = site;
}

static void group_collect(struct group *g, const struct judge_context *h, size_t first,
                          const bool *taken)
{
    const struct judge_site *s = &h->e->site[first];
    group_add(g, h, first);
    for (size_t i = 0; i < h->e->sites; i++) {
        const struct judge_site *other = &h->e->site[i];
        if (i != first && !taken[i] && site_moved(h, other) && same_type(h, s, other))
            group_add(g, h, i);
    }
    g->sum.file = s->file;
    g->sum.line = s->line;
    g->sum.blocks = g->blocks;
    g->sum.bytes = g->bytes;
    g->sum.born_blocks = g->born_blocks;
    g->sum.born_bytes = g->born_bytes;
}

/* k blocks for each object of the class, k a whole number, at every checkpoint. */
static bool counts_class(const struct judge_context *h, const struct judge_site *s,
                         const struct judge_class *k)
{
    int64_t growth = growth_of(h, s->blocks), live = growth_of(h, k->live);
    if (live < JUDGE_CONVICT_BLOCKS || growth < live)
        return false;
    int64_t each = (growth + live / 2) / live, slack = step_slack(live);
    for (size_t c = followed_from(h); c <= h->last; c++) {
        int64_t blocks = s->blocks[c] - at_base(h, s->blocks);
        int64_t objects = k->live[c] - at_base(h, k->live);
        if (llabs(blocks - each * objects) > slack * each)
            return false;
    }
    return true;
}

/* The objects of a declared cache, or of a class that the census counts. */
static bool is_population(const struct judge_context *h, const struct judge_site *s)
{
    size_t cache;
    if (cache_fits(h, s, &cache) != CACHE_NONE)
        return true;
    for (size_t i = 0; i < h->e->classes; i++) {
        if (counts_class(h, s, &h->e->class_[i]))
            return true;
    }
    return false;
}

static bool is_shared(const struct judge_context *h, const struct group *g)
{
    for (size_t i = 0; i < g->members; i++) {
        if (is_population(h, &h->e->site[g->member[i]]))
            return false;
    }
    return g->grown >= 2 && is_population(h, &g->sum);
}

/* What the sum is said of is each member's own part. */
static struct judge_finding part_of(const struct judge_context *h, const struct judge_finding *sum,
                                    size_t site)
{
    struct survivors v;
    survivors_count(h, site, &v);
    if (sum->emptied) {
        v.blocks = v.s->flushed_blocks;
        v.bytes = v.s->flushed_bytes;
    }
    struct judge_finding part = finding_of(h, &v, sum->verdict, sum->kind);
    part.emptied = sum->emptied;
    memcpy(part.why, sum->why, sizeof part.why);
    return part;
}

static size_t group_judge(struct judge_context *h, const struct group *g, bool *taken,
                          struct judge_finding *ret)
{
    struct survivors v;
    struct judge_finding sum;
    size_t count = 0;
    survivors_of(h, &g->sum, g->member[0], &v);
    bool found = survivors_judge(h, &v, &sum);
    for (size_t i = 0; i < g->members; i++) {
        taken[g->member[i]] = true;
        if (found)
            ret[count] = part_of(h, &sum, g->member[i]);
        count += found && ret[count].blocks > 0;
    }
    return count;
}

size_t shared_judge(struct judge_context *h, bool *taken, struct judge_finding *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < h->e->sites && rule_on(h, RULE_SHARED); i++) {
        struct group g;
        if (taken[i] || survivors_after(h, &h->e->site[i], SIZE_MAX) == 0)
            continue;
        group_open(&g, h->e);
        group_collect(&g, h, i, taken);
        if (is_shared(h, &g))
            count += group_judge(h, &g, taken, &ret[count]);
        group_close(&g);
    }
    return count;
}

/* ---- texts of errors ---- */

int64_t most_threads(const struct judge_context *h)
{
    int64_t threads = 1;
    for (size_t i = 0; i < h->e->gauges; i++) {
        const struct judge_gauge *g = &h->e->gauge[i];
        for (size_t k = 0; k < g->count && g->metric == METRIC_THREADS; k++)
            threads = (int64_t)g->value[k] > threads ? (int64_t)g->value[k] : threads;
    }
    return threads;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Each thread's queue of errors has 16 places, ERR_NUM_ERRORS, whose texts stay allocated and are
 * used again (crypto/err/err_blocks.c of OpenSSL 3). They fill as slowly as errors come. */
enum answer site_error_queue(struct judge_context *h, const struct survivors *v,
                             struct judge_finding *f)
{
    enum { PLACES = 16 };
    int64_t threads = most_threads(h), live = v->s->blocks[h->last];
    if (!v->s->file || !ends_with(v->s->file, "crypto/err/err_blocks.c") || live > PLACES * threads)
        return NO_OPINION;
    answer_pass(h, v, KIND_CACHE_BOUNDED, f);
    finding_why(f,
                "texts of OpenSSL's error queues: %" PRId64 ", and there is room for %d in each "
                "of %" PRId64 " threads",
                live, PLACES, threads);
    return DECIDED;
}

/* ---- a cache of the program's own ---- */

/* An entry may be several blocks of a site: as many as a connection keeps. Those of the first epoch
 * aren't told from what its open connections hold, and are given in. What a cache does once it is
 * full, the rules before this one have seen. */
enum answer site_expected(struct judge_context *h, const struct survivors *v,
                          struct judge_finding *f)
{
    double rate = (double)v->blocks / (double)h->opened, each = fmax(nearbyint(rate), 1);
    double grown = (double)(v->s->blocks[h->last] - v->s->blocks[0]) / each;
    double left = (double)h->e->expected - grown;
    if (!h->e->expected || left < 0)
        return NO_OPINION;
    answer_doubt(h, v, KIND_CACHE_FILLING, f);
    finding_why(f,
                "%.0f of the %" PRIu64 " entries of --expect-cache; full after about %.0f more %ss",
                grown, h->e->expected, ceil(left * each / rate), unit_of(h));
    return DECIDED;
}

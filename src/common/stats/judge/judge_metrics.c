/* SPDX-License-Identifier: Apache-2.0 */
/* The table of metrics: where each began, where it ended, and what became of it. */
#include "judge_internal.h"
#include "stats/trend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* There must be room. */
static struct judge_metric *metric_add(struct judgement *j, enum metric metric)
{
    struct judge_metric *m = &j->metric[j->metrics++];
    const struct metric_info *info = metric_info(metric);
    *m = (struct judge_metric){.role = metric_role_name(info->role), .decides = NAN};
    snprintf(m->id, sizeof m->id, "%s", metric_name(metric));
    snprintf(m->unit, sizeof m->unit, "%s", info->unit);
    return m;
}

static void not_judged(struct judge_metric *m, const char *note)
{
    m->state = METRIC_NOT_JUDGED;
    m->note = note;
}

static bool is_libuv(const struct judge_site *s)
{
    return strcmp(s->file, "libuv") == 0;
}

static enum metric_state worse(enum metric_state a, enum metric_state b)
{
    return metric_state_gravity(a) > metric_state_gravity(b) ? a : b;
}

static enum metric_state state_of(const struct judge_finding *f)
{
    switch (f->verdict) {
    case VERDICT_LEAK:
        return METRIC_GROWS;
    case VERDICT_PASS:
        return METRIC_EXPLAINED;
    case VERDICT_INCONCLUSIVE:
    case VERDICT_INVALID:
        break;
    }
    return METRIC_UNSURE;
}

/* Growth in bytes alone: no block was added. */
static bool is_table(const struct judge_finding *f)
{
    return f->per_conn_blocks == 0;
}

static const struct judge_finding *finding_about(const struct judgement *j, size_t site)
{
    for (size_t i = 0; i < j->findings; i++) {
        if (j->finding[i].site == site)
            return &j->finding[i];
    }
    return NULL;
}

/* The checkpoint that growth is told from: the base, or the first where nothing was measured. */
static size_t start_of(const struct judge_context *h)
{
    return h->base < h->last ? h->base : 0;
}

struct row {
    bool bytes;
    int64_t start, end, kept;
    double table_bytes; /* per connection, that tables grew by */
};

static void add_site(const struct judge_context *h, const struct judgement *j, size_t site,
                     struct row *r, enum metric_state *state)
{
    const struct judge_site *s = &h->e->site[site];
    const struct judge_finding *f = finding_about(j, site);
    const int64_t *series = r->bytes ? s->bytes : s->blocks;
    struct survivors v;
    survivors_count(h, site, &v);
    r->start += series[start_of(h)];
    r->end += series[h->last];
    if (f && is_table(f)) {
        if (r->bytes && f->verdict == VERDICT_LEAK)
            r->table_bytes += f->per_conn_bytes;
        if (r->bytes)
            *state = worse(*state, state_of(f));
        return;
    }
    /* Newer blocks that took the place of others are no growth. */
    if (f && f->verdict == VERDICT_PASS && v.growth <= 0)
        return;
    /* The findings that found no room are smaller than those that did. */
    bool dropped = !f && v.blocks > 0 && j->findings_total > j->findings;
    enum metric_state unnamed = judgement_leaks(j, site) ? METRIC_GROWS : METRIC_EXPLAINED;
    if (!f && !dropped)
        return;
    r->kept += r->bytes ? v.bytes : v.blocks;
    *state = worse(*state, f ? state_of(f) : unnamed);
}

/* An exact figure that has no finding, and yet isn't 0: too few to tell anything from. */
static void judge_exact(const struct judge_context *h, struct judge_metric *m)
{
    if (m->state != METRIC_LEVEL)
        return;
    if (h->epochs < JUDGE_MIN_EPOCHS)
        not_judged(m, runs_alike(h) ? "runs too alike" : "run too short");
    else if (m->per_conn > 0)
        not_judged(m, "too few");
}

static void add_sites(const struct judge_context *h, struct judgement *j, enum metric metric)
{
    bool bytes = metric == METRIC_OPENSSL_BYTES, libuv = metric == METRIC_LIBUV_BLOCKS;
    struct judge_metric *m = metric_add(j, metric);
    struct row r = {.bytes = bytes};
    for (size_t i = 0; h->e->epochs && i < h->e->sites; i++) {
        if (is_libuv(&h->e->site[i]) == libuv)
            add_site(h, j, i, &r, &m->state);
    }
    m->start = (double)r.start;
    m->end = (double)r.end;
    m->per_conn = h->opened ? (double)r.kept / (double)h->opened + r.table_bytes : NAN;
    judge_exact(h, m);
}

static void add_objects(const struct judge_context *h, struct judgement *j)
{
    for (size_t i = 0; h->e->epochs && i < h->e->classes; i++) {
        const struct judge_class *k = &h->e->class_[i];
        if (strcmp(k->name, "SSL") != 0)
            continue;
        struct judge_metric *m = metric_add(j, METRIC_SSL_OBJECTS);
        m->start = (double)k->live[start_of(h)];
        m->end = (double)k->live[h->last];
        int64_t grown = h->epochs ? k->live[h->newest] - at_base(h, k->live) : 0;
        m->per_conn = h->opened ? (double)grown / (double)h->opened : NAN;
        if (grown >= JUDGE_MIN_BLOCKS)
            m->state = j->verdict == VERDICT_LEAK ? METRIC_GROWS : METRIC_UNSURE;
        judge_exact(h, m);
    }
}

/* What the ledger shows to grow, leaked or explained, makes the heap and the process grow too. */
static bool ledger_explains(const struct judgement *j)
{
    for (size_t i = 0; i < j->findings; i++) {
        if (j->finding[i].site != SIZE_MAX && j->finding[i].blocks >= JUDGE_MIN_BLOCKS)
            return true;
    }
    return false;
}

/* The growth from which on a gauge of the heap convicts in a run of this length; a witness never
 * does. */
static double deciding(const struct judgement *j, const struct judge_gauge *g)
{
    const struct judge_sensitivity *s = &j->sensitivity;
    double limit = g->metric == METRIC_HEAP_ALLOCATED ? s->heap_bytes
                   : g->metric == METRIC_HEAP_ACTIVE  ? s->page_bytes
                                                      : 0;
    return limit > 0 ? limit : NAN;
}

static const char noisy[] = "noisy"; /* the interval reaches beyond what decides */

/* A figure that is noisy as others move it is told by what was judged in its place. */
static void judge_net(const struct judge_context *h, enum metric metric, struct judge_metric *m)
{
    const struct judge_net *net = metric == METRIC_HEAP_ALLOCATED ? &h->allocated
                                  : metric == METRIC_HEAP_ACTIVE  ? &h->active
                                                                  : NULL;
    if (m->note != noisy || !net || !net->known || net->per_conn + net->half_width > m->decides)
        return;
    m->per_conn = net->per_conn;
    m->half_width = net->half_width;
    m->state = METRIC_LEVEL;
    m->note = metric == METRIC_HEAP_ACTIVE ? "net of allocated" : "net of counted blocks";
}

/* No finding is about it. A level figure is one that is surely no larger than what decides: what is
 * surely beyond the limit that was asked for isn't level, though too little to convict on; what is
 * surely beyond what decides is taken by the ledger's blocks. */
static void judge_noisy(struct judge_metric *m, bool explained)
{
    double low = m->per_conn - m->half_width, high = m->per_conn + m->half_width;
    if (!isfinite(m->half_width))
        not_judged(m, "too few points");
    else if (low > m->limit && explained)
        m->state = METRIC_EXPLAINED;
    else if (high <= m->limit)
        m->state = METRIC_LEVEL;
    else if (isnan(m->decides))
        not_judged(m, low > m->limit ? "never convicts alone" : noisy);
    else if (low > m->decides)
        not_judged(m, "in counted blocks");
    else if (low > m->limit)
        not_judged(m, "too little");
    else if (high > m->decides)
        not_judged(m, noisy);
}

static void add_trend(const struct judge_context *h, struct judgement *j,
                      const struct judge_gauge *g, struct judge_metric *m)
{
    size_t from = metric_info(g->metric)->role == ROLE_WITNESS ? gauge_late(g) : 0;
    struct trend t = trend_of(g->closed + from, g->value + from, g->count - from, 0.99, h->e->seed);
    m->per_conn = t.slope;
    m->half_width = (t.high - t.low) / 2;
    m->limit = g->limit;
    m->decides = deciding(j, g);
    judge_noisy(m, ledger_explains(j));
}

static void add_count(const struct judge_context *h, const struct judge_gauge *g,
                      struct judge_metric *m)
{
    double closed = g->closed[g->count - 1] - g->closed[0];
    m->per_conn = closed > 0 ? (m->end - m->start) / closed : NAN;
    judge_exact(h, m);
}

static void add_gauge(const struct judge_context *h, struct judgement *j,
                      const struct judge_gauge *g)
{
    if (j->metrics == JUDGE_METRICS)
        return;
    struct judge_metric *m = metric_add(j, g->metric);
    if (g->count == 0)
        return;
    m->start = g->value[0];
    m->end = g->value[g->count - 1];
    for (size_t i = 0; i < j->findings; i++) {
        if (j->finding[i].gauge == g->metric)
            m->state = worse(m->state, state_of(&j->finding[i]));
    }
    enum metric_state found = m->state;
    if (metric_info(g->metric)->role == ROLE_COUNT)
        add_count(h, g, m);
    else
        add_trend(h, j, g, m);
    if (found == METRIC_LEVEL) {
        judge_net(h, g->metric, m);
    } else {
        m->state = found;
        m->note = NULL;
    }
}

void metrics_fill(const struct judge_context *h, struct judgement *j)
{
    add_sites(h, j, METRIC_OPENSSL_BLOCKS);
    add_sites(h, j, METRIC_OPENSSL_BYTES);
    add_objects(h, j);
    add_sites(h, j, METRIC_LIBUV_BLOCKS);
    for (size_t i = 0; i < h->e->gauges; i++)
        add_gauge(h, j, &h->e->gauge[i]);
    if (j->verdict == VERDICT_INVALID)
        judgement_distrust(j, "not to be trusted");
}

struct judge_metric *judgement_metric(const struct judgement *j, enum metric metric)
{
    for (size_t i = 0; i < j->metrics; i++)
        if (strcmp(j->metric[i].id, metric_name(metric)) == 0)
            return (struct judge_metric *)&j->metric[i];
    return NULL;
}

void judgement_distrust(struct judgement *j, const char *note)
{
    for (size_t i = 0; i < j->metrics; i++) {
        struct judge_metric *m = &j->metric[i];
        not_judged(m, note);
        if (strcmp(m->role, metric_role_name(ROLE_COUNT)) == 0)
            m->per_conn = NAN;
    }
}

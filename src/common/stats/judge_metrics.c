/* The table of metrics: where each began, where it ended, and what became of it. */
#include "stats/judge_case.h"
#include "stats/trend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct judge_metric *metric_add(struct judgement *j, const char *id, const char *unit,
                                       const char *role)
{
    if (j->metrics == JUDGE_METRICS)
        return NULL;
    struct judge_metric *m = &j->metric[j->metrics++];
    snprintf(m->id, sizeof m->id, "%s", id);
    snprintf(m->unit, sizeof m->unit, "%s", unit);
    m->role = role;
    return m;
}

static bool is_libuv(const struct judge_site *s)
{
    return strcmp(s->file, "libuv") == 0;
}

static enum metric_state worse(enum metric_state a, enum metric_state b)
{
    static const int rank[] = {
        [METRIC_OK] = 0, [METRIC_EXPLAINED] = 1, [METRIC_UNSURE] = 2, [METRIC_GROWS] = 3};
    return rank[a] > rank[b] ? a : b;
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
    return f->verdict == VERDICT_LEAK && f->per_conn_blocks == 0;
}

/* The worst of the findings about sites, libuv's or the others'; `ret_kept` is added what tables
 * grew by per connection. */
static enum metric_state sites_state(const struct hearing *h, const struct judgement *j, bool bytes,
                                     bool libuv, double *ret_kept)
{
    enum metric_state state = METRIC_OK;
    for (size_t i = 0; i < j->findings; i++) {
        const struct judge_finding *f = &j->finding[i];
        if (f->site == SIZE_MAX || is_libuv(&h->e->site[f->site]) != libuv)
            continue;
        if (is_table(f) && !bytes)
            continue;
        *ret_kept += is_table(f) ? f->per_conn_bytes : 0;
        state = worse(state, state_of(f));
    }
    return state;
}

static void add_sites(const struct hearing *h, struct judgement *j, const char *id, bool bytes,
                      bool libuv)
{
    struct judge_metric *m = metric_add(j, id, bytes ? "bytes" : "blocks", "exact");
    int64_t start = 0, end = 0, kept = 0;
    for (size_t i = 0; m && h->e->epochs && i < h->e->sites; i++) {
        const struct judge_site *s = &h->e->site[i];
        struct survivors v;
        if (is_libuv(s) != libuv)
            continue;
        survivors_count(h, i, &v);
        start += at_base(h, bytes ? s->bytes : s->blocks);
        end += (bytes ? s->bytes : s->blocks)[h->last];
        kept += bytes ? v.bytes : v.blocks;
    }
    if (!m)
        return;
    m->start = (double)start;
    m->end = (double)end;
    m->per_conn = h->opened ? (double)kept / (double)h->opened : 0;
    m->state = sites_state(h, j, bytes, libuv, &m->per_conn);
}

static void add_objects(const struct hearing *h, struct judgement *j)
{
    for (size_t i = 0; h->epochs && i < h->e->classes; i++) {
        const struct judge_class *k = &h->e->class_[i];
        if (strcmp(k->name, "SSL") != 0)
            continue;
        struct judge_metric *m = metric_add(j, "ssl_objects", "objects", "exact");
        int64_t grown = k->live[h->newest] - at_base(h, k->live);
        if (!m)
            return;
        m->start = (double)at_base(h, k->live);
        m->end = (double)k->live[h->last];
        m->per_conn = (double)grown / (double)h->opened;
        if (grown >= JUDGE_MIN_BLOCKS)
            m->state = j->verdict == VERDICT_LEAK ? METRIC_GROWS : METRIC_UNSURE;
    }
}

/* With too few points for an interval: what a straight line through the extremes would rise. */
static double half_width(const struct trend *t, const struct judge_gauge *g, size_t from)
{
    double low = g->value[from], high = low, closed = g->closed[g->count - 1] - g->closed[from];
    if (isfinite(t->low) && isfinite(t->high))
        return (t->high - t->low) / 2;
    for (size_t i = from; i < g->count; i++) {
        low = g->value[i] < low ? g->value[i] : low;
        high = g->value[i] > high ? g->value[i] : high;
    }
    return closed > 0 ? (high - low) / closed : 0;
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

static void add_gauge(const struct hearing *h, struct judgement *j, const struct judge_gauge *g)
{
    static const char *const role[] = {
        [GAUGE_COUNT] = "exact", [GAUGE_HEAP] = "heap", [GAUGE_WITNESS] = "witness"};
    struct judge_metric *m = metric_add(j, g->id, g->unit, role[g->role]);
    if (!m || g->count == 0)
        return;
    size_t last = g->count - 1, from = g->role == GAUGE_WITNESS ? last / 2 : 0;
    double closed = g->closed[last] - g->closed[0];
    m->start = g->value[0];
    m->end = g->value[last];
    m->limit = g->limit;
    if (g->role == GAUGE_COUNT) {
        m->per_conn = closed > 0 ? (m->end - m->start) / closed : 0;
    } else {
        struct trend t =
            trend_of(g->closed + from, g->value + from, g->count - from, 0.99, h->e->seed);
        m->per_conn = t.slope;
        m->half_width = half_width(&t, g, from);
    }
    if (g->role != GAUGE_COUNT && m->per_conn - m->half_width > g->limit && ledger_explains(j))
        m->state = METRIC_EXPLAINED;
    for (size_t i = 0; i < j->findings; i++) {
        if (strcmp(j->finding[i].gauge, g->id) == 0)
            m->state = worse(m->state, state_of(&j->finding[i]));
    }
}

void metrics_fill(const struct hearing *h, struct judgement *j)
{
    add_sites(h, j, "openssl_blocks", false, false);
    add_sites(h, j, "openssl_bytes", true, false);
    add_objects(h, j);
    add_sites(h, j, "libuv_blocks", false, true);
    for (size_t i = 0; i < h->e->gauges; i++)
        add_gauge(h, j, &h->e->gauge[i]);
}

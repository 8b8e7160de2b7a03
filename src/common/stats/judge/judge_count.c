/* SPDX-License-Identifier: Apache-2.0 */
/* Gauges that are exact integers: open files, threads. They decide by themselves. */
#include "base/check.h"
#include "judge_internal.h"
#include "stats/trend.h"

#include <math.h>
#include <stdlib.h>

/* What never went away again: at each point the least of what follows, so that a peak leaves no
 * trace. Summed up over the second to last points. */
struct steps {
    double grown, half[2]; /* of the closed connections */
    double share;          /* of the closed connections in the second half */
    double after;          /* share of the closed connections after the last growth */
    double newest;         /* share of the interval that grew last */
    double without;        /* closed connections of the measured intervals that didn't grow after
                            * the first that did */
    double from;           /* all from that one on */
    int64_t divisor;       /* of the steps */
    int count;             /* intervals that grew */
};

const struct judge_gauge *gauge_find(const struct evidence *e, enum metric metric)
{
    for (size_t i = 0; i < e->gauges; i++) {
        if (e->gauge[i].metric == metric && e->gauge[i].count >= 2)
            return &e->gauge[i];
    }
    return NULL;
}

/* By connections. */
static size_t second_half(const struct judge_gauge *g)
{
    double middle = (g->closed[0] + g->closed[g->count - 1]) / 2;
    size_t i = 0;
    while (g->closed[i] < middle) /* the last isn't */
        i++;
    return i;
}

size_t gauge_late(const struct judge_gauge *g)
{
    size_t half = second_half(g);
    size_t most = g->count > TREND_MIN_POINTS ? g->count - TREND_MIN_POINTS : 0;
    return half < most ? half : most;
}

static double least_from(const struct judge_gauge *g, size_t from)
{
    double least = g->value[from];
    for (size_t i = from; i < g->count; i++)
        least = g->value[i] < least ? g->value[i] : least;
    return least;
}

/* How much the gauge has grown for good between a point and the one before it. */
static double step_at(const struct judge_gauge *g, size_t i)
{
    return least_from(g, i) - least_from(g, i - 1);
}

static size_t middle_of(const struct judge_gauge *g)
{
    double from = g->closed[0], to = g->closed[g->count - 1];
    size_t best = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (fabs(g->closed[i] - (from + to) / 2) < fabs(g->closed[best] - (from + to) / 2))
            best = i;
    }
    return best;
}

/* The epoch that ends at a point. */
static const struct judge_epoch *epoch_at(const struct judge_context *h,
                                          const struct judge_gauge *g, size_t point)
{
    CHECK(g->count <= h->e->epochs);
    return &h->e->epoch[h->e->epochs - g->count + point];
}

static struct steps steps_of(const struct judge_context *h, const struct judge_gauge *g)
{
    struct steps s = {0};
    size_t middle = middle_of(g), last = g->count - 1;
    double all = g->closed[last] - g->closed[0];
    s.share = (g->closed[last] - g->closed[middle]) / all;
    for (size_t i = 1; i < g->count; i++) {
        double step = step_at(g, i), closed = g->closed[i] - g->closed[i - 1];
        bool counts = epoch_at(h, g, i)->measured && (step > 0 || s.count > 0);
        s.from += counts ? closed : 0;
        s.without += counts && step <= 0 ? closed : 0;
        if (step <= 0 || closed <= 0)
            continue;
        s.grown += step;
        s.divisor = common_divisor(s.divisor, (int64_t)step);
        s.half[i > middle] += step;
        s.count++;
        s.after = (g->closed[last] - g->closed[i]) / all;
        s.newest = closed / all;
    }
    return s;
}

/* Threads and files may come several at once, as blocks do. Losses by chance that leave so many
 * intervals without any are told from these by a longer run. */
static int64_t losses_of(const struct judge_context *h, const struct judge_gauge *g,
                         const struct steps *s)
{
    static const double SELDOM = 0.05;
    double all = g->closed[g->count - 1] - g->closed[0];
    int64_t grown = (int64_t)s->grown;
    bool divides = rule_on(h, RULE_CLUMPS) && s->divisor > 0 && grown * JUDGE_DENSE < (int64_t)all;
    int64_t losses = divides ? grown / s->divisor : grown;
    return losses_of_epochs(h, losses, s->count, s->without > 0 ? s->without / s->from : 0, SELDOM);
}

static struct judge_finding found(const struct judge_gauge *g, const struct steps *s,
                                  enum verdict verdict)
{
    struct judge_finding f = {
        .site = SIZE_MAX, .gauge = g->metric, .verdict = verdict, .blocks = (int64_t)s->grown};
    f.kind = g->metric == METRIC_THREADS ? KIND_THREADS : KIND_DESCRIPTORS;
    f.per_conn_blocks = s->grown / (g->closed[g->count - 1] - g->closed[0]);
    return f;
}

/* What was added while the subject was held. */
static double held_growth(const struct judge_context *h, const struct judge_gauge *g)
{
    double sum = 0;
    for (size_t c = 1; c < g->count; c++) {
        if (epoch_at(h, g, c)->hold)
            sum += least_from(g, c) - least_from(g, c - 1);
    }
    return sum;
}

static void name_time(const struct judge_context *h, const struct judge_gauge *g,
                      const struct steps *s, struct judge_finding *f)
{
    double held = held_growth(h, g);
    if (!rule_on(h, RULE_TIME) || !is_by_time(h, held, s->grown))
        return;
    f->kind = KIND_TIME;
    finding_why(f, "%.32s: %.2f more per second while held without churn, %.2f while %s",
                metric_name(g->metric), held / h->hold_seconds, s->grown / h->seconds,
                unit_under_way(h->e->unit));
}

/* Whether more open files came with more threads each time: those of processes, which have files of
 * their own, or of threads that wait for one. */
static bool comes_with_threads(const struct judge_context *h, const struct judge_gauge *g)
{
    const struct judge_gauge *threads = gauge_find(h->e, METRIC_THREADS);
    if (!rule_on(h, RULE_FILES_OF_THREADS) || g->metric != METRIC_OPEN_FILES || !threads ||
        threads->count != g->count)
        return false;
    for (size_t i = 1; i < g->count; i++) {
        if (step_at(g, i) > 0 && step_at(threads, i) <= 0)
            return false;
    }
    return true;
}

/* A pool of threads may have one for each connection, and makes it when it needs more at once than
 * ever before: no more came than that. */
static bool is_pool(const struct judge_context *h, const struct judge_gauge *g,
                    const struct steps *s)
{
    return rule_on(h, RULE_THREADS_OF_POOL) && g->metric == METRIC_THREADS &&
           threads_are_asked(h) && s->grown <= (double)h->e->held;
}

/* Returns false when the gauge is at rest. */
static bool count_judge(struct judge_context *h, const struct judge_gauge *g,
                        struct judge_finding *ret)
{
    if (g->count == 0)
        return false;
    struct steps s = steps_of(h, g);
    if (s.grown < JUDGE_MIN_BLOCKS)
        return false;
    double rate[2] = {s.half[0] / (1 - s.share), s.half[1] / s.share};
    bool once = s.count == 1 && s.after > 0 && s.grown * log(s.newest) <= log(JUDGE_ALPHA);
    bool ended = s.grown * log1p(-s.after) <= log(JUDGE_ALPHA);
    bool slower = rate[1] * 2 < rate[0] &&
                  binomial_at_most((int64_t)s.half[1], (int64_t)s.grown, s.share) <= JUDGE_ALPHA;
    bool of_threads = comes_with_threads(h, g), of_pool = is_pool(h, g, &s);
    if (once || ended) {
        *ret = found(g, &s, VERDICT_PASS);
        ret->kind = KIND_ONE_TIME;
    } else if (losses_of(h, g, &s) < JUDGE_CONVICT_BLOCKS || s.count < JUDGE_MIN_EPOCHS ||
               s.half[0] <= 0 || s.half[1] <= 0 || slower || of_threads || of_pool) {
        *ret = found(g, &s, VERDICT_INCONCLUSIVE);
        h->wants_more = true;
    } else {
        *ret = found(g, &s, VERDICT_LEAK);
        h->wants_hold |= !h->hold;
    }
    finding_why(ret, "%.32s: %.0f more, in %d interval%s, %.0f and %.0f in the halves of the run%s",
                metric_name(g->metric), s.grown, s.count, s.count == 1 ? "" : "s", s.half[0],
                s.half[1],
                of_threads ? ", each time with more threads or processes"
                : of_pool  ? ", no more than a pool of threads may have for the open connections"
                           : "");
    if (ret->verdict == VERDICT_LEAK)
        name_time(h, g, &s, ret);
    return true;
}

size_t counts_judge(struct judge_context *h, struct judge_finding *ret)
{
    enum { MOST = 4 };
    size_t count = 0;
    for (size_t i = 0; i < h->e->gauges && rule_on(h, RULE_GAUGES) && h->epochs; i++) {
        if (metric_info(h->e->gauge[i].metric)->role == ROLE_COUNT && count < MOST)
            count += count_judge(h, &h->e->gauge[i], &ret[count]);
    }
    return count;
}

/* ---- caches ---- */

/* Caches that the subject declares: a population, a capacity. */

static int64_t population_at(const struct judge_cache *k, size_t checkpoint)
{
    return checkpoint == SIZE_MAX ? 0 : (int64_t)k->population[checkpoint];
}

static int64_t population_growth(const struct judge_context *h, const struct judge_cache *k)
{
    return population_at(k, h->last) - population_at(k, h->base);
}

/* k entries to a block or k blocks to an entry, k a whole number: TLS 1.3 puts two sessions of one
 * connection into the cache, allocated at two different places. */
static bool whole_ratio(int64_t growth, int64_t population, int64_t slack)
{
    int64_t large = growth > population ? growth : population;
    int64_t small = growth > population ? population : growth;
    int64_t k = (large + small / 2) / small;
    return llabs(large - k * small) <= slack * k;
}

int64_t step_slack(int64_t growth)
{
    enum { PARTS = 50, LEAST = 2 };
    int64_t part = growth / PARTS;
    return part < LEAST ? LEAST : part;
}

static bool follows(const struct judge_context *h, const struct judge_site *s,
                    const struct judge_cache *k)
{
    int64_t growth = growth_of(h, s->blocks), population = population_growth(h, k);
    int64_t slack = step_slack(growth);
    if (growth <= 0 || population <= 0 || !whole_ratio(growth, population, slack))
        return false;
    for (size_t c = followed_from(h); c <= h->last; c++) {
        double grown = (double)(s->blocks[c] - at_base(h, s->blocks));
        double share =
            (double)(population_at(k, c) - population_at(k, h->base)) / (double)population;
        if (llabs((int64_t)(grown - share * (double)growth)) > slack)
            return false;
    }
    return true;
}

enum cache_fit cache_fits(const struct judge_context *h, const struct judge_site *s,
                          size_t *ret_cache)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        if (!follows(h, s, k))
            continue;
        *ret_cache = i;
        if (k->capacity == 0)
            return CACHE_FITS_UNBOUNDED;
        return k->population[h->last] > k->capacity ? CACHE_FITS_OVER : CACHE_FITS;
    }
    return CACHE_NONE;
}

/* OpenSSL's hash table (crypto/lhash/lhash.c) doubles an array of pointers and has one to two
 * entries for each in use: 4 to 8 bytes an entry. What loses more per entry isn't the table of the
 * cache. */
enum { INDEX_BYTES_PER_ENTRY = 16 };

bool cache_indexed_by(const struct judge_context *h, int64_t growth_bytes, size_t *ret_cache)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        bool within = k->capacity && k->population[h->last] <= k->capacity;
        *ret_cache = i;
        if (within && growth_bytes <= INDEX_BYTES_PER_ENTRY * population_growth(h, k))
            return true;
    }
    return false;
}

bool cache_beyond_capacity(const struct judge_context *h, size_t *ret_cache)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        int64_t middle = population_at(k, h->middle), last = population_at(k, h->last);
        *ret_cache = i;
        if (k->capacity && last > (int64_t)k->capacity && last > middle &&
            middle > population_at(k, h->base))
            return true;
    }
    return false;
}

bool cache_bounded_present(const struct judge_context *h)
{
    for (size_t i = 0; i < h->e->caches && h->e->epochs; i++) {
        const struct judge_cache *k = &h->e->cache[i];
        if (k->capacity && k->population[h->last] && k->population[h->last] <= k->capacity)
            return true;
    }
    return false;
}

/* OpenSSL 3 evicts a session as soon as there are as many as the cache may hold, so one less is the
 * most that it ever holds (SSL_CTX_add_session, ssl/ssl_sess.c). */
enum { NEVER_USED = 1 };

uint64_t cache_full_in(const struct judge_context *h, size_t cache)
{
    const struct judge_cache *k = &h->e->cache[cache];
    int64_t grown = population_growth(h, k),
            left = (int64_t)k->capacity - population_at(k, h->last);
    if (!k->capacity || grown <= 0 || left <= NEVER_USED)
        return 0;
    return (uint64_t)((double)left * (double)begun_after(h, h->base) / (double)grown + 0.5);
}

/* Memory outside OpenSSL: jemalloc's figures and, as witnesses, resident pages. Asked only after
 * the exact figures. */
#include "stats/judge_case.h"
#include "stats/trend.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `allocated` wanders by 75 KB through thread caches where these aren't emptied first (they are, at
 * a checkpoint); `active` moves by whole runs of pages; anonymous memory moves by a MiB for reasons
 * of the kernel's. Where no size class grows in proportion, a wander of that size can look straight
 * by chance over a few checkpoints (1 in 2,000 simulated runs), so it takes more. */
static const double ALLOCATED_BYTES = 64 * 1024, UNSUPPORTED_BYTES = 256 * 1024,
                    ACTIVE_BYTES = 1024 * 1024, WITNESS_BYTES = 4096 * 1024, HELD_BYTES = 32 * 1024;
/* Clean runs move the regions of a size class by about 10 either way. */
enum { REGIONS_NOISE = 15, REGIONS_MIN = 100, REGIONS_EPOCH = 30, REGIONS_EPOCHS = 3 };

struct rise {
    const struct judge_gauge *g;
    double growth; /* over all points; the trend may be over the second half only */
    double per_conn, low, half_width;
    bool straight; /* in proportion to the closed connections */
};

static const struct judge_gauge *gauge_find(const struct evidence *e, const char *id)
{
    for (size_t i = 0; i < e->gauges; i++) {
        if (strcmp(e->gauge[i].id, id) == 0 && e->gauge[i].count >= 2)
            return &e->gauge[i];
    }
    return NULL;
}

static size_t second_half(const struct judge_gauge *g)
{
    double middle = (g->closed[0] + g->closed[g->count - 1]) / 2;
    size_t i = 0;
    while (i + 1 < g->count && g->closed[i] < middle)
        i++;
    return i;
}

/* No point lies further from the line between the ends than a fifth of the growth: what fills up
 * bends, what wanders strays. */
static bool is_straight(const struct judge_gauge *g, size_t from, double growth)
{
    size_t last = g->count - 1;
    double rate = growth / (g->closed[last] - g->closed[from]);
    for (size_t i = from; i <= last; i++) {
        double line = g->value[last] - rate * (g->closed[last] - g->closed[i]);
        if (fabs(g->value[i] - line) * 5 > growth)
            return false;
    }
    return true;
}

static struct rise rise_of(const struct hearing *h, const struct judge_gauge *g, bool late_only)
{
    struct rise r = {.g = g};
    if (!g)
        return r;
    size_t from = second_half(g), last = g->count - 1;
    size_t first = late_only ? from : 0;
    struct trend t =
        trend_of(g->closed + first, g->value + first, g->count - first, 0.99, h->e->seed);
    r.growth = g->value[last] - g->value[0];
    r.per_conn = t.slope;
    r.low = t.low;
    r.half_width = (t.high - t.low) / 2;
    r.straight = is_straight(g, first, g->value[last] - g->value[first]);
    return r;
}

static bool rises(const struct rise *r, double at_least)
{
    return r->g && r->growth > at_least && r->low > r->g->limit && r->straight;
}

/* ---- what the ledger itself makes the heap grow by ---- */

struct ledger {
    int64_t blocks, bytes;
};

static struct ledger ledger_growth(const struct hearing *h)
{
    struct ledger l = {0, 0};
    for (size_t i = 0; i < h->e->sites; i++) {
        l.blocks += growth_of(h, h->e->site[i].blocks);
        l.bytes += growth_of(h, h->e->site[i].bytes);
    }
    if (!rule_on(h, RULE_LEDGER_FIRST) || l.blocks < 0 || l.bytes < 0)
        return (struct ledger){0, 0};
    /* jemalloc's classes lie a quarter apart, and each block has the ledger's header. */
    l.bytes += l.bytes / 3 + l.blocks * 32;
    return l;
}

/* ---- size classes ---- */

/* At half the pace of the churn or more. */
static bool by_pace(const struct hearing *h, double held, double churned)
{
    return held > REGIONS_NOISE && h->hold_seconds > 0 && h->seconds > 0 &&
           held / h->hold_seconds * 2 >= churned / h->seconds;
}

static bool in_proportion(const struct hearing *h, const struct judge_size_class *k, double rate)
{
    int full = 0;
    for (size_t c = h->base == SIZE_MAX ? 1 : h->base + 1; c <= h->last; c++) {
        const struct judge_epoch *e = &h->e->epoch[c];
        double expected = rate * (double)e->opened;
        double grown = (double)(k->regions[c] - k->regions[c - 1]), apart = grown - expected;
        double slack = expected * 0.35 > REGIONS_NOISE ? expected * 0.35 : REGIONS_NOISE;
        /* Growth by time goes on while the subject is held. */
        if (e->hold && rule_on(h, RULE_TIME) && by_pace(h, grown, rate * (double)h->opened))
            continue;
        if (apart > slack || apart < -slack)
            return false;
        full += expected >= REGIONS_EPOCH;
    }
    return full >= REGIONS_EPOCHS;
}

/* Regions that left other classes: blocks that only moved to this one aren't growth. */
static bool moved_from_others(const struct hearing *h, int64_t bytes)
{
    int64_t shrunk = 0;
    for (size_t i = 0; i < h->e->size_classes; i++) {
        const struct judge_size_class *k = &h->e->size_class[i];
        int64_t grown = growth_of(h, k->regions);
        shrunk -= grown < 0 ? grown * (int64_t)k->size : 0;
    }
    return shrunk * 2 > bytes;
}

static uint64_t begun(const struct hearing *h)
{
    uint64_t sum = 0;
    for (size_t c = h->base == SIZE_MAX ? 0 : h->base + 1; c <= h->last; c++)
        sum += h->e->epoch[c].opened;
    return sum;
}

/* The class with most growth in bytes, or NULL. `exact`: only such as convict by themselves. */
static const struct judge_size_class *class_growing(const struct hearing *h, bool exact)
{
    const struct judge_size_class *most = NULL;
    int64_t most_bytes = 0, ledger = ledger_growth(h).blocks;
    for (size_t i = 0; i < h->e->size_classes && begun(h); i++) {
        const struct judge_size_class *k = &h->e->size_class[i];
        int64_t grown = growth_of(h, k->regions), bytes = grown * (int64_t)k->size;
        if (grown < JUDGE_MIN_BLOCKS || bytes <= most_bytes)
            continue;
        if (exact && (grown < REGIONS_MIN || grown < 2 * ledger || moved_from_others(h, bytes) ||
                      !in_proportion(h, k, (double)grown / (double)begun(h))))
            continue;
        most = k;
        most_bytes = bytes;
    }
    return most;
}

/* What one series gained over the hold epochs. */
static double held_regions(const struct hearing *h, const struct judge_size_class *k)
{
    double sum = 0;
    for (size_t c = 1; c <= h->last; c++)
        sum += h->e->epoch[c].hold ? (double)(k->regions[c] - k->regions[c - 1]) : 0;
    return sum;
}

static double held_bytes(const struct hearing *h, const struct judge_gauge *g)
{
    double sum = 0;
    size_t from = h->e->epochs > g->count ? h->e->epochs - g->count : 0;
    for (size_t i = 1; i < g->count && from + i < h->e->epochs; i++)
        sum += h->e->epoch[from + i].hold ? g->value[i] - g->value[i - 1] : 0;
    return sum;
}

/* The bytes of the whole heap wander more than the regions of one class. */
static void name_time(const struct hearing *h, const struct rise *allocated,
                      const struct judge_size_class *k, struct judge_finding *f)
{
    double held = k ? held_regions(h, k) : allocated->g ? held_bytes(h, allocated->g) : 0;
    double churned = (k ? (double)f->blocks : (double)f->bytes) - held;
    if (!rule_on(h, RULE_TIME) || (!k && held < HELD_BYTES) || !by_pace(h, held, churned))
        return;
    f->kind = KIND_TIME;
    finding_why(f,
                "outside OpenSSL: %.0f %s per second while held without churn, %.0f while "
                "connections churn",
                held / h->hold_seconds, k ? "regions of one size class" : "bytes",
                churned / h->seconds);
}

static struct judge_finding outside(struct hearing *h, const struct rise *allocated,
                                    const struct judge_size_class *k)
{
    struct judge_finding f = {.site = SIZE_MAX, .kind = KIND_OUTSIDE, .verdict = VERDICT_LEAK};
    f.bytes = (int64_t)allocated->growth;
    f.per_conn_bytes = allocated->per_conn;
    snprintf(f.gauge, sizeof f.gauge, "heap_allocated");
    h->wants_hold |= !h->hold;
    if (!k) {
        finding_why(&f, "jemalloc's allocated bytes grow, the ledger doesn't, and no one size "
                        "class stands out");
        name_time(h, allocated, NULL, &f);
        return f;
    }
    f.blocks = growth_of(h, k->regions);
    f.per_conn_blocks = (double)f.blocks / (double)begun(h);
    if (f.bytes < f.blocks * (int64_t)k->size) {
        f.bytes = f.blocks * (int64_t)k->size;
        f.per_conn_bytes = f.per_conn_blocks * (double)k->size;
    }
    finding_why(&f,
                "size class %" PRIu64 ": %.4f regions per %s, in proportion to the "
                "epochs; the ledger is flat",
                k->size, f.per_conn_blocks, unit_of(h));
    name_time(h, allocated, k, &f);
    return f;
}

/* `flat` is what doesn't grow beside it; `why` what follows. */
static struct judge_finding pages(const struct rise *r, const struct rise *flat,
                                  enum verdict verdict, enum kind kind, const char *why)
{
    struct judge_finding f = {.site = SIZE_MAX,
                              .kind = kind,
                              .verdict = verdict,
                              .bytes = (int64_t)r->growth,
                              .per_conn_bytes = r->per_conn};
    snprintf(f.gauge, sizeof f.gauge, "%s", r->g->id);
    finding_why(&f, "%.20s grew by %.0f KiB, %.20s by %.0f KiB: %s", r->g->id, r->growth / 1024,
                flat->g ? flat->g->id : "the ledger", flat->growth / 1024, why);
    return f;
}

/* Bytes per connection that would have had to be added to be seen: beyond the limit by what the
 * figure varies, and `at_least` in all. */
static double smallest_seen(const struct hearing *h, const struct rise *r, double at_least)
{
    if (!r->g || begun(h) == 0 || r->half_width > 1e12)
        return 0;
    double by_trend = r->g->limit + r->half_width;
    double by_size = at_least / (double)begun(h);
    return by_trend > by_size ? by_trend : by_size;
}

size_t heap_judge(struct hearing *h, bool exact_leak, struct judge_finding *ret,
                  struct judge_sensitivity *ret_seen)
{
    struct rise allocated = rise_of(h, gauge_find(h->e, "heap_allocated"), false);
    struct rise active = rise_of(h, gauge_find(h->e, "heap_active"), false);
    /* What the ledger explains is taken off what grew, so a loss must be larger by that to be seen.
     */
    double explained = (double)ledger_growth(h).bytes;
    ret_seen->heap_bytes = smallest_seen(h, &allocated, UNSUPPORTED_BYTES + explained);
    ret_seen->page_bytes = smallest_seen(h, &active, ACTIVE_BYTES);
    if (exact_leak || h->epochs < JUDGE_MIN_EPOCHS)
        return 0;
    struct rise unexplained = allocated;
    unexplained.growth -= explained;
    const struct judge_size_class *exact = class_growing(h, true);
    if (rule_on(h, RULE_OUTSIDE) &&
        rises(&unexplained, exact ? ALLOCATED_BYTES : UNSUPPORTED_BYTES)) {
        *ret = outside(h, &unexplained, exact ? exact : class_growing(h, false));
        return 1;
    }
    if (rule_on(h, RULE_SIZE_CLASS) && exact) {
        *ret = outside(h, &unexplained, exact);
        return 1;
    }
    if (rule_on(h, RULE_FRAGMENTATION) && rises(&active, ACTIVE_BYTES) &&
        allocated.growth * 4 < active.growth) {
        *ret = pages(&active, &allocated, VERDICT_LEAK, KIND_FRAGMENTATION,
                     "pages are held by few bytes in use");
        return 1;
    }
    struct rise resident = rise_of(h, gauge_find(h->e, "heap_resident"), true);
    if (rule_on(h, RULE_UNPURGED) && rises(&resident, ACTIVE_BYTES)) {
        *ret = pages(&resident, &active, VERDICT_PASS, KIND_UNPURGED,
                     "the allocator keeps freed pages for a while, up to a bound of its own");
        return 1;
    }
    struct rise rss = rise_of(h, gauge_find(h->e, "rss_anon"), true), alone = rss;
    if (rule_on(h, RULE_HEAP_FIRST) && active.growth > 0)
        alone.growth -= active.growth;
    if (rule_on(h, RULE_MAPPING) && rises(&alone, WITNESS_BYTES)) {
        *ret = pages(&rss, &active, VERDICT_INCONCLUSIVE, KIND_MAPPING,
                     "every exact figure is flat, and a witness never convicts alone");
        return 1;
    }
    return 0;
}

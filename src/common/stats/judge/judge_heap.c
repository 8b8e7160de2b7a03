/* SPDX-License-Identifier: Apache-2.0 */
/* Memory outside OpenSSL: jemalloc's figures and, as witnesses, resident pages. Asked only after
 * the exact figures. */
#include "base/check.h"
#include "judge_ledger_share.h"
#include "judge_rise.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* `allocated` wanders by 75 KB through thread caches where these aren't emptied first (they are, at
 * a checkpoint), and a wander of that size can look straight by chance over a few checkpoints (1 in
 * 2,000 simulated runs); `active` moves by whole runs of pages; anonymous memory moves by a MiB for
 * reasons of the kernel's. */
static const double ALLOCATED_BYTES = 256 * 1024, ACTIVE_BYTES = 1024 * 1024,
                    WITNESS_BYTES = 4096 * 1024, HELD_BYTES = 32 * 1024;
/* Pages that grow by less than three times the bytes in use are there for these. */
static const double IN_USE_PARTS = 3;

/* ---- regions of size classes: they name what grows, and convict where it is in proportion ---- */

/* Clean runs move the regions of a size class by about 10 either way. */
enum { REGIONS_NOISE = 15, REGIONS_MIN = 100, REGIONS_EPOCH = 30, REGIONS_EPOCHS = 3 };
/* jemalloc keeps up to so many free regions of a class for each thread, and counts them as
 * allocated (opt.tcache_nslots_small_max in its source; those of soak's own programs are emptied at
 * a checkpoint). */
enum { REGIONS_OF_THREAD = 200 };

/* At half the pace of the churn or more, and more than regions move by chance. */
static bool by_pace(const struct judge_context *h, double held, double churned)
{
    return held > REGIONS_NOISE && h->hold_seconds > 0 && h->seconds > 0 &&
           held / h->hold_seconds * 2 >= churned / h->seconds;
}

static bool in_proportion(const struct judge_context *h, const struct judge_size_class *k,
                          double rate)
{
    int full = 0;
    for (size_t c = followed_from(h) + 1; c <= h->last; c++) {
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
static bool moved_from_others(const struct judge_context *h, const struct ledger_share *share,
                              int64_t bytes)
{
    int64_t shrunk = 0;
    for (size_t i = 0; i < share->size_classes; i++) {
        const struct judge_size_class *k = &share->size_class[i];
        int64_t grown = growth_of(h, k->regions);
        shrunk -= grown < 0 ? grown * (int64_t)k->size : 0;
    }
    return shrunk * 2 > bytes;
}

/* The class with most growth in bytes beside the ledger, borrowed from `share`, or NULL. `exact`:
 * only such as convict by themselves. */
static const struct judge_size_class *class_growing(const struct judge_context *h,
                                                    const struct ledger_share *share, bool exact)
{
    const struct judge_size_class *most = NULL;
    int64_t most_bytes = 0, ledger = share->grown_blocks;
    for (size_t i = 0; i < share->size_classes && begun_after(h, h->base); i++) {
        const struct judge_size_class *k = &share->size_class[i];
        int64_t grown = growth_of(h, k->regions), bytes = grown * (int64_t)k->size;
        if (grown < JUDGE_MIN_BLOCKS || bytes <= most_bytes)
            continue;
        if (exact && (grown < REGIONS_MIN || grown < 2 * ledger ||
                      grown < REGIONS_OF_THREAD * h->begun || moved_from_others(h, share, bytes) ||
                      !in_proportion(h, k, (double)grown / (double)begun_after(h, h->base))))
            continue;
        most = k;
        most_bytes = bytes;
    }
    return most;
}

/* What one class gained over the hold epochs. */
static double held_regions(const struct judge_context *h, const struct judge_size_class *k)
{
    double sum = 0;
    for (size_t c = 1; c <= h->last; c++)
        sum += h->e->epoch[c].hold ? (double)(k->regions[c] - k->regions[c - 1]) : 0;
    return sum;
}

/* ---- jemalloc's own figures ---- */

static double held_bytes(const struct judge_context *h, const struct judge_gauge *g)
{
    double sum = 0;
    CHECK(g->count <= h->e->epochs);
    const struct judge_epoch *epoch = h->e->epoch + (h->e->epochs - g->count);
    for (size_t i = 1; i < g->count; i++)
        sum += epoch[i].hold ? g->value[i] - g->value[i - 1] : 0;
    return sum;
}

/* The bytes of the whole heap wander more than the regions of one class. */
static void name_time(const struct judge_context *h, const struct rise *allocated,
                      const struct judge_size_class *k, struct judge_finding *f)
{
    double held = k ? held_regions(h, k) : held_bytes(h, allocated->g);
    double churned = (k ? (double)f->blocks : (double)f->bytes) - held;
    if (!rule_on(h, RULE_TIME) || (!k && held < HELD_BYTES) || !by_pace(h, held, churned))
        return;
    f->kind = KIND_TIME;
    finding_why(f, "outside OpenSSL: %.0f %s per second while held without churn, %.0f while %s",
                held / h->hold_seconds, k ? "regions of one size class" : "bytes",
                churned / h->seconds, unit_under_way(h->e->unit));
}

/* Whether the regions of a class make at least half of so many bytes. */
static bool makes_most(const struct judge_context *h, const struct judge_size_class *k,
                       int64_t bytes)
{
    return k && growth_of(h, k->regions) * (int64_t)k->size * 2 >= bytes;
}

static void of_no_class(const struct judge_context *h, const struct rise *allocated,
                        struct judge_finding *f)
{
    finding_why(f, "jemalloc's allocated bytes grow, the ledger doesn't, and no one size "
                   "class stands out");
    name_time(h, allocated, NULL, f);
}

/* `exact`: its regions came in proportion to the epochs, and convict by themselves. */
static void of_class(const struct judge_context *h, const struct rise *allocated,
                     const struct judge_size_class *k, bool exact, struct judge_finding *f)
{
    f->blocks = growth_of(h, k->regions);
    f->per_conn_blocks = (double)f->blocks / (double)begun_after(h, h->base);
    if (f->bytes < f->blocks * (int64_t)k->size || !makes_most(h, k, f->bytes)) {
        f->bytes = f->blocks * (int64_t)k->size;
        f->per_conn_bytes = f->per_conn_blocks * (double)k->size;
    }
    finding_why(f, "%ssize class %" PRIu64 ": %.4f regions per %s%s; the ledger is flat",
                exact ? "" : "most of it in ", k->size, f->per_conn_blocks, unit_of(h),
                exact ? ", in proportion to the epochs" : "");
    name_time(h, allocated, k, f);
}

static struct judge_finding outside(struct judge_context *h, const struct rise *allocated,
                                    const struct judge_size_class *k, bool exact)
{
    struct judge_finding f = {.site = SIZE_MAX,
                              .gauge = METRIC_HEAP_ALLOCATED,
                              .kind = KIND_OUTSIDE,
                              .verdict = VERDICT_LEAK};
    f.bytes = (int64_t)allocated->growth;
    f.per_conn_bytes = allocated->per_conn;
    h->wants_hold |= !h->hold;
    if (k)
        of_class(h, allocated, k, exact, &f);
    else
        of_no_class(h, allocated, &f);
    return f;
}

/* `flat` is what doesn't grow beside it; `why` what follows. */
static struct judge_finding pages(const struct rise *r, const struct rise *flat,
                                  enum verdict verdict, enum kind kind, const char *why)
{
    struct judge_finding f = {.site = SIZE_MAX,
                              .gauge = r->g->metric,
                              .kind = kind,
                              .verdict = verdict,
                              .bytes = (int64_t)r->growth,
                              .per_conn_bytes = r->per_conn};
    finding_why(&f, "%.20s grew by %.0f KiB, %.20s by %.0f KiB: %s", metric_name(r->g->metric),
                r->growth / 1024, flat->g ? metric_name(flat->g->metric) : "the ledger",
                flat->growth / 1024, why);
    return f;
}

/* Bytes per connection that would have had to be added to be seen: beyond the limit by what the
 * figure varies, `at_least` in all, and so many that the points lie straight. What the series
 * itself became less by comes on top. */
static double smallest_seen(const struct judge_context *h, const struct rise *r, double at_least)
{
    if (!r->g || begun_after(h, h->base) == 0 || r->half_width > 1e12)
        return 0;
    double lost = fmax(-r->growth, 0);
    double in_all =
        (fmax(at_least, RISE_STRAY_PARTS * r->stray) + lost) / (double)begun_after(h, h->base);
    return fmax(r->g->limit + fmax(r->half_width, -r->low), in_all);
}

/* What jemalloc's figures are judged by. `beside`: allocated, less what OpenSSL's live blocks take;
 * `held`: active, less what is allocated. Without their rules they are the figures themselves. */
struct heap_case {
    struct ledger_share share;
    struct judge_gauge gauge[2];
    double *value[2]; /* owned */
    struct rise allocated, active, beside, held;
};

static void heap_case_init(struct heap_case *k, const struct judge_context *h)
{
    const struct judge_gauge *allocated = gauge_find(h->e, METRIC_HEAP_ALLOCATED),
                             *active = gauge_find(h->e, METRIC_HEAP_ACTIVE);
    *k = (struct heap_case){0};
    share_init(&k->share, h);
    for (int i = 0; i < 2; i++) {
        const struct judge_gauge *g = i ? active : allocated;
        k->value[i] = calloc(g ? g->count : 1, sizeof *k->value[i]);
        CHECK(k->value[i]);
    }
    k->allocated = rise_of(h, allocated, 0);
    k->active = rise_of(h, active, 0);
    k->beside =
        rise_of(h, share_beside_ledger(&k->share, h, allocated, k->value[0], &k->gauge[0]), 0);
    const struct judge_gauge *in_use = rule_on(h, RULE_IN_USE_FIRST) ? allocated : NULL;
    k->held = rise_of(h, share_beside(active, in_use, k->value[1], &k->gauge[1]), 0);
}

static void heap_case_fini(struct heap_case *k)
{
    free(k->value[0]);
    free(k->value[1]);
    share_fini(&k->share);
}

/* A loss must be larger by what the ledger may explain of it; pages, by what is in use with them.
 */
static void sensitivity_fill(const struct judge_context *h, const struct heap_case *k,
                             struct judge_sensitivity *ret)
{
    ret->heap_bytes = smallest_seen(h, &k->beside, ALLOCATED_BYTES + k->share.slack);
    ret->page_bytes = smallest_seen(h, &k->held, ACTIVE_BYTES);
    if (ret->page_bytes > 0)
        ret->page_bytes =
            fmax(ret->page_bytes, IN_USE_PARTS * k->allocated.per_conn - k->held.per_conn);
}

static bool outside_judge(struct judge_context *h, const struct heap_case *k,
                          struct judge_finding *ret)
{
    struct rise unexplained = k->beside;
    unexplained.growth -= k->share.slack;
    const struct judge_size_class *exact = class_growing(h, &k->share, true);
    bool grows = rule_on(h, RULE_OUTSIDE) && rises(&unexplained, ALLOCATED_BYTES);
    if (!grows && !(rule_on(h, RULE_SIZE_CLASS) && exact))
        return false;
    const struct judge_size_class *named = exact;
    if (grows && !makes_most(h, named, (int64_t)unexplained.growth))
        named = class_growing(h, &k->share, false);
    if (grows && !makes_most(h, named, (int64_t)unexplained.growth))
        named = NULL;
    *ret = outside(h, &unexplained, named, named == exact);
    return true;
}

/* More pages, and not for what is allocated in them: a cache that fills takes some as well. */
static bool fragmentation_judge(struct judge_context *h, const struct heap_case *k,
                                struct judge_finding *ret)
{
    if (!rule_on(h, RULE_FRAGMENTATION) || !rises(&k->held, ACTIVE_BYTES) ||
        k->allocated.per_conn * IN_USE_PARTS >= k->held.per_conn)
        return false;
    *ret = pages(&k->active, &k->allocated, VERDICT_LEAK, KIND_FRAGMENTATION,
                 "pages are held by few bytes in use");
    ret->bytes = (int64_t)k->held.growth;
    ret->per_conn_bytes = k->held.per_conn;
    return true;
}

/* Pages that jemalloc called resident at the start and that weren't in memory yet: it had given
 * them out before anything was written into them. They come in without anything being allocated. */
static double untouched_at_start(const struct rise *resident, const struct rise *rss)
{
    if (!resident->g || !rss->g)
        return 0;
    return fmax(0, resident->g->value[0] - rss->g->value[0]);
}

/* What OpenSSL's live blocks took more at the gauge's last point than at its first. */
static double ledger_growth(const struct heap_case *k, const struct judge_context *h,
                            const struct judge_gauge *g)
{
    if (!g)
        return 0;
    CHECK(g->count <= h->e->epochs);
    return k->share.bytes[h->e->epochs - 1] - k->share.bytes[h->e->epochs - g->count];
}

/* Of the growth of anonymous memory, what the allocator's pages explain; where nothing is known of
 * these, as with libc's malloc, what the ledger's blocks do. */
static double explained_of(const struct heap_case *k, const struct rise *resident,
                           const struct rise *rss, const struct rise *ledger)
{
    if (k->active.g)
        return fmax(0, k->active.growth) + untouched_at_start(resident, rss);
    return ledger->growth > 0 ? ledger->growth + k->share.slack : 0;
}

static struct rise late_rise(const struct judge_context *h, enum metric metric)
{
    const struct judge_gauge *g = gauge_find(h->e, metric);
    return rise_of(h, g, g ? gauge_late(g) : 0);
}

/* What of the process's memory nothing else explains. */
struct witnesses {
    struct rise resident, ledger;
    struct rise anonymous, shared; /* in all */
    struct rise alone;             /* of the anonymous, what isn't explained */
};

static void witnesses_init(struct witnesses *w, const struct judge_context *h,
                           const struct heap_case *k)
{
    w->resident = late_rise(h, METRIC_HEAP_RESIDENT);
    w->shared = late_rise(h, METRIC_RSS_SHARED);
    w->alone = w->anonymous = late_rise(h, METRIC_RSS_ANON);
    w->ledger = (struct rise){.growth = ledger_growth(k, h, w->anonymous.g)};
    if (rule_on(h, RULE_HEAP_FIRST))
        w->alone.growth -= explained_of(k, &w->resident, &w->anonymous, &w->ledger);
}

static bool witnesses_judge(struct judge_context *h, const struct heap_case *k,
                            const struct witnesses *w, struct judge_finding *ret)
{
    if (rule_on(h, RULE_UNPURGED) && rises(&w->resident, ACTIVE_BYTES)) {
        *ret = pages(&w->resident, &k->active, VERDICT_PASS, KIND_UNPURGED,
                     "the allocator keeps freed pages for a while, up to a bound of its own");
        return true;
    }
    bool alone = rises(&w->alone, WITNESS_BYTES);
    if (rule_on(h, RULE_MAPPING) && (alone || rises(&w->shared, WITNESS_BYTES))) {
        *ret = pages(alone ? &w->anonymous : &w->shared, k->active.g ? &k->active : &w->ledger,
                     VERDICT_INCONCLUSIVE, KIND_MAPPING,
                     "every exact figure is flat, and a witness never convicts alone");
        return true;
    }
    return false;
}

/* A run of so few checkpoints has no interval, and what grows straight in it is in doubt; of the
 * anonymous memory, what the pages that the allocator keeps don't explain. */
static bool few_points_judge(struct judge_context *h, const struct heap_case *k,
                             const struct witnesses *w, struct judge_finding *ret)
{
    struct rise unexplained = k->beside, alone = w->alone;
    unexplained.growth -= k->share.slack;
    if (w->resident.g)
        alone.growth = fmin(alone.growth, w->anonymous.growth - w->resident.growth);
    const struct {
        const struct rise *rise;
        enum kind kind;
    } may[] = {{&unexplained, KIND_OUTSIDE},
               {&k->held, KIND_FRAGMENTATION},
               {&alone, KIND_MAPPING},
               {&w->shared, KIND_MAPPING}};
    for (size_t i = 0; rule_on(h, RULE_FEW_POINTS) && i < sizeof may / sizeof *may; i++) {
        if (!rises_in_few(may[i].rise, WITNESS_BYTES))
            continue;
        h->wants_more = true;
        *ret = pages(may[i].rise, &w->ledger, VERDICT_INCONCLUSIVE, may[i].kind,
                     "a trend takes 6 checkpoints, and the run had fewer");
        return true;
    }
    return false;
}

static struct judge_net net_of(const struct rise *r)
{
    return (struct judge_net){r->g != NULL, r->per_conn, r->half_width};
}

size_t heap_judge(struct judge_context *h, bool exact_leak, struct judge_finding *ret,
                  struct judge_sensitivity *ret_seen)
{
    struct heap_case k;
    struct witnesses w;
    heap_case_init(&k, h);
    witnesses_init(&w, h, &k);
    sensitivity_fill(h, &k, ret_seen);
    h->allocated = net_of(&k.beside);
    h->active = net_of(&k.held);
    bool found = !exact_leak && h->epochs >= JUDGE_MIN_EPOCHS &&
                 (outside_judge(h, &k, ret) || fragmentation_judge(h, &k, ret) ||
                  witnesses_judge(h, &k, &w, ret) || few_points_judge(h, &k, &w, ret));
    heap_case_fini(&k);
    return found;
}

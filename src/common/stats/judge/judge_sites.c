/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about one site, in the order of SITE_RULE_LIST: the first that has an opinion decides.
 */
#include "judge_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- declared caches ---- */

static enum answer over_capacity(const struct judge_context *h, const struct survivors *v,
                                 const struct judge_cache *k, struct judge_finding *f)
{
    *f = finding_of(h, v, VERDICT_LEAK, KIND_CACHE_OVER);
    finding_why(f,
                "%.32s holds %" PRIu64 " entries, %" PRIu64 " more than the %" PRIu64
                " it may hold, and goes on",
                k->name, k->population[h->last], k->population[h->last] - k->capacity, k->capacity);
    return DECIDED;
}

/* Several entries to each block: a leak by the connections that fill the cache may keep step with
 * it as well. What emptying the caches tells at the end is too late for a hold. */
static bool is_sparse(const struct judge_context *h, const struct survivors *v,
                      const struct judge_cache *k)
{
    enum { ENTRIES_TO_A_BLOCK = 3 };
    uint64_t before = h->base == SIZE_MAX ? 0 : k->population[h->base];
    return (int64_t)(k->population[h->last] - before) >= ENTRIES_TO_A_BLOCK * v->growth;
}

static enum answer cache_pending(struct judge_context *h, const struct survivors *v,
                                 enum cache_fit fit, size_t cache, struct judge_finding *f)
{
    if (fit == CACHE_NONE)
        return NO_OPINION;
    const struct judge_cache *k = &h->e->cache[cache];
    if (fit == CACHE_FITS_OVER)
        return over_capacity(h, v, k, f);
    h->pending |= !h->e->drained;
    bool sparse = is_sparse(h, v, k);
    h->wants_hold |= !h->hold && sparse;
    answer_pass(h, v, KIND_CACHE_FILLING, f);
    f->may_leak = sparse && !h->e->drained;
    uint64_t until_full = cache_full_in(h, cache);
    if (until_full)
        finding_why(f,
                    "grows exactly as %.32s does: %" PRIu64 " entries of %" PRIu64
                    ", full after about %" PRIu64 " more %ss at this pace",
                    k->name, k->population[h->last], k->capacity, until_full, unit_of(h));
    else if (k->capacity)
        finding_why(f, "grows exactly as %.32s does: %" PRIu64 " entries of %" PRIu64 ", now full",
                    k->name, k->population[h->last], k->capacity);
    else
        finding_why(f, "grows exactly as %.32s does: %" PRIu64 " entries, and no bound is declared",
                    k->name, k->population[h->last]);
    return DECIDED;
}

/* After the drain the caches have been emptied: what that freed was theirs, what stays isn't. */
static enum answer site_cache(struct judge_context *h, const struct survivors *v,
                              struct judge_finding *f)
{
    size_t cache = 0;
    enum cache_fit fit = cache_fits(h, v->s, &cache);
    if (!h->e->drained || fit == CACHE_FITS_OVER || v->blocks == 0)
        return cache_pending(h, v, fit, cache, f);
    bool freed = v->s->flushed_blocks < JUDGE_MIN_BLOCKS &&
                 v->s->flushed_blocks < v->s->drained_blocks &&
                 v->s->drained_blocks * 2 >= v->blocks;
    if (!freed || v->blocks < JUDGE_MIN_BLOCKS)
        return NO_OPINION;
    if (fit == CACHE_FITS)
        return cache_pending(h, v, fit, cache, f);
    if (fit == CACHE_NONE && cache_bounded_present(h)) {
        answer_pass(h, v, KIND_CACHE_BOUNDED, f);
        finding_why(f, "emptying the caches freed all of it");
        return DECIDED;
    }
    /* What takes the place of older blocks fills nothing. */
    if ((rule_on(h, RULE_REPLACED) && total_stayed(h, v)) ||
        (rule_on(h, RULE_REPLACED_WITH) && v->made_with))
        return NO_OPINION;
    /* What entries of a cache hold in unlike numbers, such as names, follows no ratio. */
    if (rule_on(h, RULE_EMPTIED_OVER) && fit == CACHE_NONE && cache_beyond_capacity(h, &cache) &&
        v->half[0] && v->half[1])
        return over_capacity(h, v, &h->e->cache[cache], f);
    answer_doubt(h, v, KIND_CACHE_FILLING, f);
    finding_why(f, "emptying the caches freed it, but nothing says how large they may become");
    return DECIDED;
}

static enum answer site_quiet(struct judge_context *h, const struct survivors *v,
                              struct judge_finding *f)
{
    (void)h;
    (void)f;
    return v->blocks == 0 ? QUIET : NO_OPINION;
}

/* ---- bounded by what came later, or too little to convict on ---- */

static enum answer site_one_time(struct judge_context *h, const struct survivors *v,
                                 struct judge_finding *f)
{
    if (v->epochs != 1 || v->newest == h->newest)
        return NO_OPINION;
    uint64_t opened = h->e->epoch[v->newest].opened;
    double share = (double)opened / (double)h->opened;
    if ((double)v->blocks * log(share) > log(JUDGE_ALPHA))
        return NO_OPINION;
    answer_pass(h, v, KIND_ONE_TIME, f);
    finding_why(f, "all in one epoch of %" PRIu64 " %ss, none in the other %" PRIu64, opened,
                unit_of(h), h->opened - opened);
    return DECIDED;
}

/* How many losses there were before the end of `epoch`, when nothing was added after it; 0 when
 * something was. */
static int64_t losses_until(const struct judge_context *h, const struct survivors *v, size_t epoch)
{
    int64_t later = survivors_after(h, v->s, epoch);
    if (later == 0)
        return v->events;
    if (range_since(h, v->s->blocks, epoch) * 2 >= later)
        return 0;
    int64_t grown = v->s->blocks[epoch] - at_base(h, v->s->blocks);
    int64_t lost = v->events * (v->blocks - later) / v->blocks;
    return grown > lost ? grown : lost;
}

enum answer doubt_unless_rare(struct judge_context *h, const struct survivors *v,
                              struct judge_finding *f)
{
    uint64_t want = h->e->want_one_in;
    if (!rule_on(h, RULE_RARE) || !want ||
        poisson_at_most(v->blocks, (double)h->opened / (double)want) > JUDGE_ALPHA)
        return answer_doubt(h, v, KIND_ONE_TIME, f);
    h->wants_more |= v->newest == h->newest;
    return answer_pass(h, v, KIND_ONE_TIME, f);
}

/* A leak of many losses ends in a pause now and then, and a run asks hundreds of sites: to pass on
 * a pause takes more than to doubt. */
static const double SURELY_ENDED = 1e-6;

static enum answer site_bounded(struct judge_context *h, const struct survivors *v,
                                struct judge_finding *f)
{
    size_t c = followed_from(h);
    while (c < h->newest && (!judge_context_judges(h, c) || losses_until(h, v, c) <= 0))
        c++;
    if (c == h->newest)
        return NO_OPINION;
    uint64_t after = opened_after(h, c);
    double by_chance = (double)losses_until(h, v, c) * log1p(-(double)after / (double)h->opened);
    if (by_chance > log(JUDGE_ALPHA))
        return NO_OPINION;
    if (total_rises(h, v->s->blocks)) {
        answer_doubt(h, v, KIND_CACHE_BOUNDED, f);
        finding_why(f, "newer blocks take the place of older ones, yet the total rises with every "
                       "epoch");
        return DECIDED;
    }
    char why[sizeof f->why];
    snprintf(why, sizeof why, "grew at first, then not over the last %" PRIu64 " %ss", after,
             unit_of(h));
    if (by_chance <= log(SURELY_ENDED)) {
        pass_replaced(h, v, v->s->blocks, why, f);
        return DECIDED;
    }
    doubt_unless_rare(h, v, f);
    finding_why(f, "%s", why);
    return DECIDED;
}

static enum answer site_few(struct judge_context *h, const struct survivors *v,
                            struct judge_finding *f)
{
    int64_t losses = v->events;
    if (v->s->line) /* RULE_MARKS asks more of a site without one */
        losses = losses_of_epochs(h, v->events, v->epochs, v->without, JUDGE_CLUMPS);
    if (losses >= JUDGE_CONVICT_BLOCKS)
        return NO_OPINION;
    if (v->blocks < JUDGE_MIN_BLOCKS) {
        h->wants_more |= v->newest == h->newest;
        answer_pass(h, v, KIND_ONE_TIME, f);
    } else {
        doubt_unless_rare(h, v, f);
    }
    finding_why(f,
                "%" PRId64 " blocks in %" PRId64 " losses over %" PRIu64
                " %ss: fewer than a verdict needs",
                v->blocks, losses, h->opened, unit_of(h));
    return DECIDED;
}

static enum answer site_halves(struct judge_context *h, const struct survivors *v,
                               struct judge_finding *f)
{
    if (v->half[0] && v->half[1])
        return NO_OPINION;
    doubt_unless_rare(h, v, f);
    finding_why(f, "%" PRId64 " blocks, all in the %s half of the %ss", v->blocks,
                v->half[0] ? "first" : "second", unit_of(h));
    return DECIDED;
}

static enum answer site_unconfirmed(struct judge_context *h, const struct survivors *v,
                                    struct judge_finding *f)
{
    int64_t until_newest = v->s->blocks[h->newest] - at_base(h, v->s->blocks);
    if (v->growth * 2 >= v->blocks && until_newest * 2 >= v->blocks)
        return NO_OPINION;
    answer_doubt(h, v, KIND_CACHE_BOUNDED, f);
    finding_why(f, "%" PRId64 " blocks survived but the site's total grew by only %" PRId64,
                v->blocks, v->growth < until_newest ? v->growth : until_newest);
    return DECIDED;
}

/* How much more the epochs of a half differ from their common rate than chance alone makes them:
 * losses that come in clumps vary more. At least 1. */
static double dispersion(const struct judge_context *h, const struct survivors *v)
{
    double chi = 0;
    for (size_t c = followed_from(h); c < h->e->epochs; c++) {
        int half = c > h->middle;
        if (!judge_context_judges(h, c) || v->half[half] == 0)
            continue;
        double mean = (double)v->half[half] * (double)h->e->epoch[c].opened / (double)h->half[half];
        double apart = (double)v->s->born_blocks[c] - mean;
        chi += apart * apart / mean;
    }
    double each = h->epochs > 2 ? chi / (h->epochs - 2) : 1;
    return each > 1 ? each : 1;
}

static enum answer site_decelerating(struct judge_context *h, const struct survivors *v,
                                     struct judge_finding *f)
{
    double first = (double)v->half[0] / (double)h->half[0];
    double second = (double)v->half[1] / (double)h->half[1];
    double share = (double)h->half[1] / (double)h->opened, clump = dispersion(h, v);
    int64_t all = (int64_t)((double)v->blocks / clump);
    int64_t late = (int64_t)((double)v->half[1] / clump);
    if (second * 2 >= first || binomial_at_most(late, all, share) > JUDGE_SLOWER)
        return NO_OPINION;
    answer_doubt(h, v, KIND_CACHE_BOUNDED, f);
    finding_why(f, "slows down: %.4f blocks per %s in the first half, %.4f in the second", first,
                unit_of(h), second);
    return DECIDED;
}

static enum answer site_leak(struct judge_context *h, const struct survivors *v,
                             struct judge_finding *f)
{
    size_t cache = 0;
    *f = finding_of(h, v, VERDICT_LEAK, KIND_SIDE);
    finding_why_ratio(h, v->s, f);
    if (h->e->drained && cache_fits(h, v->s, &cache) != CACHE_NONE && v->s->flushed_blocks > 0) {
        f->emptied = true;
        f->blocks = v->s->flushed_blocks;
        f->bytes = v->s->flushed_bytes;
        f->per_conn_blocks = (double)f->blocks / (double)h->opened;
        f->per_conn_bytes = (double)f->bytes / (double)h->opened;
        finding_why(f, "grows beside %.32s: emptying it left %" PRId64 " of %" PRId64 " blocks",
                    h->e->cache[cache].name, f->blocks, v->blocks);
    }
    h->wants_hold |= !h->hold;
    return DECIDED;
}

typedef enum answer (*site_rule)(struct judge_context *h, const struct survivors *v,
                                 struct judge_finding *f);

bool survivors_judge(struct judge_context *h, const struct survivors *v, struct judge_finding *ret)
{
    static const site_rule rule[] = {SITE_RULE_LIST(ENUM_NAME)};
    struct survivors known = *v;
    enum answer answer = NO_OPINION;
    known.made_with = replaced_class(h, v);
    for (size_t i = 0; i < sizeof rule / sizeof *rule && answer == NO_OPINION; i++) {
        if (rule_on(h, (enum judge_rule)i))
            answer = rule[i](h, &known, ret);
    }
    return answer == DECIDED;
}

bool site_judge(struct judge_context *h, size_t site, struct judge_finding *ret)
{
    struct survivors v;
    if (h->epochs == 0)
        return false;
    survivors_count(h, site, &v);
    return survivors_judge(h, &v, ret);
}

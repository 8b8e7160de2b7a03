/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that take the place of others: at their own site, with an object, at sites of their type.
 */
#include "judge_internal.h"

#include "base/check.h"
#include "stats/fit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum kind bounded_kind(const struct survivors *v)
{
    return v->blocks < JUDGE_MIN_BLOCKS ? KIND_ONE_TIME : KIND_CACHE_BOUNDED;
}

int64_t range_since(const struct judge_context *h, const int64_t *series, size_t from)
{
    int64_t low = from == SIZE_MAX ? 0 : series[from], high = low;
    for (size_t c = from == SIZE_MAX ? 0 : from; c <= h->last; c++) {
        low = series[c] < low ? series[c] : low;
        high = series[c] > high ? series[c] : high;
    }
    return high - low;
}

/* Whether the total rose in every epoch of the second half in which any came, per connection as
 * fast at the end: then something stays of what comes, however much else takes the place of older
 * blocks. */
bool total_rises(const struct judge_context *h, const int64_t *series)
{
    int64_t grown[2] = {0, 0};
    uint64_t opened[2] = {0, 0}, before = 0, all = opened_after(h, h->middle);
    for (size_t c = h->middle + 1; c <= h->newest; c++) {
        if (h->e->epoch[c].opened && series[c] <= series[c - 1])
            return false;
        before += h->e->epoch[c].opened;
        grown[before * 2 > all] += series[c] - series[c - 1];
        opened[before * 2 > all] += h->e->epoch[c].opened;
    }
    return opened[0] && opened[1] && grown[0] >= JUDGE_CONVICT_BLOCKS &&
           (double)grown[1] * (double)opened[0] >= 0.75 * (double)grown[0] * (double)opened[1];
}

/* The live total moved by less than half of what survived: the survivors replaced others. */
bool total_stayed(const struct judge_context *h, const struct survivors *v)
{
    return range_since(h, v->s->blocks, h->base) * 2 < v->blocks && !total_rises(h, v->s->blocks);
}

/* A line through the total since a checkpoint, or through the newest four points: three lie on one
 * by coincidence too often. A hold is none of them, as its connections are those of before. */
static struct fit line_since(const struct judge_context *h, const int64_t *total, size_t since)
{
    enum { LEAST = 4 };
    struct fit f = {0};
    double after = 0;
    for (size_t c = h->last + 1; c-- > followed_from(h) && (c >= since || f.n < LEAST);) {
        if (h->e->epoch[c].opened > 0)
            fit_add(&f, after, (double)(total[c] - total[h->last]));
        after += (double)h->e->epoch[c].opened;
    }
    return f;
}

/* So many more blocks may open connections have held at that checkpoint than at the last, going by
 * how far the total strays from the line (Student's t, two degrees less than there are points). As
 * many losses don't show in the total. */
static int64_t hidden_since(const struct judge_context *h, const int64_t *total, size_t since)
{
    struct fit f = line_since(h, total, since);
    double degrees = f.n - 2, rest = fit_rest(&f);
    int64_t low = -1, high = 1;
    if (degrees < 1 || rest <= 1e-9 * fit_all(&f))
        return 0;
    double error = sqrt(2 * rest / degrees);
    while (normal_at_least(normal_of_student((double)high / error, degrees)) > JUDGE_ALPHA)
        high *= 2;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        double t = (double)middle / error;
        *(normal_at_least(normal_of_student(t, degrees)) > JUDGE_ALPHA ? &low : &high) = middle;
    }
    return high;
}

/* No more blocks can have been lost since a checkpoint than the total moved, or than its growth and
 * what open connections may hide come to; nor than are left of what came. */
static int64_t most_lost(const struct judge_context *h, const struct survivors *v,
                         const int64_t *total, size_t since)
{
    int64_t moved = range_since(h, total, since), left = survivors_after(h, v->s, since);
    int64_t grown = total[h->last] - total[since] + hidden_since(h, total, since);
    int64_t most = grown > moved ? grown : moved;
    return most < left ? most : left;
}

/* How rare a loss would have shown by the total: a rarer one wouldn't have left more. Of all
 * checkpoints the one that tells most counts, so that each may be wrong as seldom as all
 * together. */
static double total_shows(const struct judge_context *h, const struct survivors *v,
                          const int64_t *total)
{
    double shows = 0, chance = JUDGE_ALPHA / h->epochs;
    for (size_t c = followed_from(h); c < h->newest; c++) {
        double mean = poisson_mean_above(most_lost(h, v, total, c), chance);
        shows = fmax(shows, (double)opened_after(h, c) / mean);
    }
    return shows;
}

/* Emptying the caches freed some, and left as many as the total grew by. */
static bool left_by_caches(const struct judge_context *h, const struct survivors *v)
{
    int64_t left = v->s->flushed_blocks;
    return h->e->drained && left >= JUDGE_CONVICT_BLOCKS && left < v->s->drained_blocks &&
           v->growth * 2 >= left;
}

/* What is behind a pass, and from how often on a loss would have shown where that isn't as rare as
 * anywhere else. */
static void why_passed(const struct judge_context *h, double shows, const char *why,
                       struct judge_finding *f)
{
    if (shows < h->one_in)
        finding_why(f, "%s; a loss of one per %.0f %ss would have shown", why, shows, unit_of(h));
    else
        finding_why(f, "%s", why);
}

void pass_replaced(struct judge_context *h, const struct survivors *v, const int64_t *total,
                   const char *why, struct judge_finding *f)
{
    bool asked = rule_on(h, RULE_HIDDEN) && !h->e->ended;
    double shows = asked ? total_shows(h, v, total) : INFINITY;
    h->shows = fmin(h->shows, shows);
    if (asked && left_by_caches(h, v)) {
        answer_doubt(h, v, KIND_CACHE_BOUNDED, f);
        finding_why(f,
                    "emptying the caches freed what newer blocks replace, but left %" PRId64
                    ", and the total grew by %" PRId64,
                    v->s->flushed_blocks, v->growth);
    } else if (shows < (double)h->e->want_one_in) {
        answer_doubt(h, v, KIND_CACHE_BOUNDED, f);
        finding_why(f,
                    "among blocks that come and go only a loss of one per %.0f %ss would have "
                    "shown: the total grew by %" PRId64,
                    shows, unit_of(h), v->growth);
    } else {
        answer_pass(h, v, bounded_kind(v), f);
        why_passed(h, shows, why, f);
    }
}

/* `each` blocks to an object of the class, in every epoch, and as many gone after the drain and
 * when the caches were emptied. */
static bool goes_with(const struct judge_context *h, const struct survivors *v,
                      const struct survivors *own, int64_t each)
{
    const struct judge_site *s = v->s, *object = own->s;
    for (size_t c = 0; c < h->e->epochs; c++) {
        if (judge_context_judges(h, c) && s->born_blocks[c] != each * object->born_blocks[c])
            return false;
    }
    return !h->e->drained || (s->drained_blocks == each * object->drained_blocks &&
                              s->flushed_blocks == each * object->flushed_blocks);
}

/* The class of objects with which the survivors were made, when newer objects took the place of
 * older ones: an SSL_CTX that is replaced now and then has its locks where every connection has
 * some, so that the site's own total moves. NULL: there is none. */
const char *replaced_class(const struct judge_context *h, const struct survivors *v)
{
    for (size_t i = 0; i < h->e->classes && v->blocks; i++) {
        const struct judge_class *k = &h->e->class_[i];
        struct survivors own;
        if (k->site == SIZE_MAX || k->site == v->site)
            continue;
        survivors_count(h, k->site, &own);
        if (own.blocks && v->blocks % own.blocks == 0 && total_stayed(h, &own) &&
            goes_with(h, v, &own, v->blocks / own.blocks))
            return k->name;
    }
    return NULL;
}

enum answer site_replaced(struct judge_context *h, const struct survivors *v,
                          struct judge_finding *f)
{
    char why[sizeof f->why];
    if (!total_stayed(h, v))
        return NO_OPINION;
    snprintf(why, sizeof why,
             "%" PRId64 " newer blocks took the place of older ones, the total stayed", v->blocks);
    pass_replaced(h, v, v->s->blocks, why, f);
    return DECIDED;
}

enum answer site_replaced_with(struct judge_context *h, const struct survivors *v,
                               struct judge_finding *f)
{
    if (!v->made_with)
        return NO_OPINION;
    answer_pass(h, v, bounded_kind(v), f);
    finding_why(f, "made with an object, %.32s, that took the place of an older one", v->made_with);
    return DECIDED;
}

static bool swaps_with(const struct judge_context *h, const struct judge_site *s,
                       const struct judge_site *other)
{
    bool moved = growth_of(h, other->blocks) < 0 || survivors_after(h, other, SIZE_MAX) > 0;
    return other == s || (moved && same_type(h, s, other));
}

/* The sum of the sites of a type, since the base, at each checkpoint: to be freed. */
static int64_t *sum_of_type(const struct judge_context *h, const struct judge_site *s)
{
    int64_t *sum = calloc(h->e->epochs, sizeof *sum);
    CHECK(sum);
    for (size_t i = 0; i < h->e->sites; i++) {
        const struct judge_site *other = &h->e->site[i];
        for (size_t c = followed_from(h); c <= h->last && swaps_with(h, s, other); c++)
            sum[c] += other->blocks[c] - at_base(h, other->blocks);
    }
    return sum;
}

static bool any_shrank(const struct judge_context *h, const struct judge_site *s)
{
    for (size_t i = 0; i < h->e->sites; i++)
        if (growth_of(h, h->e->site[i].blocks) < 0 && swaps_with(h, s, &h->e->site[i]))
            return true;
    return false;
}

/* The sites of a type: in the same file, of the same block size, and not at rest. A leak isn't
 * masked by a shrinking neighbour: the sum of all must stay level at every checkpoint. */
enum answer site_swapped(struct judge_context *h, const struct survivors *v,
                         struct judge_finding *f)
{
    if (!any_shrank(h, v->s))
        return NO_OPINION;
    int64_t *sum = sum_of_type(h, v->s);
    bool stayed = range_since(h, sum, h->base) * 2 < v->blocks;
    if (stayed)
        pass_replaced(h, v, sum,
                      "as many blocks of its size went at other places of the file: their sum "
                      "stayed",
                      f);
    free(sum);
    return stayed ? DECIDED : NO_OPINION;
}

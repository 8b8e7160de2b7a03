/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that take the place of others: at their own site, with an object, at sites of their type.
 */
#include "judge_internal.h"

#include <inttypes.h>

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

/* Whether the total rose in every epoch of the second half, per connection as fast at the end: then
 * something stays of what comes, however much else takes the place of older blocks. */
bool total_rises(const struct judge_context *h, const int64_t *series)
{
    int64_t grown[2] = {0, 0};
    uint64_t opened[2] = {0, 0};
    size_t half = h->middle + (h->newest - h->middle) / 2;
    for (size_t c = h->middle + 1; c <= h->newest; c++) {
        if (series[c] <= series[c - 1])
            return false;
        grown[c > half] += series[c] - series[c - 1];
        opened[c > half] += h->e->epoch[c].opened;
    }
    return opened[0] && opened[1] && grown[0] >= JUDGE_CONVICT_BLOCKS &&
           (double)grown[1] * (double)opened[0] >= 0.75 * (double)grown[0] * (double)opened[1];
}

/* The live total moved by less than half of what survived: the survivors replaced others. */
bool total_stayed(const struct judge_context *h, const struct survivors *v)
{
    return range_since(h, v->s->blocks, h->base) * 2 < v->blocks && !total_rises(h, v->s->blocks);
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
    if (!total_stayed(h, v))
        return NO_OPINION;
    answer_pass(h, v, bounded_kind(v), f);
    finding_why(f, "%" PRId64 " newer blocks took the place of older ones, the total stayed",
                v->blocks);
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

/* The sites of a type: in the same file, of the same block size, and not at rest. A leak isn't
 * masked by a shrinking neighbour: the sum of all must stay level at every checkpoint. */
enum answer site_swapped(struct judge_context *h, const struct survivors *v,
                         struct judge_finding *f)
{
    int64_t low = 0, high = 0, shrunk = 0;
    for (size_t i = 0; i < h->e->sites; i++) {
        int64_t grown = growth_of(h, h->e->site[i].blocks);
        if (grown < 0 && swaps_with(h, v->s, &h->e->site[i]))
            shrunk -= grown;
    }
    if (shrunk == 0)
        return NO_OPINION;
    for (size_t c = followed_from(h); c <= h->last; c++) {
        int64_t sum = 0;
        for (size_t i = 0; i < h->e->sites; i++) {
            const struct judge_site *other = &h->e->site[i];
            if (swaps_with(h, v->s, other))
                sum += other->blocks[c] - at_base(h, other->blocks);
        }
        low = sum < low ? sum : low;
        high = sum > high ? sum : high;
    }
    if ((high - low) * 2 >= v->blocks)
        return NO_OPINION;
    answer_pass(h, v, bounded_kind(v), f);
    finding_why(f, "as many blocks of its size went at other places of the file: their sum stayed");
    return DECIDED;
}

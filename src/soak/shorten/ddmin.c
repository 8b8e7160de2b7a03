/* SPDX-License-Identifier: Apache-2.0 */
#include "ddmin.h"

struct search {
    uint64_t set;
    size_t pieces; /* that it is split into */
    ddmin_fn shows;
    void *owner;
};

static size_t count_of(uint64_t set)
{
    return (size_t)__builtin_popcountll(set);
}

/* The `which`th of the pieces, as equal as can be. */
static uint64_t piece(const struct search *s, size_t which)
{
    const size_t count = count_of(s->set), from = which * count / s->pieces,
                 to = (which + 1) * count / s->pieces;
    uint64_t part = 0;
    size_t at = 0;
    for (uint64_t left = s->set; left; left &= left - 1, at++)
        if (at >= from && at < to)
            part |= left & -left;
    return part;
}

/* A piece that shows takes the place of the set. */
static bool reduce_to_subset(struct search *s)
{
    for (size_t i = 0; i < s->pieces; i++) {
        uint64_t part = piece(s, i);
        if (!s->shows(s->owner, part))
            continue;
        s->set = part;
        s->pieces = 2;
        return true;
    }
    return false;
}

/* What is left without a piece; of two pieces it is the other, which has been asked. */
static bool reduce_to_complement(struct search *s)
{
    for (size_t i = 0; s->pieces > 2 && i < s->pieces; i++) {
        uint64_t part = s->set & ~piece(s, i);
        if (!s->shows(s->owner, part))
            continue;
        s->set = part;
        s->pieces--;
        return true;
    }
    return false;
}

uint64_t ddmin(uint64_t whole, ddmin_fn shows, void *owner)
{
    struct search s = {.set = whole, .pieces = 2, .shows = shows, .owner = owner};
    while (count_of(s.set) >= 2) {
        if (reduce_to_subset(&s) || reduce_to_complement(&s))
            continue;
        if (s.pieces >= count_of(s.set))
            break;
        s.pieces = 2 * s.pieces < count_of(s.set) ? 2 * s.pieces : count_of(s.set);
    }
    return s.set;
}

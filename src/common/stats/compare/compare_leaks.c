/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <string.h>

/* Lines move from version to version, and a function may be known on one side only. */
static bool same_place(const struct compare_place *a, const struct compare_place *b)
{
    if (!a->file || !b->file)
        return !a->file && !b->file && a->kind == b->kind;
    return strcmp(a->file, b->file) == 0 &&
           (!a->function || !b->function || strcmp(a->function, b->function) == 0);
}

/* Whether what such a place keeps may belong to an object that is blamed elsewhere: what an object
 * holds, and where that is allocated, changes from version to version without a leak more. */
static bool may_be_held(const struct compare_place *place)
{
    return place->kind == KIND_OBJECT || place->kind == KIND_DEFERRED || place->kind == KIND_HELD;
}

/* Where a version allocates objects of a class, and in a function of what name, is its own
 * affair. */
static bool same_object(const struct compare_place *a, const struct compare_place *b)
{
    return may_be_held(a) && may_be_held(b) && a->object && b->object &&
           strcmp(a->object, b->object) == 0;
}

static bool leaks_at(const struct compare_version *v, const struct compare_place *place)
{
    for (size_t i = 0; i < v->runs; i++)
        for (size_t k = 0; k < v->run[i].places; k++)
            if (same_place(&v->run[i].place[k], place) || same_object(&v->run[i].place[k], place))
                return true;
    return false;
}

const struct compare_place *compare_another_leak(const struct compare_version *first,
                                                 const struct compare_version *v)
{
    for (size_t i = 0; i < v->runs; i++) {
        for (size_t k = 0; k < v->run[i].places; k++) {
            const struct compare_place *place = &v->run[i].place[k];
            if ((k == 0 || !may_be_held(place)) && !leaks_at(first, place))
                return place;
        }
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

struct intern {
    char **text; /* by number, owned */
    size_t count;
    size_t *slot; /* number + 1, or 0: free; open addressing */
    size_t slots; /* a power of two, at least twice `count` */
};

uint64_t intern_hash(const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

struct intern *intern_new(void)
{
    return calloc(1, sizeof(struct intern));
}

void intern_free(struct intern *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        free(set->text[i]);
    free(set->text);
    free(set->slot);
    free(set);
}

/* The slot that holds `text`, or the free one where it belongs. */
static size_t *slot_of(const struct intern *set, const char *text)
{
    size_t at = (size_t)intern_hash(text, strlen(text)) & (set->slots - 1);
    while (set->slot[at] && strcmp(set->text[set->slot[at] - 1], text) != 0)
        at = (at + 1) & (set->slots - 1);
    return &set->slot[at];
}

static int grow(struct intern *set)
{
    size_t slots = set->slots ? set->slots * 2 : FIRST_SLOTS;
    char **text = realloc(set->text, slots / 2 * sizeof *text);
    if (!text)
        return -1;
    set->text = text;
    size_t *slot = calloc(slots, sizeof *slot);
    if (!slot)
        return -1;
    free(set->slot);
    set->slot = slot;
    set->slots = slots;
    for (size_t i = 0; i < set->count; i++)
        *slot_of(set, set->text[i]) = i + 1;
    return 0;
}

const char *intern_clean(struct intern *set, const char *text)
{
    if (!text)
        return NULL;
    char *copy = strdup(text);
    CHECK(copy);
    const char *kept = intern_text(set, text_clean(copy));
    CHECK(kept);
    free(copy);
    return kept;
}

int64_t intern_number(struct intern *set, const char *text)
{
    if (set->count * 2 == set->slots && grow(set) != 0)
        return -1;
    size_t *slot = slot_of(set, text);
    if (*slot)
        return (int64_t)*slot - 1;
    char *copy = strdup(text);
    if (!copy)
        return -1;
    set->text[set->count++] = copy;
    *slot = set->count;
    return (int64_t)set->count - 1;
}

const char *intern_text(struct intern *set, const char *text)
{
    int64_t number = intern_number(set, text);
    return number < 0 ? NULL : set->text[number];
}

size_t intern_count(const struct intern *set)
{
    return set->count;
}

const char *intern_at(const struct intern *set, size_t number)
{
    CHECK(number < set->count);
    return set->text[number];
}

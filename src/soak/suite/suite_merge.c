/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_merge.h"

#include "base/check.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- joining ---- */

static bool same_list(const struct suite *a, const struct suite *b)
{
    if (a->listed_count != b->listed_count)
        return false;
    for (size_t i = 0; i < a->listed_count; i++) {
        if (strcmp(a->listed[i], b->listed[i]) != 0)
            return false;
    }
    return true;
}

static const char *share_text(const struct suite_shard *s, char *buf, size_t size)
{
    if (s->of == 1)
        snprintf(buf, size, "a whole suite");
    else
        snprintf(buf, size, "a shard of %" PRIu64, s->of);
    return buf;
}

static int add_shards(struct suite *ret, const struct suite_part *part, struct err *e)
{
    for (size_t i = 0; i < part->suite.shards; i++) {
        const struct suite_shard *from = &part->suite.shard[i];
        char is[64], was[64];
        if (ret->shards && ret->shard[0].of != from->of)
            return err_set(e,
                           "%.200s is %s, and the first one is %s; merge the shards of one suite",
                           part->path, share_text(from, is, sizeof is),
                           share_text(&ret->shard[0], was, sizeof was));
        if (suite_shard_find(ret, from->index))
            return err_set(e, "%.200s: shard %" PRIu64 " of %" PRIu64 " is there already",
                           part->path, from->index, from->of);
        CHECK(ret->shards < SUITE_SHARDS);
        ret->shard[ret->shards++] = *from;
    }
    return 0;
}

static void *copied(const void *array, size_t bytes)
{
    void *copy = bytes ? malloc(bytes) : NULL;
    CHECK(copy || !bytes);
    return bytes ? memcpy(copy, array, bytes) : NULL;
}

static void copy_entry(struct suite_entry *to, const struct suite_entry *from)
{
    *to = *from;
    to->finding = copied(from->finding, from->findings * sizeof *to->finding);
    to->metric = copied(from->metric, from->metrics * sizeof *to->metric);
}

/* The part in which a scenario was run; a merged suite has an entry, `not run`, for those of a
 * shard that it misses, and another part may bring it. */
static const struct suite_entry *find_run(const struct suite_part *part, size_t count,
                                          const char *name, struct err *e, bool *twice)
{
    const struct suite_part *first = NULL;
    const struct suite_entry *found = NULL;
    for (size_t i = 0; i < count && !*twice; i++) {
        const struct suite_entry *entry = suite_find(&part[i].suite, name);
        if (!entry || (found && entry->outcome == SUITE_NOT_RUN))
            continue;
        *twice = found && found->outcome != SUITE_NOT_RUN;
        if (*twice)
            err_set(e, "%.180s and %.180s: both have run '%.60s'", first->path, part[i].path, name);
        found = entry;
        first = &part[i];
    }
    return found;
}

static int add_entries(struct suite *ret, const struct suite_part *part, size_t count,
                       struct err *e)
{
    uint64_t of = ret->shard[0].of;
    for (size_t i = 0; i < ret->listed_count; i++) {
        bool twice = false;
        const struct suite_entry *from = find_run(part, count, ret->listed[i], e, &twice);
        if (twice)
            return -1;
        struct suite_entry *to = suite_add(ret, ret->listed[i]);
        if (from)
            copy_entry(to, from);
        to->shard = suite_shard_of(i, of);
    }
    return 0;
}

static int check_part(const struct suite_part *first, const struct suite_part *part, struct err *e)
{
    if (!same_list(&first->suite, &part->suite))
        return err_set(e,
                       "%.180s and %.180s: they list different scenarios; they aren't shards of "
                       "one suite",
                       first->path, part->path);
    for (size_t i = 0; i < part->suite.entries; i++) {
        const char *name = part->suite.entry[i].name;
        if (!suite_lists(&part->suite, name))
            return err_set(e, "%.200s: it has run '%.100s', which it doesn't list", part->path,
                           name);
    }
    return 0;
}

int suite_merge(struct suite *ret, const struct suite_part *part, size_t count, struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        if (check_part(&part[0], &part[i], e) != 0 || add_shards(ret, &part[i], e) != 0)
            return -1;
    }
    for (size_t i = 0; i < part[0].suite.listed_count; i++)
        suite_list(ret, part[0].suite.listed[i]);
    return add_entries(ret, part, count, e);
}

/* ---- what is to be told ---- */

static const char *note_missing(const struct suite *s, char *buf, size_t size)
{
    char list[128];
    uint64_t of = s->shard[0].of;
    struct text missing = text_list(list, sizeof list, ", ");
    for (uint64_t k = 1; k <= of; k++) {
        if (!suite_shard_find(s, k))
            text_item(&missing, "%" PRIu64, k);
    }
    if (!missing.used)
        return NULL;
    snprintf(buf, size, "missing: shard %s of %" PRIu64 "; its scenarios count as not run", list,
             of);
    return buf;
}

static const char *note_end(const struct suite *s, size_t i, char *buf, size_t size)
{
    const struct suite_shard *shard = &s->shard[i];
    if (shard->end == SUITE_END_ALL)
        return NULL;
    snprintf(buf, size, "shard %" PRIu64 " of %" PRIu64 " isn't whole: %s", shard->index, shard->of,
             suite_end_text(shard->end));
    return buf;
}

/* What shards may differ in. */
static const struct {
    const char *what;
    size_t offset;
} differences[] = {
    {"versions of soak", offsetof(struct suite_shard, version)},
    {"libraries", offsetof(struct suite_shard, libs)},
    {"machines", offsetof(struct suite_shard, machine)},
    {"options", offsetof(struct suite_shard, options)},
};
enum { DIFFERENCES = sizeof differences / sizeof *differences };

static const char *shard_text(const struct suite_shard *shard, size_t offset)
{
    const char *text = *(const char *const *)((const char *)shard + offset);
    return text ? text : "";
}

static const char *note_difference(const struct suite *s, size_t d, char *buf, size_t size)
{
    const char *first = shard_text(&s->shard[0], differences[d].offset);
    for (size_t i = 1; i < s->shards; i++) {
        const char *other = shard_text(&s->shard[i], differences[d].offset);
        if (!*first || !*other || strcmp(first, other) == 0)
            continue;
        snprintf(buf, size, "the %s differ: %.150s; %.150s", differences[d].what, first, other);
        return buf;
    }
    return NULL;
}

static const char *note_claim(const struct suite *s, size_t i, char *buf, size_t size)
{
    const struct suite_entry *entry = &s->entry[i];
    if (!entry->claimed)
        return NULL;
    snprintf(buf, size, "%.100s was called %s; by %s and 'expect = %.100s' it is %s", entry->name,
             entry->claimed, entry->verdict ? entry->verdict : "no verdict", entry->expect,
             suite_outcome_name(entry->outcome));
    return buf;
}

static const char *note_at(const struct suite *s, size_t place, char *buf, size_t size)
{
    if (place == 0)
        return note_missing(s, buf, size);
    if (place <= s->shards)
        return note_end(s, place - 1, buf, size);
    place -= 1 + s->shards;
    if (place < DIFFERENCES)
        return note_difference(s, place, buf, size);
    return note_claim(s, place - DIFFERENCES, buf, size);
}

const char *suite_note(const struct suite *s, size_t i, char *buf, size_t size)
{
    for (size_t place = 0; place < 1 + s->shards + DIFFERENCES + s->entries; place++) {
        const char *note = note_at(s, place, buf, size);
        if (note && i-- == 0)
            return note;
    }
    return NULL;
}

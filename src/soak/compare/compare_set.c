/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_set.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "base/version.h"

#include <stdlib.h>
#include <string.h>

ENUM_NAMES(compare_state, COMPARE_STATE_LIST)
ENUM_FROM_NAME(compare_state, COMPARE_STATE_LIST)

struct compare_set *compare_set_new(void)
{
    struct compare_set *s = calloc(1, sizeof *s);
    CHECK(s);
    s->texts = intern_new();
    CHECK(s->texts);
    s->version = soak_version;
    s->scenario = s->part = s->given = s->options = "";
    s->tolerance = 0.01;
    s->side = s->program = COMPARE_SIDE_RUN;
    return s;
}

void compare_set_free(struct compare_set *s)
{
    for (size_t i = 0; i < s->entries; i++)
        free(s->entry[i].site);
    intern_free(s->texts);
    free(s);
}

const char *compare_set_text(struct compare_set *s, const char *text)
{
    return intern_clean(s->texts, text);
}

struct compare_entry *compare_set_add(struct compare_set *s, const char *name)
{
    CHECK(s->entries < COMPARE_VERSIONS);
    struct compare_entry *entry = &s->entry[s->entries++];
    entry->name = entry->asked = compare_set_text(s, name);
    return entry;
}

const char *compare_entry_version(const struct compare_entry *entry, const char *part)
{
    for (size_t i = 0; i < entry->mapped_count; i++)
        if (strcmp(entry->mapped[i].part, part) == 0)
            return entry->mapped[i].version;
    return NULL;
}

void compare_entry_drop(struct compare_entry *entry)
{
    CHECK(entry->runs > 0);
    if (--entry->runs > 0)
        return;
    free(entry->site);
    entry->site = NULL;
    entry->sites = entry->server_sites = entry->mapped_count = 0;
    entry->footprint_conns = 0;
    entry->group = NULL;
    entry->other_leaks = false;
}

/* The sites whose figures are meant. */
static struct compare_sites sites_of(const struct compare_entry *entry,
                                     enum compare_measure measure)
{
    if (measure == COMPARE_BY_ALLOCS_SERVER)
        return (struct compare_sites){entry->site, entry->server_sites};
    if (measure == COMPARE_BY_ALLOCS_CLIENT)
        return (struct compare_sites){entry->site + entry->server_sites,
                                      entry->sites - entry->server_sites};
    return (struct compare_sites){entry->site, entry->sites};
}

static void explain(struct compare_set *s, size_t i)
{
    const struct compare_entry *a = &s->entry[i - 1], *b = &s->entry[i];
    if (!a->footprint_conns || !b->footprint_conns)
        return;
    for (int m = 0; m < COMPARE_MEASURES; m++) {
        enum compare_measure measure = (enum compare_measure)m;
        struct compare_sites before = sites_of(a, measure), after = sites_of(b, measure);
        compare_explain(&before, &after, measure, &s->why[i][m]);
    }
}

/* The other way round where the program under test is a client. */
static enum compare_side turned(const struct compare_set *s, enum compare_side side)
{
    if (s->program != COMPARE_SIDE_CLIENT)
        return side;
    return side == COMPARE_SIDE_SERVER   ? COMPARE_SIDE_CLIENT
           : side == COMPARE_SIDE_CLIENT ? COMPARE_SIDE_SERVER
                                         : side;
}

enum compare_side compare_set_judged(const struct compare_set *s)
{
    return s->side == COMPARE_SIDE_RUN ? COMPARE_SIDE_SERVER : turned(s, s->side);
}

const char *compare_set_side_name(const struct compare_set *s, enum compare_side side)
{
    return compare_side_name(turned(s, side));
}

void compare_set_judge(struct compare_set *s)
{
    struct compare_version version[COMPARE_VERSIONS];
    for (size_t i = 0; i < s->entries; i++)
        version[i] = (struct compare_version){s->entry[i].run, s->entry[i].runs};
    struct compare_input input = {.version = version,
                                  .versions = s->entries,
                                  .tolerance = s->tolerance,
                                  .side = compare_set_judged(s),
                                  .footprint = s->footprint};
    compare_judge(&input, &s->judgement);
    memset(s->why, 0, sizeof s->why);
    for (size_t i = 1; i < s->entries; i++)
        explain(s, i);
}

int compare_set_exit_code(const struct compare_set *s)
{
    if (s->state == COMPARE_STATE_STOPPED)
        return EXIT_INTERRUPTED;
    if (s->state == COMPARE_STATE_STUCK)
        return s->failed ? s->failed : EXIT_BROKEN;
    int code = compare_outcome_exit_code(s->judgement.outcome);
    return code == 0 ? s->failed : code;
}

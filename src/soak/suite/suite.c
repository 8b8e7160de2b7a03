/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "stats/judge/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROW = 32 };

ENUM_NAMES(suite_outcome, SUITE_OUTCOME_LIST)
ENUM_FROM_NAME(suite_outcome, SUITE_OUTCOME_LIST)
ENUM_NAMES(suite_end, SUITE_END_LIST)
ENUM_FROM_NAME(suite_end, SUITE_END_LIST)
ENUM_TEXTS(suite_end, SUITE_END_LIST)

const char *suite_unit(const struct suite_entry *entry)
{
    return entry->unit ? entry->unit : unit_name(UNIT_CONNECTION);
}

/* ---- the lists ---- */

void suite_init(struct suite *s)
{
    *s = (struct suite){.texts = intern_new()};
    CHECK(s->texts);
}

void suite_free(struct suite *s)
{
    for (size_t i = 0; i < s->entries; i++) {
        free(s->entry[i].metric);
        free(s->entry[i].finding);
    }
    free(s->entry);
    free(s->listed);
    intern_free(s->texts);
}

const char *suite_text(struct suite *s, const char *text)
{
    return intern_clean(s->texts, text);
}

/* Room for one more in an array of `count`. */
static void *grown(void *array, size_t count, size_t size)
{
    if (count % GROW)
        return array;
    array = realloc(array, (count + GROW) * size);
    CHECK(array);
    return array;
}

size_t suite_list(struct suite *s, const char *name)
{
    s->listed = grown(s->listed, s->listed_count, sizeof *s->listed);
    s->listed[s->listed_count] = suite_text(s, name);
    return s->listed_count++;
}

bool suite_lists(const struct suite *s, const char *name)
{
    for (size_t i = 0; i < s->listed_count; i++) {
        if (strcmp(s->listed[i], name) == 0)
            return true;
    }
    return false;
}

struct suite_entry *suite_add(struct suite *s, const char *name)
{
    s->entry = grown(s->entry, s->entries, sizeof *s->entry);
    struct suite_entry *entry = &s->entry[s->entries++];
    name = suite_text(s, name);
    *entry = (struct suite_entry){.name = name,
                                  .file = name,
                                  .expect = suite_text(s, "pass"),
                                  .outcome = SUITE_NOT_RUN,
                                  .exit = SUITE_NO_EXIT};
    return entry;
}

struct suite_entry *suite_find(const struct suite *s, const char *name)
{
    for (size_t i = 0; i < s->entries; i++) {
        if (strcmp(s->entry[i].name, name) == 0)
            return &s->entry[i];
    }
    return NULL;
}

struct suite_metric *suite_metric_add(struct suite_entry *entry)
{
    if (entry->metrics == SUITE_METRICS)
        return NULL;
    entry->metric = grown(entry->metric, entry->metrics, sizeof *entry->metric);
    struct suite_metric *m = &entry->metric[entry->metrics++];
    *m = (struct suite_metric){.per_conn = NAN, .limit = NAN};
    return m;
}

struct suite_finding *suite_finding_add(struct suite_entry *entry)
{
    if (entry->findings == SUITE_FINDINGS)
        return NULL;
    entry->finding = grown(entry->finding, entry->findings, sizeof *entry->finding);
    struct suite_finding *f = &entry->finding[entry->findings++];
    *f = (struct suite_finding){.file = NULL};
    return f;
}

struct suite_subject *suite_subject_add(struct suite_entry *entry)
{
    if (entry->subjects == SUITE_SUBJECTS)
        return NULL;
    struct suite_subject *subject = &entry->subject[entry->subjects++];
    *subject = (struct suite_subject){.name = NULL};
    return subject;
}

const struct suite_subject *suite_subject_find(const struct suite_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->subjects; i++) {
        if (strcmp(entry->subject[i].name, name) == 0)
            return &entry->subject[i];
    }
    return NULL;
}

enum expect_subject suite_tested(const struct suite_entry *entry)
{
    enum expect_subject first =
        entry->subjects ? expect_subject_of(entry->subject[0].name) : EXPECT_SERVER;
    return first == EXPECT_CLIENT ? EXPECT_CLIENT : EXPECT_SERVER;
}

const struct suite_subject *suite_lead(const struct suite_entry *entry)
{
    for (size_t i = 0; i < entry->subjects; i++) {
        if (strcmp(entry->subject[i].verdict, verdict_name(VERDICT_LEAK)) == 0)
            return &entry->subject[i];
    }
    return entry->subjects ? &entry->subject[0] : NULL;
}

const struct suite_shard *suite_shard_find(const struct suite *s, uint64_t index)
{
    for (size_t i = 0; i < s->shards; i++) {
        if (s->shard[i].index == index)
            return &s->shard[i];
    }
    return NULL;
}

uint64_t suite_shard_of(size_t place, uint64_t of)
{
    return place % of + 1;
}

/* ---- the whole ---- */

void suite_count(const struct suite *s, struct suite_totals *ret)
{
    *ret = (struct suite_totals){.scenarios = s->entries};
    for (size_t i = 0; i < s->entries; i++) {
        const struct suite_entry *entry = &s->entry[i];
        ret->outcome[entry->outcome]++;
        ret->closed += entry->closed;
        ret->measured += entry->measured;
        ret->seconds += entry->seconds;
    }
}

size_t suite_open(const struct suite_totals *t)
{
    const size_t *n = t->outcome;
    return n[SUITE_UNSURE] + n[SUITE_INTERRUPTED] + n[SUITE_SKIPPED] + n[SUITE_NOT_RUN];
}

int suite_exit_code(const struct suite_totals *t)
{
    const size_t *n = t->outcome;
    if (n[SUITE_UNMET])
        return EXIT_FOUND;
    if (n[SUITE_BROKEN])
        return EXIT_BROKEN;
    return suite_open(t) ? EXIT_INCONCLUSIVE : 0;
}

bool suite_failed(enum suite_outcome o)
{
    return o == SUITE_UNMET || o == SUITE_BROKEN;
}

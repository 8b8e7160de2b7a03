#include "suite.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_UNMET = 1, EXIT_UNSURE = 3, EXIT_BROKEN = 4, EXIT_INTERRUPTED = 130, GROW = 32 };

const char *suite_outcome_word(enum suite_outcome o)
{
    static const char *const words[] = {
#define X(id, word) word,
        SUITE_OUTCOME_LIST(X)
#undef X
    };
    CHECK((size_t)o < SUITE_OUTCOMES);
    return words[o];
}

const char *suite_end_word(enum suite_end end)
{
    static const char *const words[] = {
#define X(id, word, text) word,
        SUITE_END_LIST(X)
#undef X
    };
    CHECK((size_t)end < SUITE_ENDS);
    return words[end];
}

const char *suite_end_text(enum suite_end end)
{
    static const char *const texts[] = {
#define X(id, word, text) text,
        SUITE_END_LIST(X)
#undef X
    };
    CHECK((size_t)end < SUITE_ENDS);
    return texts[end];
}

/* ---- the lists ---- */

void suite_init(struct suite *s)
{
    *s = (struct suite){.texts = intern_new()};
    CHECK(s->texts);
}

void suite_free(struct suite *s)
{
    for (size_t i = 0; i < s->entries; i++)
        free(s->entry[i].metric);
    free(s->entry);
    free(s->listed);
    intern_free(s->texts);
}

/* jansson alone knows whether a text is UTF-8. */
static bool is_utf8(const char *text)
{
    json_t *string = json_string(text);
    json_decref(string);
    return string;
}

const char *suite_text(struct suite *s, const char *text)
{
    if (!text)
        return NULL;
    char *copy = strdup(text);
    CHECK(copy);
    bool good = is_utf8(copy);
    for (char *p = copy; *p && !good; p++)
        *p = (unsigned char)*p < 0x80 ? *p : '?';
    const char *kept = intern_text(s->texts, copy);
    CHECK(kept);
    free(copy);
    return kept;
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
    *entry = (struct suite_entry){
        .name = name, .file = name, .expect = suite_text(s, "pass"), .outcome = SUITE_NOT_RUN};
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

uint64_t suite_shard_of(size_t place, uint64_t of)
{
    return place % of + 1;
}

/* ---- what came of a run ---- */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static uint64_t count_of(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static void take_metrics(struct suite *s, struct suite_entry *entry, const json_t *subject)
{
    const json_t *metrics = json_object_get(subject, "metrics");
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        const json_t *metric = json_array_get(metrics, i);
        struct suite_metric *m = suite_metric_add(entry);
        if (!m)
            return;
        m->subject = suite_text(s, text_of(subject, "name"));
        m->id = suite_text(s, text_of(metric, "id"));
        m->unit = suite_text(s, text_of(metric, "unit"));
        m->verdict = suite_text(s, text_of(metric, "verdict"));
        m->per_conn = number_of(metric, "per_conn");
        m->limit = number_of(metric, "limit");
    }
}

static bool is_leak(const json_t *object)
{
    const char *verdict = text_of(object, "verdict");
    return verdict && strcmp(verdict, verdict_word(VERDICT_LEAK)) == 0;
}

/* The kind and the place of the first leak; a subject's findings begin with the one to blame. */
static void take_blame(struct suite *s, struct suite_entry *entry, const json_t *subject)
{
    const json_t *first = json_array_get(json_object_get(subject, "sites"), 0);
    const char *file = text_of(first, "file");
    char place[EXPECT_SITE + 32];
    if (entry->kind || !is_leak(subject))
        return;
    entry->kind = suite_text(s, text_of(subject, "kind"));
    if (!file)
        return;
    snprintf(place, sizeof place, "%.*s:%" JSON_INTEGER_FORMAT, EXPECT_SITE, file,
             json_integer_value(json_object_get(first, "line")));
    entry->site = suite_text(s, place);
}

/* Whether the findings of all subjects meet what was expected. */
static bool meets(const struct expect *expect, const json_t *document)
{
    struct expect_finding finding[128];
    struct expect_run run = {.verdict = text_of(document, "verdict"), .finding = finding};
    size_t count = 0;
    const json_t *subjects = json_object_get(document, "subjects");
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *subject = json_array_get(subjects, i), *sites;
        enum expect_subject who = expect_subject_of(text_of(subject, "name"));
        if (who == EXPECT_SERVER)
            run.server = text_of(subject, "verdict");
        if (who == EXPECT_CLIENT)
            run.client = text_of(subject, "verdict");
        sites = json_object_get(subject, "sites");
        for (size_t j = 0; j < json_array_size(sites); j++) {
            const json_t *site = json_array_get(sites, j);
            if (count == sizeof finding / sizeof *finding)
                break;
            finding[count++] = (struct expect_finding){
                .subject = who,
                .verdict = text_of(site, "verdict"),
                .kind = text_of(site, "kind"),
                .file = text_of(site, "file"),
                .line = (uint32_t)json_integer_value(json_object_get(site, "line"))};
        }
    }
    run.count = count;
    return expect_met(expect, &run);
}

static bool is_verdict(const struct suite_entry *entry, enum verdict v)
{
    return entry->verdict && strcmp(entry->verdict, verdict_word(v)) == 0;
}

/* A run that says one thing and exits with another (it couldn't write its result, the server
 * crashed beside the leak) is broken, whatever was expected. */
static bool consistent(const struct suite_entry *entry, int exit_code)
{
    for (int v = VERDICT_PASS; v <= VERDICT_INVALID; v++) {
        if (is_verdict(entry, (enum verdict)v))
            return verdict_exit_code((enum verdict)v) == exit_code;
    }
    return false;
}

static enum suite_outcome outcome_of(const struct suite_entry *entry, const struct expect *expect,
                                     const struct suite_run *run)
{
    bool met = meets(expect, run->document);
    if (!met && is_verdict(entry, VERDICT_LEAK))
        return SUITE_UNMET; /* an interrupt doesn't take a leak back */
    if (run->exit_code == EXIT_INTERRUPTED)
        return SUITE_INTERRUPTED;
    if (met)
        return consistent(entry, run->exit_code) ? SUITE_MET : SUITE_BROKEN;
    if (!consistent(entry, run->exit_code) || is_verdict(entry, VERDICT_INVALID))
        return SUITE_BROKEN;
    return is_verdict(entry, VERDICT_INCONCLUSIVE) ? SUITE_UNSURE : SUITE_UNMET;
}

void suite_judge(struct suite *s, struct suite_entry *entry, const struct expect *expect,
                 const struct suite_run *run)
{
    const json_t *load = json_object_get(run->document, "run");
    const json_t *subjects = json_object_get(run->document, "subjects");
    entry->verdict = suite_text(s, text_of(run->document, "verdict"));
    entry->outcome = outcome_of(entry, expect, run);
    entry->said = suite_text(s, run->said[0] ? run->said : "it left no result and said nothing");
    entry->seed = suite_text(s, text_of(load, "seed"));
    entry->run_dir = suite_text(s, text_of(run->document, "run_dir"));
    entry->closed = count_of(load, "closed");
    entry->measured = count_of(load, "measured");
    entry->seconds = run->seconds;
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        take_blame(s, entry, json_array_get(subjects, i));
        take_metrics(s, entry, json_array_get(subjects, i));
    }
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

int suite_exit_code(const struct suite_totals *t)
{
    const size_t *n = t->outcome;
    if (n[SUITE_UNMET])
        return EXIT_UNMET;
    if (n[SUITE_BROKEN])
        return EXIT_BROKEN;
    return n[SUITE_UNSURE] || n[SUITE_INTERRUPTED] || n[SUITE_NOT_RUN] ? EXIT_UNSURE : 0;
}

bool suite_failed(enum suite_outcome o)
{
    return o == SUITE_UNMET || o == SUITE_BROKEN;
}

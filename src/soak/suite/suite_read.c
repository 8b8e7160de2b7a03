/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_course.h"
#include "suite_json.h"

#include "base/check.h"
#include "base/words.h"
#include "report/json_util.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* So that the totals of SUITE_SCENARIOS fit. */
static const int64_t COUNT_LIMIT = INT64_C(1) << 50;
static const double SECONDS_LIMIT = 1e9;

static int read_text(struct suite *s, const struct suite_field *f, const json_t *value,
                     const char **ret, struct err *e)
{
    const char *text = json_string_value(value);
    if (!text && !(f->type == SUITE_FIELD_TEXT && json_is_null(value)))
        return err_set(e, "'%s' is not a text", f->key);
    if (text &&
        (json_string_length(value) > SUITE_TEXT || strlen(text) < json_string_length(value)))
        return err_set(e, "'%s' is longer than %d bytes or holds a zero", f->key, SUITE_TEXT);
    *ret = suite_text(s, text);
    return 0;
}

static int read_count(const struct suite_field *f, const json_t *value, uint64_t *ret,
                      struct err *e)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > COUNT_LIMIT)
        return err_set(e, "'%s' is not a count", f->key);
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_number(const struct suite_field *f, const json_t *value, double *ret, struct err *e)
{
    if (!json_is_number(value) && !json_is_null(value))
        return err_set(e, "'%s' is not a number", f->key);
    *ret = json_is_null(value) ? NAN : json_number_value(value);
    return 0;
}

static int read_exit(const json_t *value, int *ret, struct err *e)
{
    json_int_t code = json_is_null(value) ? SUITE_NO_EXIT : json_integer_value(value);
    if ((!json_is_integer(value) && !json_is_null(value)) || code < SUITE_NO_EXIT || code > 255)
        return err_set(e, "'exit' is not an exit code");
    *ret = (int)code;
    return 0;
}

static int read_outcome(const json_t *value, enum suite_outcome *ret, struct err *e)
{
    if (suite_outcome_from_name(json_string_value(value), ret))
        return 0;
    return err_set(e, "'outcome' is none of this version's words");
}

static int read_end(const json_t *value, enum suite_end *ret, struct err *e)
{
    if (suite_end_from_name(json_string_value(value), ret))
        return 0;
    return err_set(e, "'end' is none of this version's words");
}

static int read_field(struct suite *s, const struct suite_field *f, const json_t *value,
                      void *object, struct err *e)
{
    void *at = (char *)object + f->offset;
    switch (f->type) {
    case SUITE_FIELD_TEXT:
    case SUITE_FIELD_NAME:
        return read_text(s, f, value, at, e);
    case SUITE_FIELD_COUNT:
        return read_count(f, value, at, e);
    case SUITE_FIELD_NUMBER:
        return read_number(f, value, at, e);
    case SUITE_FIELD_EXIT:
        return read_exit(value, at, e);
    case SUITE_FIELD_OUTCOME:
        return read_outcome(value, at, e);
    case SUITE_FIELD_END:
        return read_end(value, at, e);
    }
    check_fail(__FILE__, __LINE__, "every field type has a case");
}

static int read_fields(struct suite *s, const struct suite_fields *fields, const json_t *value,
                       void *object, struct err *e)
{
    if (!json_is_object(value))
        return err_set(e, "not an object");
    for (size_t i = 0; i < fields->count; i++) {
        const struct suite_field *f = &fields->field[i];
        if (read_field(s, f, json_object_get(value, f->key), object, e) != 0)
            return -1;
    }
    return 0;
}

/* An array of at most `limit`, or NULL. */
static const json_t *array_of(const json_t *object, const char *key, size_t limit, struct err *e)
{
    const json_t *array = json_object_get(object, key);
    if (json_is_array(array) && json_array_size(array) <= limit)
        return array;
    err_set(e, "'%s' is not a list of at most %zu", key, limit);
    return NULL;
}

/* A list of objects in an entry. */
struct list {
    const char *key, *word;
    size_t limit;
    const struct suite_fields *fields;
    void *(*add)(struct suite_entry *entry);
    int (*check)(const struct suite_entry *entry, const void *object, struct err *e);
};

static void *add_subject(struct suite_entry *entry)
{
    return suite_subject_add(entry);
}

static void *add_finding(struct suite_entry *entry)
{
    return suite_finding_add(entry);
}

static void *add_metric(struct suite_entry *entry)
{
    return suite_metric_add(entry);
}

/* Appends what `add` makes room for, from each object of the list `key`. */
static int read_list(struct suite *s, struct suite_entry *entry, const json_t *value,
                     const struct list *list, struct err *e)
{
    const json_t *array = array_of(value, list->key, list->limit, e);
    if (!array)
        return -1;
    for (size_t i = 0; i < json_array_size(array); i++) {
        void *object = list->add(entry);
        if (read_fields(s, list->fields, json_array_get(array, i), object, e) != 0 ||
            list->check(entry, object, e) != 0)
            return err_prefix(e, "%s %zu", list->word, i + 1);
    }
    return 0;
}

/* ---- checks of what was read ---- */

static int check_verdict(const char *verdict, struct err *e)
{
    enum verdict known;
    if (verdict_from_name(verdict, &known))
        return 0;
    return err_set(e, "'verdict' is none of this version's words");
}

static int check_kind(const char *kind, struct err *e)
{
    enum kind known;
    if (!kind || kind_from_name(kind, &known))
        return 0;
    return err_set(e, "'kind' is none of this version's words");
}

static int check_subject(const struct suite_entry *entry, const void *object, struct err *e)
{
    const struct suite_subject *subject = object;
    if (suite_subject_find(entry, subject->name) != subject)
        return err_set(e, "'%.100s' is there already", subject->name);
    return check_verdict(subject->verdict, e) == 0 ? check_kind(subject->kind, e) : -1;
}

static int check_finding(const struct suite_entry *entry, const void *object, struct err *e)
{
    const struct suite_finding *finding = object;
    if (!suite_subject_find(entry, finding->subject))
        return err_set(e, "there is no subject '%.100s'", finding->subject);
    if (finding->line > UINT32_MAX)
        return err_set(e, "'line' is not a line's number");
    return check_verdict(finding->verdict, e) == 0 ? check_kind(finding->kind, e) : -1;
}

static int check_metric(const struct suite_entry *entry, const void *object, struct err *e)
{
    const struct suite_metric *metric = object;
    return suite_subject_find(entry, metric->subject)
               ? 0
               : err_set(e, "there is no subject '%.100s'", metric->subject);
}

static bool is_time(const char *text)
{
    struct tm when;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &when);
    return end && !*end;
}

/* `server/defect.c:41` */
static bool is_place(const char *text)
{
    const char *colon = strrchr(text, ':');
    return colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")];
}

static int check_texts(const struct suite_entry *entry, struct err *e)
{
    static const char hex[] = "0123456789abcdef", upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct expect expect;
    if (expect_parse(entry->expect, &expect, e) != 0)
        return err_prefix(e, "'expect'");
    if (entry->verdict && (!*entry->verdict || entry->verdict[strspn(entry->verdict, upper)]))
        return err_set(e, "'verdict' is none of this version's words");
    if (entry->seed && (strlen(entry->seed) > 16 || entry->seed[strspn(entry->seed, hex)]))
        return err_set(e, "'seed' is not a seed");
    if (entry->started && !is_time(entry->started))
        return err_set(e, "'started' is not a time, such as 2026-11-28T11:05:21Z");
    if (entry->site && !is_place(entry->site))
        return err_set(e, "'site' is not a file and a line, such as server/defect.c:41");
    return check_kind(entry->kind, e);
}

static int check_numbers(const struct suite_entry *entry, struct err *e)
{
    if (!isfinite(entry->seconds) || entry->seconds < 0 || entry->seconds > SECONDS_LIMIT)
        return err_set(e, "'seconds' is not a duration");
    if (entry->shard == 0 || entry->shard > SUITE_SHARDS)
        return err_set(e, "'shard' is not a shard");
    return 0;
}

/* A verdict that its own subjects contradict. */
static int check_leak(const struct suite_entry *entry, struct err *e)
{
    for (size_t i = 0; i < entry->subjects; i++) {
        const struct suite_subject *subject = &entry->subject[i];
        if (strcmp(subject->verdict, verdict_name(VERDICT_LEAK)) == 0 &&
            suite_is(entry, VERDICT_PASS))
            return err_set(e, "'verdict' is PASS beside the %.100s's LEAK", subject->name);
    }
    return 0;
}

/* The outcome is derived again: it is never believed. */
static void derive(struct suite *s, struct suite_entry *entry)
{
    enum suite_outcome outcome = suite_outcome_of(entry);
    if (outcome != entry->outcome)
        entry->claimed = suite_text(s, suite_outcome_name(entry->outcome));
    entry->outcome = outcome;
}

static const struct list subject_list = {
    "subjects", "subject", SUITE_SUBJECTS, &suite_subject_fields, add_subject, check_subject};
static const struct list finding_list = {
    "findings", "finding", SUITE_FINDINGS, &suite_finding_fields, add_finding, check_finding};
static const struct list metric_list = {
    "metrics", "metric", SUITE_METRICS, &suite_metric_fields, add_metric, check_metric};

static int read_entry(struct suite *s, const json_t *value, struct err *e)
{
    struct suite_entry read = {.name = NULL};
    if (read_fields(s, &suite_entry_fields, value, &read, e) != 0)
        return -1;
    if (suite_find(s, read.name))
        return err_set(e, "'%.100s' is there already", read.name);
    if (check_texts(&read, e) != 0 || check_numbers(&read, e) != 0)
        return -1;
    struct suite_entry *entry = suite_add(s, read.name);
    *entry = read;
    if (read_list(s, entry, value, &subject_list, e) != 0 ||
        read_list(s, entry, value, &finding_list, e) != 0 ||
        read_list(s, entry, value, &metric_list, e) != 0 ||
        suite_course_read(s, entry, json_object_get(value, "course"), e) != 0 ||
        check_leak(entry, e) != 0)
        return -1;
    derive(s, entry);
    return 0;
}

static int read_entries(struct suite *s, const json_t *root, struct err *e)
{
    const json_t *entries = array_of(root, "scenarios", SUITE_SCENARIOS, e);
    if (!entries)
        return -1;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        if (read_entry(s, json_array_get(entries, i), e) != 0)
            return err_prefix(e, "scenario %zu", i + 1);
    }
    return 0;
}

static int read_shards(struct suite *s, const json_t *root, struct err *e)
{
    const json_t *shards = array_of(root, "shards", SUITE_SHARDS, e);
    if (!shards)
        return -1;
    for (size_t i = 0; i < json_array_size(shards); i++) {
        struct suite_shard *shard = &s->shard[s->shards++];
        if (read_fields(s, &suite_shard_fields, json_array_get(shards, i), shard, e))
            return err_prefix(e, "shard %zu", i + 1);
        if (shard->options && !words_are_quoted(shard->options))
            return err_set(e, "shard %zu: 'options' are not quoted for a shell", i + 1);
        if (shard->of > SUITE_SHARDS || shard->index == 0 || shard->index > shard->of)
            return err_set(e, "shard %zu: there is no shard %" PRIu64 " of %" PRIu64, i + 1,
                           shard->index, shard->of);
    }
    return s->shards ? 0 : err_set(e, "it names no shard");
}

static int read_listed(struct suite *s, const json_t *root, struct err *e)
{
    static const struct suite_field name = {"listed", SUITE_FIELD_NAME, 0};
    const json_t *listed = array_of(root, "listed", SUITE_SCENARIOS, e);
    if (!listed)
        return -1;
    for (size_t i = 0; i < json_array_size(listed); i++) {
        const char *text;
        if (read_text(s, &name, json_array_get(listed, i), &text, e) != 0)
            return -1;
        if (suite_lists(s, text))
            return err_set(e, "'listed' has '%.100s' twice", text);
        suite_list(s, text);
    }
    return 0;
}

static int suite_parse(struct suite *s, const json_t *root, struct err *e)
{
    const char *said = json_string_value(json_object_get(root, "schema"));
    if (!json_is_object(root) || !said || strcmp(said, SUITE_SCHEMA) != 0)
        return err_set(e, "not a suite of soak's (%s)", SUITE_SCHEMA);
    if (read_listed(s, root, e) != 0 || read_shards(s, root, e) != 0)
        return -1;
    return read_entries(s, root, e);
}

int suite_load(struct suite *s, const char *path, struct err *e)
{
    json_t *root = json_load(path, e);
    if (!root)
        return -1;
    int rc = suite_parse(s, root, e);
    json_decref(root);
    return rc == 0 ? 0 : err_prefix(e, "%.300s", path);
}

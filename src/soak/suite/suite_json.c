/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_json.h"

#include "base/check.h"
#include "report/json_util.h"
#include "suite_course.h"
#include "suite_text.h"

#include <stdlib.h>

/* ---- the keys ---- */

#define FIELD(key, type, of)                                                                       \
    {                                                                                              \
#key, SUITE_FIELD_##type, offsetof(struct suite_##of, key)                                 \
    }
static const struct suite_field metric_field[] = {
    FIELD(subject, NAME, metric),    FIELD(id, NAME, metric),      FIELD(unit, TEXT, metric),
    FIELD(per_conn, NUMBER, metric), FIELD(limit, NUMBER, metric), FIELD(verdict, NAME, metric),
};
static const struct suite_field subject_field[] = {
    FIELD(name, NAME, subject),
    FIELD(verdict, NAME, subject),
    FIELD(kind, TEXT, subject),
};
static const struct suite_field finding_field[] = {
    FIELD(subject, NAME, finding), FIELD(verdict, NAME, finding), FIELD(kind, NAME, finding),
    FIELD(file, TEXT, finding),    FIELD(line, COUNT, finding),
};
static const struct suite_field entry_field[] = {
    FIELD(name, NAME, entry),       FIELD(file, NAME, entry),      FIELD(expect, NAME, entry),
    FIELD(outcome, OUTCOME, entry), FIELD(verdict, TEXT, entry),   FIELD(kind, TEXT, entry),
    FIELD(site, TEXT, entry),       FIELD(said, TEXT, entry),      FIELD(seed, TEXT, entry),
    FIELD(run_dir, TEXT, entry),    FIELD(shard, COUNT, entry),    FIELD(closed, COUNT, entry),
    FIELD(measured, COUNT, entry),  FIELD(seconds, NUMBER, entry), FIELD(exit, EXIT, entry),
    FIELD(started, TEXT, entry),    FIELD(libs, TEXT, entry),      FIELD(unit, TEXT, entry),
};
static const struct suite_field shard_field[] = {
    FIELD(index, COUNT, shard),  FIELD(of, COUNT, shard),     FIELD(end, END, shard),
    FIELD(version, NAME, shard), FIELD(libs, TEXT, shard),    FIELD(machine, TEXT, shard),
    FIELD(host, TEXT, shard),    FIELD(started, TEXT, shard), FIELD(options, TEXT, shard),
    FIELD(folder, TEXT, shard),
};
const struct suite_fields suite_metric_fields = JSON_FIELDS(metric_field);
const struct suite_fields suite_subject_fields = JSON_FIELDS(subject_field);
const struct suite_fields suite_finding_fields = JSON_FIELDS(finding_field);
const struct suite_fields suite_entry_fields = JSON_FIELDS(entry_field);
const struct suite_fields suite_shard_fields = JSON_FIELDS(shard_field);

/* ---- writing ---- */

static json_t *field_json(const struct suite_field *f, const void *object)
{
    const void *at = (const char *)object + f->offset;
    switch (f->type) {
    case SUITE_FIELD_TEXT:
    case SUITE_FIELD_NAME:
        return json_from_text(*(const char *const *)at);
    case SUITE_FIELD_COUNT:
        return json_from_count(*(const uint64_t *)at);
    case SUITE_FIELD_NUMBER:
        return json_from_number(*(const double *)at);
    case SUITE_FIELD_EXIT:
        return *(const int *)at >= 0 ? json_integer(*(const int *)at) : json_null();
    case SUITE_FIELD_OUTCOME:
        return json_string(suite_outcome_name(*(const enum suite_outcome *)at));
    case SUITE_FIELD_END:
        return json_string(suite_end_name(*(const enum suite_end *)at));
    }
    check_fail(__FILE__, __LINE__, "every field type has a case");
}

static json_t *fields_json(const struct suite_fields *fields, const void *object)
{
    json_t *made = json_object();
    for (size_t i = 0; i < fields->count; i++)
        json_object_set_new(made, fields->field[i].key, field_json(&fields->field[i], object));
    return made;
}

static json_t *entry_json(const struct suite_entry *entry)
{
    json_t *made = fields_json(&suite_entry_fields, entry);
    json_t *subjects = json_array(), *findings = json_array(), *metrics = json_array();
    for (size_t i = 0; i < entry->subjects; i++)
        json_array_append_new(subjects, fields_json(&suite_subject_fields, &entry->subject[i]));
    for (size_t i = 0; i < entry->findings; i++)
        json_array_append_new(findings, fields_json(&suite_finding_fields, &entry->finding[i]));
    for (size_t i = 0; i < entry->metrics; i++)
        json_array_append_new(metrics, fields_json(&suite_metric_fields, &entry->metric[i]));
    json_object_set_new(made, "subjects", subjects);
    json_object_set_new(made, "findings", findings);
    json_object_set_new(made, "metrics", metrics);
    json_object_set_new(made, "course", suite_course_json(&entry->course));
    return made;
}

static json_t *totals_json(const struct suite_totals *t)
{
    json_t *outcomes = json_object();
    for (size_t o = 0; o < SUITE_OUTCOMES; o++)
        json_object_set_new(outcomes, suite_outcome_name((enum suite_outcome)o),
                            json_from_count(t->outcome[o]));
    return json_pack("{s:I,s:o,s:I,s:I,s:f}", "scenarios", (json_int_t)t->scenarios, "outcomes",
                     outcomes, "closed", (json_int_t)t->closed, "measured", (json_int_t)t->measured,
                     "seconds", t->seconds);
}

static json_t *document(const struct suite *s)
{
    struct suite_totals totals;
    json_t *shards = json_array(), *listed = json_array(), *entries = json_array();
    suite_count(s, &totals);
    for (size_t i = 0; i < s->shards; i++)
        json_array_append_new(shards, fields_json(&suite_shard_fields, &s->shard[i]));
    for (size_t i = 0; i < s->listed_count; i++)
        json_array_append_new(listed, json_string(s->listed[i]));
    for (size_t i = 0; i < s->entries; i++)
        json_array_append_new(entries, entry_json(&s->entry[i]));
    return json_pack("{s:s,s:i,s:o,s:o,s:o,s:o}", "schema", SUITE_SCHEMA, "exit",
                     suite_exit_code(&totals), "totals", totals_json(&totals), "shards", shards,
                     "listed", listed, "scenarios", entries);
}

static void write_json(const void *ctx, FILE *out)
{
    char *text = suite_dump(ctx);
    if (text)
        fputs(text, out);
    free(text);
}

static void write_junit(const void *ctx, FILE *out)
{
    suite_junit(ctx, out);
}

static void write_markdown(const void *ctx, FILE *out)
{
    suite_markdown(ctx, out);
}

struct outputs suite_outputs(const char *json, const struct suite_forms *forms)
{
    return (struct outputs){.output = {{"json", json, write_json, false},
                                       {"junit", forms->junit, write_junit, true},
                                       {"markdown", forms->markdown, write_markdown, false}},
                            .count = 1 + SUITE_FORMS};
}

char *suite_dump(const struct suite *s)
{
    return json_document(document(s));
}

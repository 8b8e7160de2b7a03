#include "suite_json.h"

#include "base/check.h"
#include "base/input.h"
#include "report/document.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 4096 };
static const char schema[] = "soak-suite/1";

/* TEXT may be null, NAME may not; NUMBER is null where it is NAN. */
enum field_type { TEXT, NAME, COUNT, NUMBER, OUTCOME, END };

struct field {
    const char *key;
    enum field_type type;
    size_t offset;
};

#define FIELD(key, type, of)                                                                       \
    {                                                                                              \
#key, type, offsetof(struct suite_##of, key)                                               \
    }
static const struct field metric_fields[] = {
    FIELD(subject, NAME, metric),    FIELD(id, NAME, metric),      FIELD(unit, TEXT, metric),
    FIELD(per_conn, NUMBER, metric), FIELD(limit, NUMBER, metric), FIELD(verdict, NAME, metric),
};
static const struct field entry_fields[] = {
    FIELD(name, NAME, entry),       FIELD(file, NAME, entry),      FIELD(expect, NAME, entry),
    FIELD(outcome, OUTCOME, entry), FIELD(verdict, TEXT, entry),   FIELD(kind, TEXT, entry),
    FIELD(site, TEXT, entry),       FIELD(said, TEXT, entry),      FIELD(seed, TEXT, entry),
    FIELD(run_dir, TEXT, entry),    FIELD(shard, COUNT, entry),    FIELD(closed, COUNT, entry),
    FIELD(measured, COUNT, entry),  FIELD(seconds, NUMBER, entry),
};
static const struct field shard_fields[] = {
    FIELD(index, COUNT, shard),  FIELD(of, COUNT, shard),     FIELD(end, END, shard),
    FIELD(version, NAME, shard), FIELD(libs, TEXT, shard),    FIELD(machine, TEXT, shard),
    FIELD(host, TEXT, shard),    FIELD(started, TEXT, shard), FIELD(options, TEXT, shard),
    FIELD(folder, TEXT, shard),
};
#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* ---- writing ---- */

static json_t *text_json(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *field_json(const struct field *f, const void *object)
{
    const void *at = (const char *)object + f->offset;
    switch (f->type) {
    case TEXT:
    case NAME:
        return text_json(*(const char *const *)at);
    case COUNT:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case NUMBER:
        return isfinite(*(const double *)at) ? json_real(*(const double *)at) : json_null();
    case OUTCOME:
        return json_string(suite_outcome_word(*(const enum suite_outcome *)at));
    case END:
        return json_string(suite_end_word(*(const enum suite_end *)at));
    }
    check_fail(__FILE__, __LINE__, "every field type has a case");
}

static json_t *fields_json(const struct field *field, size_t count, const void *object)
{
    json_t *made = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(made, field[i].key, field_json(&field[i], object));
    return made;
}

static json_t *entry_json(const struct suite_entry *entry)
{
    json_t *made = fields_json(entry_fields, LENGTH(entry_fields), entry);
    json_t *metrics = json_array();
    for (size_t i = 0; i < entry->metrics; i++)
        json_array_append_new(metrics,
                              fields_json(metric_fields, LENGTH(metric_fields), &entry->metric[i]));
    json_object_set_new(made, "metrics", metrics);
    return made;
}

static json_t *totals_json(const struct suite_totals *t)
{
    json_t *outcomes = json_object();
    for (size_t o = 0; o < SUITE_OUTCOMES; o++)
        json_object_set_new(outcomes, suite_outcome_word((enum suite_outcome)o),
                            json_integer((json_int_t)t->outcome[o]));
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
        json_array_append_new(shards,
                              fields_json(shard_fields, LENGTH(shard_fields), &s->shard[i]));
    for (size_t i = 0; i < s->listed_count; i++)
        json_array_append_new(listed, json_string(s->listed[i]));
    for (size_t i = 0; i < s->entries; i++)
        json_array_append_new(entries, entry_json(&s->entry[i]));
    return json_pack("{s:s,s:i,s:o,s:o,s:o,s:o}", "schema", schema, "exit",
                     suite_exit_code(&totals), "totals", totals_json(&totals), "shards", shards,
                     "listed", listed, "scenarios", entries);
}

char *suite_dump(const struct suite *s)
{
    return document_text(document(s));
}

/* ---- reading ---- */

static int read_text(struct suite *s, const struct field *f, const json_t *value, const char **ret,
                     struct err *e)
{
    const char *text = json_string_value(value);
    if (!text && !(f->type == TEXT && json_is_null(value)))
        return err_set(e, "'%s' is no text", f->key);
    if (text &&
        (json_string_length(value) > TEXT_LIMIT || strlen(text) < json_string_length(value)))
        return err_set(e, "'%s' is longer than %d bytes or holds a zero", f->key, TEXT_LIMIT);
    *ret = suite_text(s, text);
    return 0;
}

static int read_count(const struct field *f, const json_t *value, uint64_t *ret, struct err *e)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return err_set(e, "'%s' is no count", f->key);
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_number(const struct field *f, const json_t *value, double *ret, struct err *e)
{
    if (!json_is_number(value) && !json_is_null(value))
        return err_set(e, "'%s' is no number", f->key);
    *ret = json_is_null(value) ? NAN : json_number_value(value);
    return 0;
}

static int read_outcome(const json_t *value, enum suite_outcome *ret, struct err *e)
{
    const char *word = json_string_value(value);
    for (int o = 0; word && o < SUITE_OUTCOMES; o++) {
        if (strcmp(word, suite_outcome_word((enum suite_outcome)o)) != 0)
            continue;
        *ret = (enum suite_outcome)o;
        return 0;
    }
    return err_set(e, "'outcome' is none of this version's words");
}

static int read_end(const json_t *value, enum suite_end *ret, struct err *e)
{
    const char *word = json_string_value(value);
    for (int end = 0; word && end < SUITE_ENDS; end++) {
        if (strcmp(word, suite_end_word((enum suite_end)end)) != 0)
            continue;
        *ret = (enum suite_end)end;
        return 0;
    }
    return err_set(e, "'end' is none of this version's words");
}

static int read_field(struct suite *s, const struct field *f, const json_t *value, void *object,
                      struct err *e)
{
    void *at = (char *)object + f->offset;
    switch (f->type) {
    case TEXT:
    case NAME:
        return read_text(s, f, value, at, e);
    case COUNT:
        return read_count(f, value, at, e);
    case NUMBER:
        return read_number(f, value, at, e);
    case OUTCOME:
        return read_outcome(value, at, e);
    case END:
        return read_end(value, at, e);
    }
    check_fail(__FILE__, __LINE__, "every field type has a case");
}

static int read_fields(struct suite *s, const struct field *field, size_t count,
                       const json_t *value, void *object, struct err *e)
{
    if (!json_is_object(value))
        return err_set(e, "it is no object");
    for (size_t i = 0; i < count; i++) {
        if (read_field(s, &field[i], json_object_get(value, field[i].key), object, e) != 0)
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
    err_set(e, "'%s' is no list of at most %zu", key, limit);
    return NULL;
}

static int read_metrics(struct suite *s, struct suite_entry *entry, const json_t *value,
                        struct err *e)
{
    const json_t *metrics = array_of(value, "metrics", SUITE_METRICS, e);
    if (!metrics)
        return -1;
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        struct suite_metric *m = suite_metric_add(entry);
        if (read_fields(s, metric_fields, LENGTH(metric_fields), json_array_get(metrics, i), m, e))
            return err_prefix(e, "metric %zu", i + 1);
    }
    return 0;
}

static int read_entry(struct suite *s, const json_t *value, struct err *e)
{
    struct suite_entry read = {.name = NULL};
    if (read_fields(s, entry_fields, LENGTH(entry_fields), value, &read, e) != 0)
        return -1;
    if (suite_find(s, read.name))
        return err_set(e, "'%.100s' is there already", read.name);
    if (!isfinite(read.seconds) || read.seconds < 0)
        return err_set(e, "'seconds' is no duration");
    *suite_add(s, read.name) = read;
    return read_metrics(s, &s->entry[s->entries - 1], value, e);
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
        if (read_fields(s, shard_fields, LENGTH(shard_fields), json_array_get(shards, i), shard, e))
            return err_prefix(e, "shard %zu", i + 1);
        if (shard->of > SUITE_SHARDS || shard->index == 0 || shard->index > shard->of)
            return err_set(e, "shard %zu: there is no shard %" PRIu64 " of %" PRIu64, i + 1,
                           shard->index, shard->of);
    }
    return s->shards ? 0 : err_set(e, "it names no shard");
}

static int read_listed(struct suite *s, const json_t *root, struct err *e)
{
    static const struct field name = {"listed", NAME, 0};
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

int suite_parse(struct suite *s, const json_t *root, struct err *e)
{
    const char *said = json_string_value(json_object_get(root, "schema"));
    if (!json_is_object(root) || !said || strcmp(said, schema) != 0)
        return err_set(e, "it is no suite of soak's (%s)", schema);
    if (read_listed(s, root, e) != 0 || read_shards(s, root, e) != 0)
        return -1;
    return read_entries(s, root, e);
}

int suite_load(struct suite *s, const char *path, struct err *e)
{
    json_error_t why;
    FILE *in = input_open(path, e);
    if (!in)
        return err_prefix(e, "%.300s", path);
    json_t *root = json_loadf(in, JSON_REJECT_DUPLICATES, &why);
    fclose(in);
    if (!root)
        return err_set(e, "%.300s:%d: it is no JSON: %.120s", path, why.line, why.text);
    int rc = suite_parse(s, root, e);
    json_decref(root);
    return rc == 0 ? 0 : err_prefix(e, "%.300s", path);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How long the handshakes took: quantiles, and the counts that they are of. */
#include "document_internal.h"

static const struct json_field handshake_field[] = {
    JSON_FIELD(result_run, "p50", COUNT, p50_ns),
    JSON_FIELD(result_run, "p90", COUNT, p90_ns),
    JSON_FIELD(result_run, "p99", COUNT, p99_ns),
    JSON_FIELD(result_run, "max", COUNT, max_ns),
};
static const struct json_fields handshake_fields = JSON_FIELDS(handshake_field);

/* Buckets that nothing fell into are left out. */
static json_t *histogram_json(const struct hist *times)
{
    json_t *upto = json_array(), *count = json_array();
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        if (!times->bucket[i])
            continue;
        json_array_append_new(upto, json_from_count(hist_top(i)));
        json_array_append_new(count, json_from_count(times->bucket[i]));
    }
    return json_pack("{s:o, s:o}", "upto", upto, "count", count);
}

json_t *document_times_json(const struct result_run *run)
{
    json_t *object = json_from_fields(&handshake_fields, run);
    json_object_set_new(object, "histogram", run->times ? histogram_json(run->times) : json_null());
    return object;
}

static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* The bounds rise, and each is that of a bucket; what they count adds up to a count, too. */
static int read_bucket(const json_t *upto, const json_t *count, unsigned *next, struct hist *to)
{
    if (!is_count(upto) || !is_count(count))
        return -1;
    uint64_t bound = (uint64_t)json_integer_value(upto);
    unsigned bucket = hist_bucket(bound);
    uint64_t value = (uint64_t)json_integer_value(count);
    if (bucket < *next || hist_top(bucket) != bound || value > INT64_MAX - to->count)
        return -1;
    to->bucket[bucket] = value;
    to->count += value;
    *next = bucket + 1;
    return 0;
}

static int read_histogram(const json_t *from, struct hist *to, struct err *e)
{
    const json_t *upto, *count;
    unsigned next = 0;
    if (json_read_list(from, "upto", HIST_BUCKETS, &upto, e) != 0 ||
        json_read_list(from, "count", HIST_BUCKETS, &count, e) != 0)
        return -1;
    if (json_array_size(upto) != json_array_size(count))
        return err_set(e, "'upto' and 'count' differ in length");
    for (size_t i = 0; i < json_array_size(upto); i++)
        if (read_bucket(json_array_get(upto, i), json_array_get(count, i), &next, to) != 0)
            return err_set(e, "bucket %zu isn't one of a histogram", i + 1);
    return 0;
}

int document_read_times(struct document *d, const json_t *from, struct result_run *to,
                        struct err *e)
{
    const json_t *histogram = json_object_get(from, "histogram");
    if (json_read_fields(from, &handshake_fields, to, e) != 0)
        return -1;
    if (!json_is_object(histogram))
        return 0;
    struct hist *made = document_own(d, 1, sizeof *made);
    if (read_histogram(histogram, made, e) != 0)
        return err_prefix(e, "histogram");
    made->max = to->max_ns;
    to->times = made;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of soak/1, each listed once for the writer and the reader; and what the two files of
 * the reader share.
 */
#ifndef SOAK_REPORT_DOCUMENT_INTERNAL_H
#define SOAK_REPORT_DOCUMENT_INTERNAL_H

#include "report/document.h"
#include "report/json_util.h"

#define DOCUMENT_SCHEMA         "soak/1"
#define DOCUMENT_TORTURE_SCHEMA "soak-torture/1"

/* Of struct result. */
extern const struct json_fields document_fields, document_run_fields, document_errors_fields,
    document_failure_fields, document_crash_fields, document_mapped_fields, document_skipped_fields,
    document_agent_fields, document_loop_fields;
/* Of a subject. */
extern const struct json_fields document_subject_fields, document_process_fields,
    document_metric_fields, document_site_fields, document_census_fields,
    document_sensitivity_fields, document_cost_fields, document_rest_fields, document_heap_fields,
    document_series_fields, document_epoch_fields, document_size_class_fields;
/* Of its call stacks. */
extern const struct json_fields document_stack_fields, document_frame_fields,
    document_capture_fields, document_capture_site_fields;
/* Of what its behaviours lose, and of the meter check. */
extern const struct json_fields document_behaviour_fields, document_loss_fields,
    document_attribution_fields, document_confirm_fields, document_planted_fields;

enum { DOCUMENT_FRAMES = 256 };

/* A list of structs of `size` bytes, each with nothing but its fields. */
struct document_list {
    const char *key, *word; /* "mapped", "mapped library": for sentences */
    const struct json_fields *fields;
    size_t limit, size;
};

/* Zeroed memory for `count` of `size` bytes, which lives as long as the document. */
void *document_own(struct document *d, size_t count, size_t size);
/* Reads a list into an array that is there; returns 0 or -1. Or into memory that lives as long as
 * the document; returns that or NULL. */
int document_read_into(const json_t *object, const struct document_list *l, void *to,
                       size_t *ret_count, struct err *e);
const void *document_read_list(struct document *d, const json_t *object,
                               const struct document_list *l, size_t *ret_count, struct err *e);
/* Whether the word in the object is the verdict that was read: an unknown one is refused. */
int document_check_verdict(const json_t *object, enum verdict read, struct err *e);
/* The two parts of the objects that have them. Returns 0 or -1. */
int document_read_costs(const json_t *sensitivity, const json_t *cost, struct result_subject *to,
                        struct err *e);
/* The times of the handshakes, as a run has them: document_times.c. Of `from`, which may be
 * missing. */
json_t *document_times_json(const struct result_run *run);
int document_read_times(struct document *d, const json_t *from, struct result_run *to,
                        struct err *e);
/* Adds a subject to the result. */
int document_read_subject(struct document *d, const json_t *from, struct err *e);

#endif

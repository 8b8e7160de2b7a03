/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of suite.json that hold a value of their own: written and read by one list.
 */
#ifndef SOAK_SUITE_FIELDS_H
#define SOAK_SUITE_FIELDS_H

#include "suite.h"

#define SUITE_SCHEMA "soak-suite/1"

/* TEXT may be null, NAME may not; NUMBER is null where it is NAN, EXIT where there was none. */
enum suite_field_type {
    SUITE_FIELD_TEXT,
    SUITE_FIELD_NAME,
    SUITE_FIELD_COUNT,
    SUITE_FIELD_NUMBER,
    SUITE_FIELD_EXIT,
    SUITE_FIELD_OUTCOME,
    SUITE_FIELD_END
};

struct suite_field {
    const char *key;
    enum suite_field_type type;
    size_t offset; /* in the struct of that name */
};

struct suite_fields {
    const struct suite_field *field;
    size_t count;
};

extern const struct suite_fields suite_shard_fields, suite_entry_fields, suite_subject_fields,
    suite_finding_fields, suite_metric_fields;

#endif

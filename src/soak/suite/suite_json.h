/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite.json, `soak-suite/1`: the suite as a document, and back. Whatever is read is checked: every
 * key's type, every number's range, that names are unique and known. Pure but for suite_load.
 */
#ifndef SOAK_SUITE_JSON_H
#define SOAK_SUITE_JSON_H

#include "archive/outputs.h"
#include "base/err.h"
#include "suite.h"

/* The files that are asked for by name, for `soak suite` and `soak merge` alike; NULL: not asked
 * for. */
struct suite_forms {
    const char *junit, *markdown;
};

/* Their rows of a command's table; `at` is the offset of its struct suite_forms. */
enum { SUITE_FORMS = 2 };
#define SUITE_FORM_OPTIONS(at)                                                                     \
    {"junit", OPT_STRING, (at) + offsetof(struct suite_forms, junit),                              \
     "FILE",  NULL,       "write JUnit XML: a testsuite per scenario, a testcase per subject"},    \
    {                                                                                              \
        "markdown", OPT_OUTPUT, (at) + offsetof(struct suite_forms, markdown), "FILE", ".md",      \
            "write a Markdown table: verdict, growth and place of each scenario"                   \
    }

/* All forms that are asked for; `json` is the command's own option. */
struct outputs suite_outputs(const char *json, const struct suite_forms *forms);
/* The document as text that ends with a newline; malloc'd, NULL when out of memory. */
char *suite_dump(const struct suite *s);
/* Reads the document in `path` into an empty suite. Returns 0, or -1 with `path: sentence`; then
 * `s` holds a part of it and is only good for suite_free. */
int suite_load(struct suite *s, const char *path, struct err *e);

/*
 * The keys of suite.json that hold a value of their own: written and read by one list.
 */
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

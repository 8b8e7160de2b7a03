/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.json, "schema": "soak-compare/1": results/schema/soak-compare-1.schema.json. Additive
 * only.
 */
#ifndef SOAK_COMPARE_JSON_H
#define SOAK_COMPARE_JSON_H

#include "compare_set.h"

#include <jansson.h>

/* The document as text, ended by a newline; owned by the caller; NULL when out of memory. The set
 * has been judged. */
char *compare_json(const struct compare_set *s);
/* The same as a new reference. */
json_t *compare_document(const struct compare_set *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the document that have a room of their own. Each returns a new reference, or NULL when
 * out of memory.
 */
#ifndef SOAK_REPORT_JSON_PARTS_H
#define SOAK_REPORT_JSON_PARTS_H

#include "report/result.h"

#include <jansson.h>

/* subjects[].behaviours; an empty array when nothing is known. */
json_t *attribution_behaviours_json(const struct result_attribution *w);
/* subjects[].attribution: null when nothing grows or nothing is known. */
json_t *attribution_json(const struct result_attribution *w);

#endif

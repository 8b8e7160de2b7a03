/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The call stacks of a subject's survivors as JSON.
 */
#ifndef SOAK_REPORT_REPORT_STACKS_H
#define SOAK_REPORT_REPORT_STACKS_H

#include "report/result.h"

#include <jansson.h>

/* New references, or NULL when out of memory. */
json_t *report_stacks_json(const struct result_subject *subject);
json_t *report_capture_json(const struct result_subject *subject);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a sweep came to: for people, and as a document (soak-torture/1, results/schema). */
#ifndef SOAK_TORTURE_REPORT_H
#define SOAK_TORTURE_REPORT_H

#include "base/exit_codes.h"
#include "torture.h"

#include <stdio.h>

/* EXIT_PASS, EXIT_FOUND, EXIT_BROKEN or EXIT_INTERRUPTED; of a PASS that
 * could not be written EXIT_BROKEN. */
enum exit_code torture_exit(const struct torture *t);
/* With `quiet` the verdict's line only. */
void torture_text(const struct torture *t, bool quiet, FILE *out);
/* The document; the caller frees it. NULL when out of memory. */
char *torture_json(const struct torture *t);
/* One step for samples.jsonl, without a newline; the caller frees it. NULL when out of memory. */
char *torture_step_json(const struct torture *t, const struct attempt *a);

#endif

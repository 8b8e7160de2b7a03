/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a comparison takes from a run's document (soak/1).
 */
#ifndef SOAK_COMPARE_DOCUMENT_H
#define SOAK_COMPARE_DOCUMENT_H

#include "base/err.h"
#include "compare_set.h"

#include "report/document.h"

/* Adds the run in `document` to the entry: its figures, and of the first with a footprint the
 * sites. Refuses one that isn't soak/1, or maps other libraries than the entry's runs before it.
 * Returns 0, or -1 with the entry as it was. */
int compare_document_add(struct compare_set *s, struct compare_entry *entry,
                         const struct document *document, uint64_t round, struct err *e);

#endif

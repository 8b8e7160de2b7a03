/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a comparison reads from a run's document (soak/1). Everything is checked before it is used:
 * a document may come from another version, another machine, or a hand.
 */
#ifndef SOAK_COMPARE_DOCUMENT_H
#define SOAK_COMPARE_DOCUMENT_H

#include "base/err.h"
#include "compare_set.h"

#include <jansson.h>

/* Adds the run in `document` to the entry: its figures, and of the first with a footprint the
 * sites. Refuses one that isn't soak/1, breaks its promises, or maps other libraries than the
 * entry's runs before it. Returns 0, or -1 with the entry as it was. */
int compare_document_add(struct compare_set *s, struct compare_entry *entry, const json_t *document,
                         uint64_t round, struct err *e);
/* The document in `path`: a result.json, or a folder that has one. Returns it (owned by the
 * caller), or NULL. */
json_t *compare_document_load(const char *path, struct err *e);
/* Whether the run ended before its time: such a run's figures aren't compared. */
bool compare_document_interrupted(const json_t *document);

#endif

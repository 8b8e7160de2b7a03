/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The soak/1 document (results/schema/soak-1.schema.json): a result as JSON, and back. What is read
 * and written again is the same to the byte. Pure but for document_load.
 */
#ifndef SOAK_REPORT_DOCUMENT_H
#define SOAK_REPORT_DOCUMENT_H

#include "base/err.h"
#include "report/result.h"

#include <jansson.h>
#include <sys/types.h>

/* The document as text, ended by a newline; free. NULL when out of memory. Figures that aren't
 * finite become null. */
char *document_write(const struct result *r);

/* A result that was read. What it borrows lives as long as it does. */
struct document {
    struct result result;
    bool torture; /* it is soak-torture/1, of --fail-alloc: the libraries and the folder are all
                   * that a result has in common with it */
    uid_t owner;  /* of its file; of one that document_read got, 0 */
    const char *verdict; /* as it is written: FOUND and the like of --fail-alloc, too */
    json_t *root;        /* owned */
    void **owned;        /* owned: what result points to beside the root */
    size_t owned_count;
};

/* Reads `root` (borrowed). Everything is checked: it may come from another version, another
 * machine, or a hand; keys and words that aren't known are passed over. Returns NULL with a
 * sentence that says where it breaks its promise. */
struct document *document_read(const json_t *root, struct err *e);
/* In the place of result.json while a run is under way, and after soak was killed. */
#define DOCUMENT_UNFINISHED "unfinished.json"

/* The one in `path`: a result.json, or a folder that has one, or the unfinished one. */
struct document *document_load(const char *path, struct err *e);
void document_free(struct document *d);

/* A list of mapped libraries as documents have it. */
json_t *document_mapped(const struct result_mapped *mapped, size_t count);
/* The subject of that name, or NULL. */
const struct result_subject *result_subject_find(const struct result *r, const char *name);
/* Whether a subject other than `except` has that verdict. */
bool result_others_have(const struct result *r, const struct result_subject *except,
                        enum verdict verdict);

#endif

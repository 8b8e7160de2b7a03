/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a document, as all documents of soak are written.
 */
#ifndef SOAK_REPORT_DOCUMENT_H
#define SOAK_REPORT_DOCUMENT_H

#include <jansson.h>

/* Takes the reference. Returns a heap string (free), indented and ended by a newline; NULL when
 * out of memory, or when `root` is NULL. */
char *document_text(json_t *root);

#endif

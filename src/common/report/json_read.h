/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single values of a document, checked. A key that is missing or null leaves what is there; one of
 * another type is refused.
 */
#ifndef SOAK_REPORT_JSON_READ_H
#define SOAK_REPORT_JSON_READ_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum { JSON_READ_TEXT = 1024 };

/* `object` may be NULL. Each returns 0, or -1 with a sentence that names the key. Texts are
 * borrowed from the document, at most JSON_READ_TEXT bytes. */
int json_read_number(const json_t *object, const char *key, double *ret, struct err *e);
/* Refuses less than 0 too. */
int json_read_count(const json_t *object, const char *key, double *ret, struct err *e);
/* As json_read_count, and refuses a key that is missing or null. */
int json_need_count(const json_t *object, const char *key, double *ret, struct err *e);
int json_read_text(const json_t *object, const char *key, const char **ret, struct err *e);
int json_read_bool(const json_t *object, const char *key, bool *ret, struct err *e);

#endif

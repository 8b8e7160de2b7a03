/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON, as all documents of soak are written and read: single values, and structs by a list of
 * their fields.
 *
 * Writing: every call returns a new reference, or NULL when out of memory. jansson passes that up
 * as a failure, so one check at the end of a document is enough.
 * Reading: a document may come from another version, another machine, or a hand. A key that is
 * missing or null leaves what is there, one of another type is refused with a sentence that names
 * it. Texts are borrowed from the document, at most JSON_TEXT_MAX bytes.
 */
#ifndef SOAK_REPORT_JSON_UTIL_H
#define SOAK_REPORT_JSON_UTIL_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { JSON_TEXT_MAX = 8192 };

/* ---- writing ---- */

/* null when it isn't finite. */
json_t *json_from_number(double value);
json_t *json_from_count(uint64_t value);
/* null for NULL. Text from a subject may be any bytes: what isn't UTF-8 has its bytes beyond ASCII
 * in hexadecimal, `\xff`. */
json_t *json_from_text(const char *value);
/* The text of a document, indented and ended by a newline; control characters are escaped, those
 * too that JSON would take, as it may go to a terminal. Takes the reference. NULL when out of
 * memory, or when `root` is NULL; free. */
char *json_document(json_t *root);

/* ---- reading ---- */

/* The document in `path`, or NULL with a sentence that names the path. A key that is there twice is
 * refused. */
json_t *json_load(const char *path, struct err *e);
/* The same; writes whose file it is that was read, whatever `path` leads to by now. */
json_t *json_load_owned(const char *path, uid_t *ret_owner, struct err *e);
/* Refuses less than 0 too. */
int json_read_count(const json_t *object, const char *key, double *ret, struct err *e);
/* As json_read_count, and refuses a key that is missing or null. */
int json_need_count(const json_t *object, const char *key, double *ret, struct err *e);
int json_read_text(const json_t *object, const char *key, const char **ret, struct err *e);
/* As json_read_text, and refuses a key that is missing or null. */
int json_need_text(const json_t *object, const char *key, const char **ret, struct err *e);
int json_read_bool(const json_t *object, const char *key, bool *ret, struct err *e);
/* The list of at most `limit` under `key`; *ret is NULL when it is missing. */
int json_read_list(const json_t *object, const char *key, size_t limit, const json_t **ret,
                   struct err *e);

/* ---- structs ---- */

enum json_type {
    JSON_FIELD_TEXT,    /* const char *; null: NULL */
    JSON_FIELD_NAME,    /* the same; null, and missing, are refused */
    JSON_FIELD_CHARS,   /* char[]; null: "" */
    JSON_FIELD_COUNT,   /* uint64_t */
    JSON_FIELD_INTEGER, /* int64_t */
    JSON_FIELD_INT,     /* int */
    JSON_FIELD_LINE,    /* uint32_t */
    JSON_FIELD_NUMBER,  /* double; null, and missing: NAN */
    JSON_FIELD_BOOL,
    JSON_FIELD_WORD /* an enum, from 0 on; a word that isn't known leaves what is there */
};

struct json_field {
    const char *key;
    enum json_type type;
    size_t offset, size;     /* in the struct */
    const char *const *word; /* by value */
    size_t words;
};

/* `member` of `struct of` under `name`. */
#define JSON_FIELD(of, name, kind, member)                                                         \
    {                                                                                              \
        .key = name, .type = JSON_FIELD_##kind, .offset = offsetof(struct of, member),             \
        .size = sizeof((struct of *)0)->member                                                     \
    }
#define JSON_WORD_FIELD(of, name, member, names)                                                   \
    {                                                                                              \
        .key = name, .type = JSON_FIELD_WORD, .offset = offsetof(struct of, member),               \
        .word = names, .words = sizeof(names) / sizeof *(names)                                    \
    }

/* The fields of a struct. */
struct json_fields {
    const struct json_field *field;
    size_t count;
};
#define JSON_FIELDS(list)                                                                          \
    {                                                                                              \
        list, sizeof(list) / sizeof *(list)                                                        \
    }

/* An object of all fields. */
json_t *json_from_fields(const struct json_fields *fields, const void *from);
/* Adds them to an object. */
void json_set_fields(json_t *object, const struct json_fields *fields, const void *from);
/* Reads each that `object` (may be NULL) has. Returns 0 or -1. */
int json_read_fields(const json_t *object, const struct json_fields *fields, void *to,
                     struct err *e);
/* The same of the object that it has under `key`; null, or none, has no fields. */
int json_read_part(const json_t *object, const char *key, const struct json_fields *fields,
                   void *to, struct err *e);

#endif

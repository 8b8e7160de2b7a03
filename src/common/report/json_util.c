/* SPDX-License-Identifier: Apache-2.0 */
#include "report/json_util.h"

#include "base/check.h"
#include "base/input.h"
#include "base/names.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- writing ---- */

/* Doubles hold every integer up to here. */
static const double WHOLE_LIMIT = 1e15;

json_t *json_from_number(double value)
{
    if (!isfinite(value))
        return json_null();
    bool whole = value == nearbyint(value) && fabs(value) < WHOLE_LIMIT;
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

json_t *json_from_count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *json_from_text(const char *value)
{
    char hex[512];
    if (!value)
        return json_null();
    if (text_is_utf8(value))
        return json_string(value);
    struct text text = text_into(hex, sizeof hex);
    for (; *value; value++)
        text_add(&text, (unsigned char)*value < 0x80 ? "%c" : "\\x%02x", (unsigned char)*value);
    return json_string(hex);
}

/* The control character at `p` that a terminal obeys and JSON takes as it is: DEL, or one of U+0080
 * to U+009F. 0: there is none. */
static unsigned control_at(const char *p)
{
    const unsigned char *byte = (const unsigned char *)p;
    if (byte[0] == 0xc2 && byte[1] < 0xa0)
        return byte[1];
    return byte[0] == 0x7f ? byte[0] : 0;
}

char *json_document(json_t *root)
{
    char *made = NULL;
    size_t size;
    char *dumped = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
    FILE *out = dumped ? open_memstream(&made, &size) : NULL;
    json_decref(root);
    for (const char *p = dumped; out && *p; p++) {
        unsigned control = control_at(p);
        if (control)
            fprintf(out, "\\u%04X", control);
        else
            putc(*p, out);
        p += control > 0x7f; /* of two bytes */
    }
    free(dumped);
    if (out)
        putc('\n', out);
    if (out && fclose(out) == 0)
        return made;
    free(made);
    return NULL;
}

/* ---- reading ---- */

json_t *json_load_owned(const char *path, uid_t *ret_owner, struct err *e)
{
    json_error_t why;
    struct stat stat;
    FILE *in = input_open(path, e);
    if (!in) {
        err_prefix(e, "%.300s", path);
        return NULL;
    }
    json_t *root = json_loadf(in, JSON_REJECT_DUPLICATES, &why);
    CHECK(fstat(fileno(in), &stat) == 0);
    fclose(in);
    if (root)
        *ret_owner = stat.st_uid;
    else
        err_set(e, "%.300s:%d: not JSON: %.120s", path, why.line, why.text);
    return root;
}

json_t *json_load(const char *path, struct err *e)
{
    uid_t any;
    return json_load_owned(path, &any, e);
}

static bool given(const json_t *object, const char *key, const json_t **ret)
{
    *ret = json_object_get(object, key);
    return *ret && !json_is_null(*ret);
}

/* `object` may be NULL. Each returns 0 or -1. */
static int json_read_number(const json_t *object, const char *key, double *ret, struct err *e)
{
    const json_t *value;
    if (!given(object, key, &value))
        return 0;
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return err_set(e, "'%s' is not a number", key);
    *ret = json_number_value(value);
    return 0;
}

/* What a double and a size_t both hold exactly. */
static const double COUNT_MOST = 9007199254740992.0;

int json_read_count(const json_t *object, const char *key, double *ret, struct err *e)
{
    double value = *ret;
    if (json_read_number(object, key, &value, e) != 0)
        return -1;
    if (value < 0)
        return err_set(e, "'%s' is less than 0", key);
    if (value > COUNT_MOST)
        return err_set(e, "'%s' is more than can be counted", key);
    *ret = value;
    return 0;
}

int json_need_count(const json_t *object, const char *key, double *ret, struct err *e)
{
    const json_t *value;
    return given(object, key, &value) ? json_read_count(object, key, ret, e)
                                      : err_set(e, "'%s' is missing", key);
}

int json_read_text(const json_t *object, const char *key, const char **ret, struct err *e)
{
    const json_t *value;
    if (!given(object, key, &value))
        return 0;
    const char *text = json_string_value(value);
    if (!text)
        return err_set(e, "'%s' is not a text", key);
    if (json_string_length(value) > JSON_TEXT_MAX || strlen(text) < json_string_length(value))
        return err_set(e, "'%s' is longer than %d bytes or holds a zero", key, JSON_TEXT_MAX);
    *ret = text;
    return 0;
}

int json_need_text(const json_t *object, const char *key, const char **ret, struct err *e)
{
    const json_t *value;
    return given(object, key, &value) ? json_read_text(object, key, ret, e)
                                      : err_set(e, "'%s' is missing", key);
}

int json_read_bool(const json_t *object, const char *key, bool *ret, struct err *e)
{
    const json_t *value;
    if (!given(object, key, &value))
        return 0;
    if (!json_is_boolean(value))
        return err_set(e, "'%s' is neither true nor false", key);
    *ret = json_is_true(value);
    return 0;
}

int json_read_list(const json_t *object, const char *key, size_t limit, const json_t **ret,
                   struct err *e)
{
    const json_t *value;
    *ret = NULL;
    if (!given(object, key, &value))
        return 0;
    if (!json_is_array(value) || json_array_size(value) > limit)
        return err_set(e, "'%s' is not a list of at most %zu", key, limit);
    *ret = value;
    return 0;
}

/* ---- structs ---- */

static json_t *field_json(const struct json_field *f, const void *from)
{
    const void *at = (const char *)from + f->offset;
    switch (f->type) {
    case JSON_FIELD_TEXT:
    case JSON_FIELD_NAME:
        return json_from_text(*(const char *const *)at);
    case JSON_FIELD_CHARS:
        return json_from_text(*(const char *)at ? at : NULL);
    case JSON_FIELD_COUNT:
        return json_from_count(*(const uint64_t *)at);
    case JSON_FIELD_INTEGER:
        return json_integer(*(const int64_t *)at);
    case JSON_FIELD_INT:
        return json_integer(*(const int *)at);
    case JSON_FIELD_LINE:
        return json_integer(*(const uint32_t *)at);
    case JSON_FIELD_NUMBER:
        return json_from_number(*(const double *)at);
    case JSON_FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case JSON_FIELD_WORD:
        return json_string(f->word[*(const int *)at]);
    }
    check_fail(__FILE__, __LINE__, "every type has a case");
}

void json_set_fields(json_t *object, const struct json_fields *fields, const void *from)
{
    for (size_t i = 0; i < fields->count; i++)
        json_object_set_new(object, fields->field[i].key, field_json(&fields->field[i], from));
}

json_t *json_from_fields(const struct json_fields *fields, const void *from)
{
    json_t *object = json_object();
    json_set_fields(object, fields, from);
    return object;
}

static int read_chars(const json_t *object, const struct json_field *f, char *to, struct err *e)
{
    const char *text = to;
    if (json_read_text(object, f->key, &text, e) != 0)
        return -1;
    if (strlen(text) >= f->size)
        return err_set(e, "'%s' is not a text of less than %zu bytes", f->key, f->size);
    memmove(to, text, strlen(text) + 1);
    return 0;
}

/* What a field of the type holds, as far as JSON goes. */
static bool is_within(enum json_type type, double value)
{
    static const double most = 9.2e18; /* a count is below it too */
    switch (type) {
    case JSON_FIELD_COUNT:
        return value >= 0 && value <= most;
    case JSON_FIELD_LINE:
        return value >= 0 && value <= UINT32_MAX;
    case JSON_FIELD_INT:
        return value >= INT32_MIN && value <= INT32_MAX;
    default:
        return value >= -most && value <= most;
    }
}

static int read_integer(const json_t *object, const struct json_field *f, int64_t *ret,
                        struct err *e)
{
    double value = 0;
    const json_t *is;
    if (json_read_number(object, f->key, &value, e) != 0)
        return -1;
    if (!is_within(f->type, value))
        return err_set(e, value < 0 ? "'%s' is less than 0" : "'%s' is out of range", f->key);
    if (given(object, f->key, &is))
        *ret = json_is_integer(is) ? json_integer_value(is) : (int64_t)value;
    return 0;
}

static int read_word(const json_t *object, const struct json_field *f, int *ret, struct err *e)
{
    const char *word = NULL;
    if (json_read_text(object, f->key, &word, e) != 0)
        return -1;
    int found = names_find(f->word, f->words, word);
    if (found >= 0)
        *ret = found;
    return 0;
}

static int read_double(const json_t *object, const char *key, double *ret, struct err *e)
{
    *ret = NAN;
    return json_read_number(object, key, ret, e);
}

/* The types that are narrower than what is read. */
static int read_narrow(const json_t *object, const struct json_field *f, void *at, struct err *e)
{
    bool is_line = f->type == JSON_FIELD_LINE;
    int64_t number = is_line ? (int64_t) * (uint32_t *)at : *(int *)at;
    if (read_integer(object, f, &number, e) != 0)
        return -1;
    if (is_line)
        *(uint32_t *)at = (uint32_t)number;
    else
        *(int *)at = (int)number;
    return 0;
}

static int read_field(const json_t *object, const struct json_field *f, void *to, struct err *e)
{
    void *at = (char *)to + f->offset;
    switch (f->type) {
    case JSON_FIELD_TEXT:
        return json_read_text(object, f->key, at, e);
    case JSON_FIELD_NAME:
        return json_need_text(object, f->key, at, e);
    case JSON_FIELD_CHARS:
        return read_chars(object, f, at, e);
    case JSON_FIELD_COUNT:
    case JSON_FIELD_INTEGER:
        return read_integer(object, f, at, e);
    case JSON_FIELD_INT:
    case JSON_FIELD_LINE:
        return read_narrow(object, f, at, e);
    case JSON_FIELD_NUMBER:
        return read_double(object, f->key, at, e);
    case JSON_FIELD_BOOL:
        return json_read_bool(object, f->key, at, e);
    case JSON_FIELD_WORD:
        return read_word(object, f, at, e);
    }
    check_fail(__FILE__, __LINE__, "every type has a case");
}

int json_read_fields(const json_t *object, const struct json_fields *fields, void *to,
                     struct err *e)
{
    for (size_t i = 0; i < fields->count; i++)
        if (read_field(object, &fields->field[i], to, e) != 0)
            return -1;
    return 0;
}

int json_read_part(const json_t *object, const char *key, const struct json_fields *fields,
                   void *to, struct err *e)
{
    const json_t *part = json_object_get(object, key);
    if (part && !json_is_null(part) && !json_is_object(part))
        return err_set(e, "'%s' is not an object", key);
    return json_read_fields(part, fields, to, e) == 0 ? 0 : err_prefix(e, "%s", key);
}

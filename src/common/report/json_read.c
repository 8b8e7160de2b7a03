/* SPDX-License-Identifier: Apache-2.0 */
#include "report/json_read.h"

#include <math.h>
#include <string.h>

static bool given(const json_t *object, const char *key, const json_t **ret)
{
    *ret = json_object_get(object, key);
    return *ret && !json_is_null(*ret);
}

int json_read_number(const json_t *object, const char *key, double *ret, struct err *e)
{
    const json_t *value;
    if (!given(object, key, &value))
        return 0;
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return err_set(e, "'%s' is no number", key);
    *ret = json_number_value(value);
    return 0;
}

int json_read_count(const json_t *object, const char *key, double *ret, struct err *e)
{
    double value = *ret;
    if (json_read_number(object, key, &value, e) != 0)
        return -1;
    if (value < 0)
        return err_set(e, "'%s' is less than 0", key);
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
        return err_set(e, "'%s' is no text", key);
    if (json_string_length(value) > JSON_READ_TEXT || strlen(text) < json_string_length(value))
        return err_set(e, "'%s' is longer than %d bytes or holds a zero", key, JSON_READ_TEXT);
    *ret = text;
    return 0;
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/line.h"

#include <string.h>

int line_reader_feed(struct line_reader *r, const char *bytes, size_t count, line_fn fn, void *ctx)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            r->buf[r->used] = '\0';
            r->used = 0;
            fn(ctx, r->buf);
            continue;
        }
        if (bytes[i] == '\0' || r->used == LINE_MAX_BYTES - 1)
            return -1;
        r->buf[r->used++] = bytes[i];
    }
    return 0;
}

bool line_is(const char *line, const char *word)
{
    size_t length = strlen(word);
    return strncmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == '\0');
}

/* The start of the value of `key`, or NULL. What follows `text=` is somebody's words, never keys.
 */
static const char *find_value(const char *line, const char *key)
{
    size_t length = strlen(key);
    const char *p = strchr(line, ' ');
    while (p) {
        p++;
        if (strncmp(p, key, length) == 0 && p[length] == '=')
            return p + length + 1;
        if (strncmp(p, "text=", 5) == 0)
            return NULL;
        p = strchr(p, ' ');
    }
    return NULL;
}

int line_number(const char *line, const char *key, uint64_t *ret_value)
{
    const char *p = find_value(line, key);
    uint64_t value = 0;
    if (!p || *p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return -1;
    if (*p != ' ' && *p != '\0')
        return -1;
    *ret_value = value;
    return 0;
}

int line_text(const char *line, const char *key, bool rest, char *buf, size_t size)
{
    const char *p = find_value(line, key);
    if (!p)
        return -1;
    size_t length = rest ? strlen(p) : strcspn(p, " ");
    if (length >= size)
        return -1;
    memcpy(buf, p, length);
    buf[length] = '\0';
    return 0;
}

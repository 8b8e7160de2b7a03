/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The least code point that a sequence of so many bytes may stand for: a shorter one is malformed.
 */
static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc0)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
}

/* Bytes of the well-formed sequence at `text`, and its code point; 0 when it isn't one. */
static size_t sequence(const char *text, uint32_t *ret_code)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t length = length_of(*p);
    uint32_t code = length == 1 ? *p : *p & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;
    *ret_code = code;
    return code >= least[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

size_t text_character(const char *text)
{
    uint32_t code = 0;
    size_t length = sequence(text, &code);
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    return length && !control ? length : 0;
}

bool text_is_utf8(const char *text)
{
    uint32_t code;
    for (size_t length; *text; text += length)
        if ((length = sequence(text, &code)) == 0)
            return false;
    return true;
}

/* The character to print at `text`, which isn't the end: itself, or what takes the place of its
 * first byte. */
static const char *shown(const char *text, size_t *ret_length)
{
    *ret_length = text_character(text);
    if (*ret_length)
        return text;
    *ret_length = 1;
    return *text == '\t' || *text == '\n' || *text == '\r' ? " " : "?";
}

char *text_clean(char *text)
{
    size_t length;
    for (char *p = text; *p; p += length) {
        const char *character = shown(p, &length);
        memmove(p, character, length);
    }
    return text;
}

void text_drop_part(char *text)
{
    size_t start = strlen(text);
    for (int i = 0; i < 3 && start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80; i++)
        start--;
    if (start > 0 && length_of((unsigned char)text[start - 1]) > 1 &&
        text_character(text + start - 1) == 0)
        text[start - 1] = '\0';
}

char *text_copy(char *buf, size_t size, const char *text)
{
    size_t used = 0, length;
    for (; *text; text += length) {
        const char *character = shown(text, &length);
        if (used + length >= size)
            break;
        memcpy(buf + used, character, length);
        used += length;
    }
    buf[used] = '\0';
    return buf;
}

struct text text_into(char *buf, size_t size)
{
    buf[0] = '\0';
    return (struct text){.at = buf, .size = size};
}

struct text text_list(char *buf, size_t size, const char *joint)
{
    struct text t = text_into(buf, size);
    t.joint = joint;
    return t;
}

__attribute__((format(printf, 2, 0))) static void add(struct text *t, const char *format,
                                                      va_list args)
{
    size_t room = t->size - t->used;
    int n = t->cut ? 0 : vsnprintf(t->at + t->used, room, format, args);
    if (n >= 0 && (size_t)n < room) {
        t->used += (size_t)n;
        return;
    }
    text_drop_part(t->at);
    t->used = strlen(t->at);
    t->cut = true;
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(t, format, args);
    va_end(args);
}

void text_item(struct text *t, const char *format, ...)
{
    va_list args;
    if (t->used)
        text_add(t, "%s", t->joint);
    va_start(args, format);
    add(t, format, args);
    va_end(args);
}

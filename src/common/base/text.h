/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that is put together piece by piece in a buffer of the caller's, and text that somebody else
 * has written: an option's value, a file's name, a line of a log. The latter goes to terminals only
 * after text_clean, since an escape sequence in it could rewrite what stands there. Pure; err_set
 * cleans every sentence by it.
 */
#ifndef SOAK_BASE_TEXT_H
#define SOAK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Always ended by a zero, at at[used]. What doesn't fit is cut between characters, and nothing is
 * appended after that. */
struct text {
    char *at; /* borrowed */
    size_t size, used;
    const char *joint; /* stands between two items */
    bool cut;
};

/* The empty text in `buf`, of `size` bytes, at least one. */
struct text text_into(char *buf, size_t size);
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, to append items with a joint between them. */
struct text text_list(char *buf, size_t size, const char *joint);
void text_item(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Bytes of the printable character at `text`, 1 to 4. 0 for a control character (below 0x20, 0x7f,
 * U+0080 to U+009F, which terminals obey too), for what isn't UTF-8, and at the end. */
size_t text_character(const char *text);

/* Whether JSON can hold it: well-formed, control characters or not. */
bool text_is_utf8(const char *text);

/* Replaces in place each byte that text_character refuses: a tab or line break by a blank, any
 * other by `?`. The text doesn't grow. Returns it. */
char *text_clean(char *text);

/* Drops the beginning of a character that the end of a buffer has cut. */
void text_drop_part(char *text);

/* Copies `text` cleaned, cut between characters where `size` is too small. Returns buf. */
char *text_copy(char *buf, size_t size, const char *text);

#endif

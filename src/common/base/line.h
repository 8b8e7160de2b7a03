/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control protocol's lines: `word key=value key=value\n`, at most 1,023 bytes, values without
 * blanks. docs/reference/protocol.md lists the words. struct line_reader cuts a byte stream into
 * lines; line_is, line_number and line_text read one. No heap. Every line comes from another
 * process and is checked.
 */
#ifndef SOAK_BASE_LINE_H
#define SOAK_BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_MAX_BYTES = 1024 };

struct line_reader {
    size_t used;
    char buf[LINE_MAX_BYTES];
};

/* Called for each complete line, without its newline, terminated. Must not call line_reader_feed.
 */
typedef void (*line_fn)(void *ctx, const char *line);

/* Feeds bytes. Returns 0, or -1 when a line is longer than LINE_MAX_BYTES - 1 or holds a NUL
 * (the stream is then unusable). */
int line_reader_feed(struct line_reader *r, const char *bytes, size_t count, line_fn fn, void *ctx);

/* True when the line's first word is `word`. */
bool line_is(const char *line, const char *word);
/* Reads `key=NUMBER` (decimal, unsigned). Returns 0, or -1 when missing or malformed. */
int line_number(const char *line, const char *key, uint64_t *ret_value);
/* Copies what follows `key=` up to the end of the line (for `text=`, always the last key), or up to
 * the next blank when `rest` is false. Returns 0, or -1 when missing or too long. */
int line_text(const char *line, const char *key, bool rest, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of numbers that people type (UX: strict, no silent guesses) and the printing of the
 * same numbers. Parse and print are inverse: parse(print(x)) == x for every x that can be typed
 * (rates, percentages and growths: at most 9 decimals and 15 digits). Pure functions, no locale, no
 * heap, thread-safe. On failure `e` holds what is wrong and how to mend it, without the option's
 * name (the caller puts that before it), and the out-parameter is untouched.
 */
#ifndef SOAK_OPTIONS_GRAMMAR_H
#define SOAK_OPTIONS_GRAMMAR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A rate: events per second, or as fast as possible. */
struct rate {
    double per_s; /* > 0, or 0 when max */
    bool max;
};

/* `1k` = 1,000 · `1M` = 1,000,000 · `10_000`. */
int grammar_count(const char *text, uint64_t *ret_count, struct err *e);
/* `64KiB` `64kB` `2MiB` `1GiB` `512B`; a bare `64K` is refused with both readings. Bytes. */
int grammar_size(const char *text, uint64_t *ret_bytes, struct err *e);
/* `250ms` `90s` `1h30m` `2d`; nanoseconds. `0` alone is refused: a duration needs a unit (`0s`). */
int grammar_duration(const char *text, uint64_t *ret_ns, struct err *e);
/* `1000/s` `60000/m` `max`. */
int grammar_rate(const char *text, struct rate *ret_rate, struct err *e);
/* `20%`: a fraction 0..1. */
int grammar_percent(const char *text, double *ret_fraction, struct err *e);
/* `16B/conn`, `0.5B/conn`: bytes per connection. */
int grammar_growth(const char *text, double *ret_bytes_per_conn, struct err *e);
/* `1/1000`: one in N, N >= 1. */
int grammar_one_in(const char *text, uint64_t *ret_n, struct err *e);
/* `7f3a`: 1 to 16 hexadecimal digits, for seeds. */
int grammar_hex(const char *text, uint64_t *ret_value, struct err *e);

/* `GET /\r\n`: text in which \r \n \t \\ and \xHH stand for bytes. Writes at most `size` of them,
 * a NUL may be among them. Their number is `ret_count`. */
int grammar_bytes(const char *text, uint8_t *ret, size_t size, size_t *ret_count, struct err *e);

/* Each prints into buf (always terminated) and returns buf, so that it can stand in an argument. */
char *grammar_count_print(char *buf, size_t size, uint64_t count); /* shortest exact form */
char *grammar_size_print(char *buf, size_t size, uint64_t bytes);  /* shortest exact form */
char *grammar_duration_print(char *buf, size_t size, uint64_t ns); /* shortest exact form */
char *grammar_rate_print(char *buf, size_t size, struct rate rate);
char *grammar_percent_print(char *buf, size_t size, double fraction);
char *grammar_growth_print(char *buf, size_t size, double bytes_per_conn);
char *grammar_one_in_print(char *buf, size_t size, uint64_t n);
char *grammar_hex_print(char *buf, size_t size, uint64_t value);

/* For people, not for parsing: `41,102`, `18.41 MiB`, `1m03s`. */
char *human_count(char *buf, size_t size, int64_t count);
char *human_bytes(char *buf, size_t size, double bytes);
char *human_duration(char *buf, size_t size, uint64_t ns);
/* Whole seconds: `4s`, `1m03s`. Returns buf. */
char *human_seconds(char *buf, size_t size, double seconds);

/* The nearest of `names` (count entries) to `word` by edit distance, where a swap of neighbours
 * counts once; failing that, one that shortens `word` or is shortened by it and begins alike
 * (`connections` and `conns`). NULL when none is near enough to be what was meant (distance over a
 * third of the word's length, at least 1). Names over 48 letters are never near by distance. */
const char *grammar_nearest(const char *word, const char *const *names, size_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of texts, each kept once: equal texts have the same address and the same number. Numbers
 * count up from 0 in the order of arrival. Owns its copies; they live until intern_free. One thread
 * per set. Running out of memory is the only failure.
 */
#ifndef SOAK_BASE_INTERN_H
#define SOAK_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern;

/* NULL when out of memory. */
struct intern *intern_new(void);
void intern_free(struct intern *set);

/* The set's copy of `text` (borrowed), or NULL when out of memory. */
const char *intern_text(struct intern *set, const char *text);
/* The set's copy of text that somebody else has written, after text_clean: it can go to a terminal
 * and into a document. NULL of NULL; aborts when out of memory. */
const char *intern_clean(struct intern *set, const char *text);
/* The number of `text`, which is added when it is new; -1 when out of memory. */
int64_t intern_number(struct intern *set, const char *text);

size_t intern_count(const struct intern *set);
/* The text of a number below intern_count. Borrowed. */
const char *intern_at(const struct intern *set, size_t number);

/* FNV-1a, 64 bits: the same on every machine. */
uint64_t intern_hash(const void *bytes, size_t count);

#endif

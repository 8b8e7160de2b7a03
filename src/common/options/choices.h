/* SPDX-License-Identifier: Apache-2.0 */
/* A list of names in one text, `clean|reset|half-close`, as tables of options hold it. A | may end
 * the list, too. Pure. */
#ifndef SOAK_BASE_CHOICES_H
#define SOAK_BASE_CHOICES_H

#include <stddef.h>

/* The name number `index` and its length, or NULL past the last. Borrowed; not terminated there. */
const char *choices_at(const char *choices, int index, size_t *ret_length);

/* The number of the name that is `text`, all `length` characters of it; or -1. */
int choices_find(const char *choices, const char *text, size_t length);

#endif

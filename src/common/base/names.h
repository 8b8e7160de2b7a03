/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An enum and its names from one list:
 *
 *     #define FRUIT_LIST(X)                 X(ENUM, name, text, and whatever else it needs)
 *         X(FRUIT_APPLE, "apple", "grows on trees")
 *         X(FRUIT_MELON, "melon", "grows on the ground")
 *     enum fruit { FRUIT_LIST(ENUM_ID) FRUIT_COUNT };
 *
 *     ENUM_NAMES(fruit, FRUIT_LIST)         const char *fruit_name(enum fruit value)
 *     ENUM_TEXTS(fruit, FRUIT_LIST)         const char *fruit_text(enum fruit value)
 *     ENUM_FROM_NAME(fruit, FRUIT_LIST)     bool fruit_from_name(const char *name, enum fruit *ret)
 *
 * The functions are defined in one source file and declared in the noun's header. A value that the
 * list doesn't have is a bug (CHECK). `fruit_from_name` takes NULL, returns whether there is such a
 * name, and writes only then. Arrays that a fruit indexes have the size FRUIT_COUNT; where switches
 * spell out every fruit, it stands apart: enum { FRUIT_COUNT = ENUM_COUNT(FRUIT_LIST) }.
 */
#ifndef SOAK_BASE_NAMES_H
#define SOAK_BASE_NAMES_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ENUM_ID(id, ...) id,
#define ENUM_ONE(...)    +1
#define ENUM_COUNT(LIST) (0 LIST(ENUM_ONE))

/* Rows of a table that the enum indexes, from the list's second and third column, or from the id as
 * it is spelt. */
#define ENUM_NAME(id, name, ...)       [id] = name,
#define ENUM_TEXT(id, name, text, ...) [id] = text,
#define ENUM_SPELLING(id, ...)         [id] = #id,

/* FUNCTION(value) returns what COLUMN picks of the list, of type `result`. */
#define ENUM_COLUMN(function, result, noun, LIST, COLUMN)                                          \
    result function(enum noun value)                                                               \
    {                                                                                              \
        static result const column[] = {LIST(COLUMN)};                                             \
        CHECK((size_t)value < sizeof column / sizeof *column);                                     \
        return column[value];                                                                      \
    }

#define ENUM_NAMES(noun, LIST)     ENUM_COLUMN(noun##_name, const char *, noun, LIST, ENUM_NAME)
#define ENUM_TEXTS(noun, LIST)     ENUM_COLUMN(noun##_text, const char *, noun, LIST, ENUM_TEXT)
#define ENUM_SPELLINGS(noun, LIST) ENUM_COLUMN(noun##_name, const char *, noun, LIST, ENUM_SPELLING)

#define ENUM_FROM_NAME(noun, LIST)                                                                 \
    bool noun##_from_name(const char *name, enum noun *ret)                                        \
    {                                                                                              \
        static const char *const names[] = {LIST(ENUM_NAME)};                                      \
        int found = names_find(names, sizeof names / sizeof *names, name);                         \
        if (found >= 0)                                                                            \
            *ret = (enum noun)found;                                                               \
        return found >= 0;                                                                         \
    }

/* The index of `name`; -1: there is none of it. */
static inline int names_find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; name && i < count; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

#endif

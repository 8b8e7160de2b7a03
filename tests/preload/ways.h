/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that makes COUNT objects in one of several ways, and keeps or frees them. A test runs
 * it with two counts: the difference is that of the way alone. It ends by _exit(), so that the
 * probe leaves its counts where they are.
 */
#ifndef SOAK_TESTS_PRELOAD_WAYS_H
#define SOAK_TESTS_PRELOAD_WAYS_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAYS_OBJECTS = 1000 };

struct way {
    const char *name;
    void *(*make)(void); /* returns NULL when it can't */
    void (*drop)(void *object);
    void (*before)(void); /* once; may be NULL */
};

/* Returns the program's exit code. */
static inline int way_run(const struct way *way, size_t count, bool keep)
{
    static void *kept[WAYS_OBJECTS];
    if (way->before)
        way->before();
    for (size_t i = 0; i < count; i++) {
        kept[i] = way->make();
        if (!kept[i])
            return 3;
    }
    for (size_t i = 0; i < count && !keep; i++)
        way->drop(kept[i]);
    return 0;
}

/* `words`: WAY COUNT keep|free. Returns when that is none of them. */
static inline void ways_run(const struct way *ways, size_t ways_count, char **words)
{
    size_t count = strtoul(words[1], NULL, 10);
    for (size_t i = 0; i < ways_count && count <= WAYS_OBJECTS; i++) {
        if (strcmp(words[0], ways[i].name) == 0)
            _exit(way_run(&ways[i], count, strcmp(words[2], "keep") == 0));
    }
}

#endif

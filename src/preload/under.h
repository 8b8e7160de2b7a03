/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator under the hooks: the process's malloc(), past any hook of our own.
 */
#ifndef SOAK_PRELOAD_UNDER_H
#define SOAK_PRELOAD_UNDER_H

#include <stddef.h>
#include <stdlib.h>

static inline void *under_malloc(size_t size)
{
    return malloc(size);
}

static inline void *under_realloc(void *block, size_t size)
{
    return realloc(block, size);
}

static inline void under_free(void *block)
{
    free(block);
}

#endif

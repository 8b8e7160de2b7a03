/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsoakprobe-malloc.so: C++'s operators new and delete, by the program's malloc() and free(), as
 * they are in the C++ libraries. jemalloc has operators of its own that go past malloc(). What has
 * to be done when there is no memory, new handlers and exceptions, is left to the operator behind.
 */
#include "family.h"
#include "find.h"
#include "preload.h"
#include "probe/slot.h"
#include "probe/walk.h"

#include <stdlib.h>

#define COUNTED INTERPOSE STACKS_OWN
#define COLD    static __attribute__((noinline, cold)) STACKS_OWN

enum { LEAST_ALIGNMENT = 16 };

/* The operator of that name of another library. A program that calls it has one. */
COLD void *behind(const char *name)
{
    void *found = find_behind(name, NULL);
    if (!found)
        abort();
    return found;
}

static STACKS_OWN void *make(size_t size)
{
    return family_malloc(size ? size : 1);
}

static STACKS_OWN void *make_aligned(size_t size, size_t alignment)
{
    return family_memalign(alignment < LEAST_ALIGNMENT ? LEAST_ALIGNMENT : alignment,
                           size ? size : 1);
}

/* X(name, its parameters, their names, how the block is made): by the C++ ABI's names. */
#define NEW_LIST(X)                                                                                \
    X(_Znwm, (size_t size), (size), make(size))                                                    \
    X(_Znam, (size_t size), (size), make(size))                                                    \
    X(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), make(size))                \
    X(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), make(size))                \
    X(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment),                    \
      make_aligned(size, alignment))                                                               \
    X(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment),                    \
      make_aligned(size, alignment))                                                               \
    X(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag),        \
      (size, alignment, tag), make_aligned(size, alignment))                                       \
    X(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag),        \
      (size, alignment, tag), make_aligned(size, alignment))

#define NEW(name, parameters, names, made)                                                         \
    void *name parameters;                                                                         \
    COUNTED void *name parameters                                                                  \
    {                                                                                              \
        void *block = made;                                                                        \
        return LIKELY(block) ? block : ((void *(*)parameters)behind(#name))names;                  \
    }
NEW_LIST(NEW)

/* All of operator delete. What some are told besides, the block's size or alignment, free() doesn't
 * need, and a function may leave arguments alone. */
#define DELETE_LIST(X)                                                                             \
    X(_ZdlPv)                                                                                      \
    X(_ZdaPv)                                                                                      \
    X(_ZdlPvm)                                                                                     \
    X(_ZdaPvm)                                                                                     \
    X(_ZdlPvRKSt9nothrow_t)                                                                        \
    X(_ZdaPvRKSt9nothrow_t)                                                                        \
    X(_ZdlPvSt11align_val_t)                                                                       \
    X(_ZdaPvSt11align_val_t)                                                                       \
    X(_ZdlPvmSt11align_val_t)                                                                      \
    X(_ZdaPvmSt11align_val_t)                                                                      \
    X(_ZdlPvSt11align_val_tRKSt9nothrow_t)                                                         \
    X(_ZdaPvSt11align_val_tRKSt9nothrow_t)

#define DELETE(name)                                                                               \
    void name(void *block);                                                                        \
    INTERPOSE void name(void *block)                                                               \
    {                                                                                              \
        family_free(block);                                                                        \
    }
DELETE_LIST(DELETE)

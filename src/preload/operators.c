/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsoakprobe-malloc.so: C++'s operators new and delete, by the program's malloc() and free(), as
 * those of the C++ library are. jemalloc has operators of its own that go past malloc(). What has
 * to be done when there is no memory, new handlers and exceptions, is left to the operator behind.
 *
 * A program may replace some of them alone, new and delete of one object as a rule. In the C++
 * library all others end in one of those: that of an array or of a known size in the plain one.
 * There they must end in the program's own, so where one stands before ours, ours are left to the
 * C++ library, which calls by name.
 */
#include "family.h"
#include "find.h"
#include "preload.h"
#include "probe/slot.h"
#include "probe/walk.h"

#include <stdatomic.h>
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
#define NEW_PLAIN_LIST(X)                                                                          \
    X(_Znwm, (size_t size), (size), make(size))                                                    \
    X(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment),                    \
      make_aligned(size, alignment))

/* In the C++ library these end in one of the others. */
#define NEW_ENDING_LIST(X)                                                                         \
    X(_Znam, (size_t size), (size), make(size))                                                    \
    X(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), make(size))                \
    X(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), make(size))                \
    X(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment),                    \
      make_aligned(size, alignment))                                                               \
    X(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag),        \
      (size, alignment, tag), make_aligned(size, alignment))                                       \
    X(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *tag),        \
      (size, alignment, tag), make_aligned(size, alignment))

/* X(name): a block's alignment free() doesn't need. */
#define DELETE_PLAIN_LIST(X)                                                                       \
    X(_ZdlPv)                                                                                      \
    X(_ZdlPvSt11align_val_t)

/* X(name, its parameters, their names) */
#define DELETE_ENDING_LIST(X)                                                                      \
    X(_ZdaPv, (void *block), (block))                                                              \
    X(_ZdlPvm, (void *block, size_t size), (block, size))                                          \
    X(_ZdaPvm, (void *block, size_t size), (block, size))                                          \
    X(_ZdlPvRKSt9nothrow_t, (void *block, const void *tag), (block, tag))                          \
    X(_ZdaPvRKSt9nothrow_t, (void *block, const void *tag), (block, tag))                          \
    X(_ZdaPvSt11align_val_t, (void *block, size_t alignment), (block, alignment))                  \
    X(_ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment),                        \
      (block, size, alignment))                                                                    \
    X(_ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment),                        \
      (block, size, alignment))                                                                    \
    X(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t alignment, const void *tag),       \
      (block, alignment, tag))                                                                     \
    X(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t alignment, const void *tag),       \
      (block, alignment, tag))

/* ---- those that a program has replaced ---- */

COLD bool look_before(void)
{
#define STANDS_BEFORE(name, ...) || find_before(#name)
    return false NEW_PLAIN_LIST(STANDS_BEFORE) NEW_ENDING_LIST(STANDS_BEFORE)
        DELETE_PLAIN_LIST(STANDS_BEFORE) DELETE_ENDING_LIST(STANDS_BEFORE);
#undef STANDS_BEFORE
}

/* Whether any operator stands before ours. What comes later than the first call can't. */
static STACKS_OWN bool are_replaced(void)
{
    enum { UNKNOWN, NONE, SOME };
    static _Atomic int known;
    int what = atomic_load_explicit(&known, memory_order_relaxed);
    if (UNLIKELY(what == UNKNOWN)) {
        what = look_before() ? SOME : NONE;
        atomic_store_explicit(&known, what, memory_order_relaxed);
    }
    return what == SOME;
}

/* The C++ library's operator, to end in the program's; NULL: that needn't be, or can't. */
static STACKS_OWN void *ending(const char *name, void *_Atomic *kept)
{
    if (LIKELY(!are_replaced()))
        return NULL;
    void *function = atomic_load_explicit(kept, memory_order_relaxed);
    if (!function) {
        function = find_after_allocators(name);
        atomic_store_explicit(kept, function, memory_order_relaxed);
    }
    return function;
}

/* ---- the operators ---- */

#define NEW(name, parameters, names, made)                                                         \
    void *name parameters;                                                                         \
    COUNTED void *name parameters                                                                  \
    {                                                                                              \
        void *block = made;                                                                        \
        return LIKELY(block) ? block : ((void *(*)parameters)behind(#name))names;                  \
    }
NEW_PLAIN_LIST(NEW)

#define NEW_ENDING(name, parameters, names, made)                                                  \
    void *name parameters;                                                                         \
    COUNTED void *name parameters                                                                  \
    {                                                                                              \
        static void *_Atomic kept;                                                                 \
        void *end = ending(#name, &kept);                                                          \
        if (UNLIKELY(end))                                                                         \
            return ((void *(*)parameters)end)names;                                                \
        void *block = made;                                                                        \
        return LIKELY(block) ? block : ((void *(*)parameters)behind(#name))names;                  \
    }
NEW_ENDING_LIST(NEW_ENDING)

#define DELETE(name)                                                                               \
    void name(void *block);                                                                        \
    INTERPOSE void name(void *block)                                                               \
    {                                                                                              \
        family_free(block);                                                                        \
    }
DELETE_PLAIN_LIST(DELETE)

#define DELETE_ENDING(name, parameters, names)                                                     \
    void name parameters;                                                                          \
    INTERPOSE void name parameters                                                                 \
    {                                                                                              \
        static void *_Atomic kept;                                                                 \
        void *end = ending(#name, &kept);                                                          \
        if (UNLIKELY(end))                                                                         \
            ((void(*) parameters)end) names;                                                       \
        else                                                                                       \
            family_free(block);                                                                    \
    }
DELETE_ENDING_LIST(DELETE_ENDING)

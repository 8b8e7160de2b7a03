/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unwind.h>

enum { FRAMES = 8 };

/* Those that take the caller's file and line. Not every version has all of them. */
static const char *const names[] = {"CRYPTO_malloc",        "CRYPTO_zalloc",
                                    "CRYPTO_calloc",        "CRYPTO_realloc",
                                    "CRYPTO_clear_realloc", "CRYPTO_malloc_array",
                                    "CRYPTO_realloc_array", "CRYPTO_aligned_alloc",
                                    "CRYPTO_memdup",        "CRYPTO_strdup",
                                    "CRYPTO_strndup",       "CRYPTO_secure_malloc",
                                    "CRYPTO_secure_zalloc", "CRYPTO_clear_realloc_array"};
enum { NAMES = sizeof names / sizeof *names };

static uint64_t allocator[NAMES]; /* 0: this version has none of the name */

void caller_start(void)
{
    for (size_t i = 0; i < NAMES; i++)
        allocator[i] = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, names[i]);
}

#ifdef __x86_64__
static int32_t offset_at(uint64_t at)
{
    int32_t offset;
    memcpy(&offset, (const void *)(uintptr_t)at, sizeof offset);
    return offset;
}

static bool bytes_are(uint64_t at, const char *bytes, size_t count)
{
    return memcmp((const void *)(uintptr_t)at, bytes, count) == 0;
}

static uint64_t pointer_at(uint64_t at)
{
    uint64_t value;
    memcpy(&value, (const void *)(uintptr_t)at, sizeof value);
    return value;
}

/* Where a stub of the procedure linkage table jumps to; any other code is its own target. */
static uint64_t past_stub(uint64_t at)
{
    uint64_t code = at;
    if (bytes_are(code, "\xf3\x0f\x1e\xfa", 4)) /* endbr64 */
        code += 4;
    if (bytes_are(code, "\xf2", 1)) /* bnd */
        code += 1;
    if (!bytes_are(code, "\xff\x25", 2)) /* jmp *offset(%rip) */
        return at;
    return pointer_at(code + 6 + (uint64_t)(int64_t)offset_at(code + 2));
}

/* The function that the call right before `back` went to; 0 when it isn't one of those two forms.
 */
static uint64_t callee(uint64_t back)
{
    if (bytes_are(back - 5, "\xe8", 1)) /* call offset */
        return past_stub(back + (uint64_t)(int64_t)offset_at(back - 4));
    if (bytes_are(back - 6, "\xff\x15", 2)) /* call *offset(%rip) */
        return pointer_at(back + (uint64_t)(int64_t)offset_at(back - 4));
    return 0;
}
#else
static uint64_t callee(uint64_t back)
{
    (void)back;
    return 0;
}
#endif

struct walk {
    uint64_t hook_caller;
    size_t frames;
    uint64_t frame[FRAMES]; /* from the hook's caller outwards */
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *to)
{
    struct walk *walk = to;
    uint64_t ip = (uint64_t)_Unwind_GetIP(context);
    if (!ip || walk->frames == FRAMES)
        return _URC_END_OF_STACK;
    if (walk->frames || ip == walk->hook_caller)
        walk->frame[walk->frames++] = ip;
    return _URC_NO_REASON;
}

static bool is_allocator(uint64_t function)
{
    for (size_t i = 0; function && i < NAMES; i++) {
        if (allocator[i] == function)
            return true;
    }
    return false;
}

/* Whether the frame lies in an allocating function, or in a nameless one right behind it. */
static bool in_allocator(uint64_t frame)
{
    Dl_info nearest;
    return dladdr((void *)(uintptr_t)(frame - 1), &nearest) &&
           is_allocator((uint64_t)(uintptr_t)nearest.dli_saddr);
}

uint64_t caller_find(uint64_t hook_caller)
{
    struct walk walk = {.hook_caller = hook_caller};
    size_t i = 0;
    _Unwind_Backtrace(on_frame, &walk);
    while (i < walk.frames && in_allocator(walk.frame[i]))
        i++;
    return i < walk.frames && is_allocator(callee(walk.frame[i])) ? walk.frame[i] : 0;
}

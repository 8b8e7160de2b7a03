/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a libcrypto that is loaded while the program runs is noticed before it allocates: at the
 * next dlsym, by which whoever loaded it asks for its first function, and at OpenSSL's own
 * initialisation or allocation, which may come from a library's constructor.
 */
#include "find.h"
#include "hooks.h"
#include "interpose.h"
#include "preload.h"
#include "probe/slot.h"
#include "probe/walk.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

enum { BEHIND_CALLERS = 2048, BEHIND_TRIES = 8, PAGE_BITS = 12 };

/* What stands behind one of ours: the same for all callers while there is one libcrypto; else it
 * goes by the place of the call, of which each page is entered once: an object has whole pages. */
struct behind {
    const char *name;
    void *_Atomic only;
    struct {
        _Atomic uintptr_t page; /* its number, written last; TAKEN until then */
        void *function;
    } caller[BEHIND_CALLERS];
};

#define TAKEN UINTPTR_MAX

static void *behind_several(struct behind *b, void *place)
{
    uintptr_t at = (uintptr_t)place >> PAGE_BITS;
    for (size_t i = 0; i < BEHIND_TRIES; i++) {
        __typeof__(&b->caller[0]) caller = &b->caller[(at + i) % BEHIND_CALLERS];
        uintptr_t has = atomic_load_explicit(&caller->page, memory_order_acquire);
        if (has == at)
            return caller->function;
        if (has || !atomic_compare_exchange_strong(&caller->page, &has, TAKEN))
            continue;
        caller->function = find_behind(b->name, place);
        atomic_store_explicit(&caller->page, at, memory_order_release);
        return caller->function;
    }
    return find_behind(b->name, place);
}

static void *behind(struct behind *b, void *place)
{
    if (UNLIKELY(!preload_sees_one()))
        return behind_several(b, place);
    void *only = atomic_load_explicit(&b->only, memory_order_relaxed);
    if (UNLIKELY(!only)) {
        only = find_behind(b->name, place);
        atomic_store(&b->only, only);
    }
    return only;
}

/* The function that the caller of ours would have called; NULL: there is none, as where a program
 * only asks whether it is there. */
#define BEHIND(function)                                                                           \
    ({                                                                                             \
        static struct behind here = {.name = #function};                                           \
        (__typeof__(&function))behind(&here, __builtin_return_address(0));                         \
    })

/* A libcrypto may have come. Once one has, nothing can be gained by looking again. */
static void notice(void)
{
    if (LIKELY(preload_settled()))
        return;
    preload_start();
    preload_look();
}

INTERPOSE int OPENSSL_init_crypto(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    notice();
    __typeof__(&OPENSSL_init_crypto) next = BEHIND(OPENSSL_init_crypto);
    return next ? next(options, settings) : 0;
}

INTERPOSE int OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    notice();
    __typeof__(&OPENSSL_init_ssl) next = BEHIND(OPENSSL_init_ssl);
    return next ? next(options, settings) : 0;
}

INTERPOSE int CRYPTO_set_mem_functions(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn,
                                       CRYPTO_free_fn free_fn)
{
    notice();
    __typeof__(&CRYPTO_set_mem_functions) next = BEHIND(CRYPTO_set_mem_functions);
    if (hooks_are_of(next))
        return hooks_chain(malloc_fn, realloc_fn, free_fn);
    return next ? next(malloc_fn, realloc_fn, free_fn) : 0;
}

INTERPOSE void CRYPTO_get_mem_functions(CRYPTO_malloc_fn *malloc_fn, CRYPTO_realloc_fn *realloc_fn,
                                        CRYPTO_free_fn *free_fn)
{
    notice();
    __typeof__(&CRYPTO_set_mem_functions) set = BEHIND(CRYPTO_set_mem_functions);
    __typeof__(&CRYPTO_get_mem_functions) next = BEHIND(CRYPTO_get_mem_functions);
    if (hooks_are_of(set))
        hooks_chained(malloc_fn, realloc_fn, free_fn);
    else if (next)
        next(malloc_fn, realloc_fn, free_fn);
}

/* The first call of one, and every one while there are several libcryptos: where it goes. */
#define WAY_SLOW(which)                                                                            \
    static __attribute__((noinline, cold)) CRYPTO_##which##_fn way_##which##_slow(void *place)     \
    {                                                                                              \
        static struct behind here = {.name = "CRYPTO_" #which};                                    \
        notice();                                                                                  \
        CRYPTO_##which##_fn none = NULL, past = (CRYPTO_##which##_fn)behind(&here, place);         \
        if (preload_sees_one() &&                                                                  \
            !atomic_compare_exchange_strong(&interpose_way.which, &none, past))                    \
            return none;                                                                           \
        return past;                                                                               \
    }
WAY_SLOW(malloc)
WAY_SLOW(realloc)
WAY_SLOW(free)

#define WAY(name)                                                                                  \
    ({                                                                                             \
        CRYPTO_##name##_fn way = atomic_load_explicit(&interpose_way.name, memory_order_acquire);  \
        LIKELY(way) ? way : way_##name##_slow(__builtin_return_address(0));                        \
    })

INTERPOSE STACKS_OWN void *CRYPTO_malloc(size_t size, const char *file, int line)
{
    return WAY(malloc)(size, file, line);
}

INTERPOSE STACKS_OWN void *CRYPTO_realloc(void *block, size_t size, const char *file, int line)
{
    return WAY(realloc)(block, size, file, line);
}

INTERPOSE STACKS_OWN void CRYPTO_free(void *block, const char *file, int line)
{
    WAY(free)(block, file, line);
}

/* dlsym asks who calls it (RTLD_NEXT means: after the caller), so the real one must be jumped to
 * with nothing left on the stack, whatever the compiler makes of calls at the end of a function. */
#ifdef __x86_64__
void *trigger_dlsym(void);
void *trigger_dlsym(void)
{
    static void *_Atomic next;
    preload_look();
    if (!next)
        next = find_behind("dlsym", NULL);
    return next;
}

__asm__(".text\n"
        ".globl dlsym\n"
        ".type dlsym, @function\n"
        "dlsym:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "push %rdi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %rsi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "sub $8, %rsp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "call trigger_dlsym\n"
        "add $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rsi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rdi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "jmp *%rax\n"
        ".cfi_endproc\n"
        ".size dlsym, . - dlsym\n");
#endif

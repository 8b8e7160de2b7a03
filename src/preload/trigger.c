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

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

/* ---- what stands behind a function of ours ---- */

enum { BEHIND_CALLERS = 2048, BEHIND_TRIES = 8, PAGE_BITS = 12 };

/* It goes by the place of the call, of which each page is entered once: an object has whole pages.
 * So the first call from an object is never answered from here. */
struct behind {
    const char *name;
    struct caller {
        _Atomic uintptr_t page; /* its number, written last; TAKEN until then */
        void *_Atomic function;
        _Atomic uint64_t unloads; /* as they were; another number: this is of an object that may
                                     have gone */
    } caller[BEHIND_CALLERS];
};

#define TAKEN UINTPTR_MAX

/* How often something was unloaded, counted at the beginning and at the end of each dlclose(). */
static _Atomic uint64_t unloads;

static void keep(struct behind *b, void *place, void *function, uint64_t now)
{
    uintptr_t at = (uintptr_t)place >> PAGE_BITS;
    for (size_t i = 0; i < BEHIND_TRIES; i++) {
        struct caller *caller = &b->caller[(at + i) % BEHIND_CALLERS];
        uintptr_t has = atomic_load(&caller->page);
        if (has == TAKEN || (has && atomic_load(&caller->unloads) == now) ||
            !atomic_compare_exchange_strong(&caller->page, &has, TAKEN))
            continue;
        atomic_store(&caller->function, function);
        atomic_store(&caller->unloads, now);
        atomic_store(&caller->page, at);
        return;
    }
}

/* The first call from there: it may be of a libcrypto, or of a user of one, that has just come. */
static __attribute__((noinline, cold)) void *behind_first(struct behind *b, void *place)
{
    preload_start();
    preload_look();
    uint64_t now = atomic_load(&unloads);
    void *function = find_behind(b->name, place);
    if (function)
        keep(b, place, function, now);
    return function;
}

static void *behind(struct behind *b, void *place)
{
    uintptr_t at = (uintptr_t)place >> PAGE_BITS;
    uint64_t now = atomic_load_explicit(&unloads, memory_order_acquire);
    for (size_t i = 0; i < BEHIND_TRIES; i++) {
        struct caller *caller = &b->caller[(at + i) % BEHIND_CALLERS];
        uintptr_t has = atomic_load_explicit(&caller->page, memory_order_acquire);
        if (has == at && atomic_load_explicit(&caller->unloads, memory_order_acquire) == now) {
            void *function = atomic_load_explicit(&caller->function, memory_order_acquire);
            if (LIKELY(atomic_load_explicit(&caller->page, memory_order_relaxed) == at))
                return function;
        }
        if (!has)
            break;
    }
    return behind_first(b, place);
}

/* The function that the caller of ours would have called; NULL: there is none, as where a program
 * only asks whether it is there. */
#define BEHIND(function)                                                                           \
    ({                                                                                             \
        static struct behind here = {.name = #function};                                           \
        (__typeof__(&function))behind(&here, __builtin_return_address(0));                         \
    })

INTERPOSE int OPENSSL_init_crypto(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    __typeof__(&OPENSSL_init_crypto) next = BEHIND(OPENSSL_init_crypto);
    return next ? next(options, settings) : 0;
}

INTERPOSE int OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    __typeof__(&OPENSSL_init_ssl) next = BEHIND(OPENSSL_init_ssl);
    return next ? next(options, settings) : 0;
}

INTERPOSE int CRYPTO_set_mem_functions(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn,
                                       CRYPTO_free_fn free_fn)
{
    __typeof__(&CRYPTO_set_mem_functions) next = BEHIND(CRYPTO_set_mem_functions);
    if (hooks_are_of(next))
        return hooks_chain(malloc_fn, realloc_fn, free_fn);
    return next ? next(malloc_fn, realloc_fn, free_fn) : 0;
}

INTERPOSE void CRYPTO_get_mem_functions(CRYPTO_malloc_fn *malloc_fn, CRYPTO_realloc_fn *realloc_fn,
                                        CRYPTO_free_fn *free_fn)
{
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

/* ---- the dynamic linker's ---- */

/* Another object may be loaded to the place of one that has gone. */
static void forget(void)
{
    atomic_fetch_add(&unloads, 1);
    interpose_let_go();
}

/* Before it, because another thread may load something as soon as there is room; after it, because
 * of what destructors have asked for. */
INTERPOSE int dlclose(void *library)
{
    static void *_Atomic next;
    if (!next)
        next = find_behind("dlclose", NULL);
    forget();
    int code = ((__typeof__(&dlclose))next)(library);
    forget();
    preload_look();
    return code;
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a libcrypto that is loaded while the program runs is noticed before it allocates: at the
 * next dlsym, by which whoever loaded it asks for its first function, and at OpenSSL's own
 * initialisation, which may come from a library's constructor.
 */
#include "find.h"
#include "hooks.h"
#include "preload.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

/* The function behind one of ours, looked up at its first call. */
#define BEHIND(name)                                                                               \
    ({                                                                                             \
        static __typeof__(name) *_Atomic behind;                                                   \
        if (!behind)                                                                               \
            behind = (__typeof__(name) *)find_symbol(#name);                                       \
        behind;                                                                                    \
    })

static void notice(void)
{
    preload_start();
    preload_look();
}

INTERPOSE int OPENSSL_init_crypto(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    notice();
    return BEHIND(OPENSSL_init_crypto)(options, settings);
}

INTERPOSE int OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    notice();
    return BEHIND(OPENSSL_init_ssl)(options, settings);
}

INTERPOSE int CRYPTO_set_mem_functions(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn,
                                       CRYPTO_free_fn free_fn)
{
    notice();
    if (hooks_installed())
        return hooks_chain(malloc_fn, realloc_fn, free_fn);
    return BEHIND(CRYPTO_set_mem_functions)(malloc_fn, realloc_fn, free_fn);
}

INTERPOSE void CRYPTO_get_mem_functions(CRYPTO_malloc_fn *malloc_fn, CRYPTO_realloc_fn *realloc_fn,
                                        CRYPTO_free_fn *free_fn)
{
    notice();
    if (hooks_installed())
        hooks_chained(malloc_fn, realloc_fn, free_fn);
    else
        BEHIND(CRYPTO_get_mem_functions)(malloc_fn, realloc_fn, free_fn);
}

/* dlsym asks who calls it (RTLD_NEXT means: after the caller), so the real one must be jumped to
 * with nothing left on the stack, whatever the compiler makes of calls at the end of a function. */
#ifdef __x86_64__
void *trigger_dlsym(void);
void *trigger_dlsym(void)
{
    static void *_Atomic behind;
    preload_look();
    if (!behind)
        behind = find_symbol("dlsym");
    return behind;
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

/* SPDX-License-Identifier: Apache-2.0 */
/* A library that exports what libcrypto does, as far as the probe looks; says which one it is. */
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int CRYPTO_set_mem_functions(void *malloc_fn, void *realloc_fn, void *free_fn);
EXPORT void CRYPTO_get_mem_functions(void **malloc_fn, void **realloc_fn, void **free_fn);
EXPORT int OPENSSL_init_crypto(uint64_t options, const void *settings);
EXPORT void *fake_make(int line);

static void *(*hook)(size_t size, const char *file, int line);

EXPORT int CRYPTO_set_mem_functions(void *malloc_fn, void *realloc_fn, void *free_fn)
{
    hook = malloc_fn;
    return realloc_fn && free_fn;
}

EXPORT void CRYPTO_get_mem_functions(void **malloc_fn, void **realloc_fn, void **free_fn)
{
    *malloc_fn = hook;
    *realloc_fn = *free_fn = NULL;
}

EXPORT void *fake_make(int line)
{
    return hook ? hook(50, "fake.c", line) : NULL;
}

EXPORT int OPENSSL_init_crypto(uint64_t options, const void *settings)
{
    (void)options;
    (void)settings;
    return FAKE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A libcrypto that takes no memory functions any more. Built as Debian's is, and bound to itself in
 * two ways, as others are. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int CRYPTO_set_mem_functions(void *malloc_fn, void *realloc_fn, void *free_fn);
EXPORT void *CRYPTO_malloc(size_t size, const char *file, int line);
EXPORT void *CRYPTO_realloc(void *block, size_t size, const char *file, int line);
EXPORT void CRYPTO_free(void *block, const char *file, int line);
EXPORT void *CRYPTO_zalloc(size_t size, const char *file, int line);
EXPORT void CRYPTO_clear_free(void *block, size_t size, const char *file, int line);
EXPORT void *late_make(size_t size);
EXPORT void late_drop(void *block);

EXPORT int CRYPTO_set_mem_functions(void *malloc_fn, void *realloc_fn, void *free_fn)
{
    return !malloc_fn || !realloc_fn || !free_fn;
}

EXPORT void *CRYPTO_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

EXPORT void *CRYPTO_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return realloc(block, size);
}

EXPORT void CRYPTO_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

EXPORT void *CRYPTO_zalloc(size_t size, const char *file, int line)
{
    void *block = CRYPTO_malloc(size, file, line);
    return block ? memset(block, 0, size) : NULL;
}

EXPORT void CRYPTO_clear_free(void *block, size_t size, const char *file, int line)
{
    memset(block, 0, size);
    CRYPTO_free(block, file, line);
}

EXPORT void *late_make(size_t size)
{
    return CRYPTO_realloc(CRYPTO_zalloc(size / 2, "late.c", 1), size, "late.c", 2);
}

EXPORT void late_drop(void *block)
{
    CRYPTO_free(block, "late.c", 3);
}

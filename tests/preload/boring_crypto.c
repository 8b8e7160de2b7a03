/* SPDX-License-Identifier: Apache-2.0 */
/* How BoringSSL gets its memory: by three functions that it declares weakly, if anybody defines
 * them. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define WEAK   __attribute__((weak, visibility("default")))

WEAK void *OPENSSL_memory_alloc(size_t size);
WEAK void OPENSSL_memory_free(void *block);
WEAK size_t OPENSSL_memory_get_size(void *block);

EXPORT void *OPENSSL_malloc(size_t size);
EXPORT void *OPENSSL_realloc(void *block, size_t size);
EXPORT void OPENSSL_free(void *block);

EXPORT void *OPENSSL_malloc(size_t size)
{
    return OPENSSL_memory_alloc ? OPENSSL_memory_alloc(size) : malloc(size);
}

EXPORT void OPENSSL_free(void *block)
{
    if (!block)
        return;
    if (!OPENSSL_memory_free) {
        free(block);
        return;
    }
    memset(block, 0, OPENSSL_memory_get_size(block));
    OPENSSL_memory_free(block);
}

EXPORT void *OPENSSL_realloc(void *block, size_t size)
{
    if (!OPENSSL_memory_get_size)
        return realloc(block, size);
    size_t had = OPENSSL_memory_get_size(block);
    void *now = OPENSSL_malloc(size);
    if (now)
        memcpy(now, block, had < size ? had : size);
    OPENSSL_free(block);
    return now;
}

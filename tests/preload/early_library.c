/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library whose constructor uses OpenSSL before anybody asks for a function of it. EARLY_SETS: it
 * has memory functions of its own; EARLY_ASKS: it asks for an index; else it only allocates.
 */
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT long early_live(void);
EXPORT void *early_make(int line);
EXPORT void early_drop(void *block);
EXPORT void *early_object(void);

static long live;

#ifdef EARLY_SETS
static void *early_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    live += size != 0;
    return size ? malloc(size) : NULL;
}

static void *early_realloc(void *block, size_t size, const char *file, int line)
{
    return block ? realloc(block, size) : early_malloc(size, file, line);
}

static void early_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    live -= block != NULL;
    free(block);
}

__attribute__((constructor)) static void early(void)
{
    CRYPTO_set_mem_functions(early_malloc, early_realloc, early_free);
}
#elif defined EARLY_ASKS
__attribute__((constructor)) static void early(void)
{
    live = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_BIO, 0, NULL, NULL, NULL, NULL);
}
#else
__attribute__((constructor)) static void early(void)
{
    CRYPTO_free(CRYPTO_malloc(10, "early.c", 1), "early.c", 2);
}
#endif

long early_live(void)
{
    return live;
}

void *early_make(int line)
{
    return CRYPTO_malloc(100, "early.c", line);
}

void early_drop(void *block)
{
    CRYPTO_free(block, "early.c", 0);
}

void *early_object(void)
{
    return BIO_new(BIO_s_mem());
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A malloc of somebody's own, which knows its blocks by what it writes before them and aborts at
 * those of another. OWN_PROGRAM: that of a program, out of a pool; it gives OpenSSL what it has
 * from malloc(), and frees what it has from OpenSSL and from C++'s operators; with OWN_OTHER_MAIN
 * the program is another file's. Else it is that of a library, out of the malloc() behind it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct before {
    size_t size;
    uint64_t mark;
};
#define MARK UINT64_C(0x6e776f20796d2073)

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *block, size_t size);
EXPORT __attribute__((noinline)) void free(void *block);

#ifdef OWN_PROGRAM
enum { POOL_BYTES = 64 << 20, ALIGNMENT = 16 };

/* Nothing is ever given back. */
static struct before *take(size_t bytes)
{
    static _Alignas(ALIGNMENT) char pool[POOL_BYTES];
    static size_t used;
    size_t whole = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t at = __atomic_fetch_add(&used, whole, __ATOMIC_RELAXED);
    return at + whole <= POOL_BYTES ? (struct before *)(pool + at) : NULL;
}

static void give_back(struct before *before)
{
    before->mark = 0;
}
#else
static void behind(const char *name, void *to)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(to, &found, sizeof found);
}

static struct before *take(size_t bytes)
{
    static void *(*next)(size_t size);
    if (!next)
        behind("malloc", &next);
    return next(bytes);
}

static void give_back(struct before *before)
{
    static void (*next)(void *block);
    if (!next)
        behind("free", &next);
    before->mark = 0;
    next(before);
}
#endif

static __attribute__((noinline)) struct before *before_of(void *block)
{
    struct before *before = (struct before *)block - 1;
    if (before->mark != MARK)
        abort();
    return before;
}

void *malloc(size_t size)
{
    struct before *before = take(size + sizeof *before);
    if (!before)
        return NULL;
    *before = (struct before){size, MARK};
    return before + 1;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

void *realloc(void *block, size_t size)
{
    void *now = malloc(size);
    if (!block || !now)
        return now;
    size_t had = before_of(block)->size;
    memcpy(now, block, had < size ? had : size);
    free(block);
    return now;
}

void free(void *block)
{
    if (block)
        give_back(before_of(block));
}

#if defined OWN_PROGRAM && !defined OWN_OTHER_MAIN
static void free_new(void)
{
    void *(*new)(size_t size);
    void *found = dlsym(RTLD_DEFAULT, "_Znwm"); /* the probe has it, or nobody */
    memcpy(&new, &found, sizeof new);
    if (found)
        free(new (20));
}

int main(void)
{
    free(OPENSSL_strdup("from OpenSSL"));
    OPENSSL_free(strdup("for OpenSSL"));
    free(OPENSSL_realloc(strdup("for OpenSSL"), 100));
    free(realloc(CRYPTO_malloc(20, "case.c", 2), 100));
    free_new();
    _exit(CRYPTO_malloc(10, "case.c", 1) ? 0 : 1);
}
#endif

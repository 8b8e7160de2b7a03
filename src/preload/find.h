/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is loaded in this process, read from the objects' own symbol tables: dlsym finds nothing in
 * libraries that were opened privately (RTLD_NEXT neither), opening them takes the loader's lock,
 * allocates and may run constructors. Symbols that a library doesn't export can't be found.
 */
#ifndef SOAK_PRELOAD_FIND_H
#define SOAK_PRELOAD_FIND_H

#include "page/page.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libcrypto {
    char path[PAGE_FILE_BYTES]; /* the tail of a long one */
    uintptr_t begin, end;       /* where it lies */
    unsigned long version;      /* as OPENSSL_VERSION_NUMBER; 0: not OpenSSL 1.1 or later */
    /* NULL in OpenSSL before 1.1, whose functions are told neither file nor line. */
    int (*set_mem_functions)(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn,
                             CRYPTO_free_fn free_fn);
    void (*get_mem_functions)(CRYPTO_malloc_fn *malloc_fn, CRYPTO_realloc_fn *realloc_fn,
                              CRYPTO_free_fn *free_fn);
    CRYPTO_malloc_fn malloc;
    CRYPTO_realloc_fn realloc;
    CRYPTO_free_fn free;
    int (*get_ex_new_index)(int class_, long number, void *value, CRYPTO_EX_new *on_new,
                            CRYPTO_EX_dup *on_dup, CRYPTO_EX_free *on_free);
};

/* How many objects that are loaded export CRYPTO_set_mem_functions. `ret` becomes the first of
 * them, in the order of the loader. Any of its functions but set_mem_functions may be NULL.
 * `ret_loading`: another thread is loading one more. */
size_t find_libcrypto(struct libcrypto *ret, bool *ret_loading);

/* The function of that name that `caller`, an address in a program or library, would have been
 * bound to without this library: that of the library it was linked with where several have the
 * name, else the first that the loader comes to. Without a caller it is the next behind this
 * library, as of RTLD_NEXT. NULL when there is none. */
void *find_behind(const char *name, const void *caller);

/* The first function of that name in what the loader came to after this library: another that was
 * preloaded before it may have its own, and comes to this one's by RTLD_NEXT. NULL when there is
 * none. */
void *find_after(const char *name);

/* The same, passing over objects that have a malloc() of their own. */
void *find_after_allocators(const char *name);

/* The first function of that name in what the loader came to before this library: the program, or
 * what was preloaded before. NULL when there is none. */
void *find_before(const char *name);

/* Whether an address lies in this library. */
bool find_is_own(uintptr_t address);

/* How often an object has been loaded or unloaded in this process's life. */
unsigned long long find_changes(void);

#endif

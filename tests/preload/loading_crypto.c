/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CHOOSER: a library with a function that is chosen when somebody is bound to it (an ifunc), at
 * which `chooser_hook` is called. Else a library bound to it that is libcrypto for all that one
 * sees; so it is being loaded while the hook runs. It says whether it was called before it was
 * loaded.
 */
#include <stdbool.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

int chosen(void);

#ifdef CHOOSER
EXPORT void (*chooser_hook)(void);

static int choice(void)
{
    return 1;
}

__attribute__((used)) static int (*choose(void))(void)
{
    if (chooser_hook)
        chooser_hook();
    return choice;
}

EXPORT int chosen(void) __attribute__((ifunc("choose")));
#else
EXPORT int CRYPTO_set_mem_functions(void *malloc_fn, void *realloc_fn, void *free_fn);
EXPORT void *loading_make(int line);
EXPORT bool loading_was_early(void);
EXPORT int (*loading_bound)(void) = chosen;

static bool loaded, early;
static void *(*hook)(size_t size, const char *file, int line);

__attribute__((constructor)) static void load(void)
{
    loaded = true;
}

EXPORT int CRYPTO_set_mem_functions(void *malloc_fn, void *realloc_fn, void *free_fn)
{
    early |= !loaded;
    hook = malloc_fn;
    return realloc_fn && free_fn;
}

EXPORT void *loading_make(int line)
{
    return hook ? hook(50, "loading.c", line) : NULL;
}

EXPORT bool loading_was_early(void)
{
    return early;
}
#endif

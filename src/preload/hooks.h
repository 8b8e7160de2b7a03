/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's allocation hooks in a program that we don't build, with the census of its objects and
 * the self-check's plants. A program that has memory functions of its own keeps them: they run
 * behind the hooks.
 */
#ifndef SOAK_PRELOAD_HOOKS_H
#define SOAK_PRELOAD_HOOKS_H

#include "block_table.h"
#include "find.h"

/* Hooks `lib`, once; nothing happens when it, or another, is hooked already. Where OpenSSL has
 * allocated before, its functions are interposed (interpose.h) if they can be; else nothing is
 * counted. Calls nothing of OpenSSL's that would wait for what the caller may be in the middle of.
 */
void hooks_install(const struct libcrypto *lib);
/* There is no libcrypto any more, or the one that was hooked has gone. */
void hooks_lost(void);

/* Whether OpenSSL is hooked and not asked for its objects yet, which is done by calls of it. */
bool hooks_objects_wait(void);
/* Asks it, unless it is OpenSSL that this thread is in the middle of. */
void hooks_objects_start(void);

/* What CRYPTO_set_mem_functions and its reader do in a program whose OpenSSL is hooked: the same as
 * without the hooks, as if the census had allocated nothing. */
int hooks_chain(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn, CRYPTO_free_fn free_fn);
void hooks_chained(CRYPTO_malloc_fn *malloc_fn, CRYPTO_realloc_fn *realloc_fn,
                   CRYPTO_free_fn *free_fn);
/* Whether what is hooked is the OpenSSL whose setter this is. */
bool hooks_are_of(void *set_mem_functions);

/* This process is a forked child. */
void hooks_forked(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fallback where OpenSSL takes no memory functions any more, because it has allocated before we
 * came: CRYPTO_malloc, CRYPTO_realloc and CRYPTO_free of this library stand before libcrypto's for
 * all its callers. The others of the family (CRYPTO_zalloc, _strdup, _memdup, _clear_free, ...) end
 * in these three, and libcrypto itself calls them, so a block counts once and no block is missed;
 * but only where libcrypto's own calls can be taken over. They can't where it was linked with
 * -Bsymbolic, as upstream's builds are: there some blocks would be seen freed only, others born
 * only. So it is tried out before it is used.
 *
 * While OpenSSL has the hooks, or none are wanted, each of the three is a jump.
 */
#ifndef SOAK_PRELOAD_INTERPOSE_H
#define SOAK_PRELOAD_INTERPOSE_H

#include "find.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Where each of the three goes; NULL: that is still to be found out, or depends on the caller. */
struct interpose_way {
    _Atomic CRYPTO_malloc_fn malloc;
    _Atomic CRYPTO_realloc_fn realloc;
    _Atomic CRYPTO_free_fn free;
};

extern __attribute__((visibility("hidden"))) struct interpose_way interpose_way;

/* Counts from here on what goes through the three. Returns whether all of `lib` does; nothing is
 * counted otherwise. `ret_lib` becomes `lib` with functions that are counted. */
bool interpose_install(const struct libcrypto *lib, struct libcrypto *ret_lib);

/* Whether another library than `lib` is counted, which is no longer the first one: it has gone. */
bool interpose_is_lost(const struct libcrypto *lib);
/* Counts nothing any more. */
void interpose_stop(void);

/* A second libcrypto has come, or one may go: where a call goes is to be found out anew, or depends
 * on the caller, if nothing is counted. */
void interpose_let_go(void);

#endif

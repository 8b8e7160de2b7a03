/* SPDX-License-Identifier: Apache-2.0 */
/* Adds libraries to the cache as a user names them: of Debian, from package files, or a prefix. */
#ifndef SOAK_LIBS_ADD_H
#define SOAK_LIBS_ADD_H

#include "fetch.h"

#include <stddef.h>

/* Adds all of them, package files together as one library, under the cache's lock. Of `like` count
 * `mirror`, and `on_lib`, which is told each. Returns 0, or below 0 (UV_EINTR: interrupted) with a
 * sentence; what came before stays. */
int libs_add(const char *const *words, size_t count, const struct fetch *like, struct err *e);

#endif

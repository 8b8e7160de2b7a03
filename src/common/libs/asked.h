/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user may ask for as a library: `system`, a prefix (it has a slash), a name or version of
 * the cache, or a version that Debian could have. Looking through Debian's suites takes minutes, so
 * what can't be a version is refused before.
 */
#ifndef SOAK_LIBS_ASKED_H
#define SOAK_LIBS_ASKED_H

#include "libs/lib.h"

/* By enum lib_part; NULL is the build's own. */
struct lib_asked {
    const char *name[LIB_PARTS];
};

/* Returns 0, or -1 with a sentence such as `--openssl X25519: this is neither ...`. */
int lib_asked_check(const struct lib_asked *q, struct err *e);
/* Whether a version of this part could be written so: numbers with dots, a letter behind the third
 * as OpenSSL's had, and what Debian adds; none older than soak can use. Returns 0, or -1 with a
 * sentence without the text. */
int lib_asked_version(enum lib_part part, const char *asked, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of Debian packages. Pure. */
#ifndef SOAK_LIBS_VERSION_H
#define SOAK_LIBS_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/* Below 0, 0 or above 0: a is older than, the same as, newer than b (Debian policy 5.6.12). Any
 * text is taken; what isn't a version is ordered all the same. */
int version_compare(const char *a, const char *b);

/* Whether text may be a version: begins with a letter or digit, holds only letters, digits and
 * `.+~:-`. */
bool version_ok(const char *text);

/* The version of the software alone, without epoch and Debian revision: "1:3.0.22-1~deb12u2" ->
 * "3.0.22". Returns buf. */
char *version_upstream(const char *version, char *buf, size_t size);

/* Whether a user who says `asked` can mean `version`: the exact version, or its upstream version,
 * or the beginning of that up to a dot ("1.44" of "1.44.2-1"). */
bool version_means(const char *asked, const char *version);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subjects on other libraries: soak-server and soak-footprint built for, and run with, versions
 * of openssl, libuv, jemalloc and libc that are asked for. Libraries come from the private cache,
 * or are fetched into it from Debian; builds lie in the clone's build/libs/,
 * or of an installed soak in the cache.
 */
#ifndef SOAK_ASSEMBLY_H
#define SOAK_ASSEMBLY_H

#include "libs/lib.h"

#include <stdbool.h>

/* Each a name or version, a prefix (contains a slash), or NULL or "system" for the build's own. */
struct assembly_request {
    const char *openssl, *libuv, *jemalloc;
    const char *libc; /* NULL: the machine's, or the newest that another part's suite brought */
};

struct assembly {
    char folder[PATH_MAX];       /* of soak-server and soak-footprint; absolute */
    char library_path[PATH_MAX]; /* for LD_LIBRARY_PATH of these two; "" = none */
    struct lib part[LIB_PARTS];  /* an empty name: the build's own */
};

/* Refuses what can't be a library at all: at once, without looking at Debian. Returns 0 or -1. */
int assembly_check(const struct assembly_request *q, struct err *e);
/* Makes sure that each name means one library, of the cache, of a prefix or of Debian's lists,
 * before anything is fetched or built. Returns 0, or below 0 as assembly_make. */
int assembly_resolve(const struct assembly_request *q, struct err *e);

/* Finds the libraries, fetches what isn't there, builds what isn't built or is older than the
 * sources; says on stderr what takes long. Returns 0, or below 0 (UV_EINTR after Ctrl-C) with a
 * sentence. Two processes may ask for the same at once. */
int assembly_make(const struct assembly_request *q, struct assembly *ret, struct err *e);

/* The same from libraries that are known; those with an empty name are the build's own. No libc
 * there means that one is chosen. */
int assembly_make_of(const struct lib parts[LIB_PARTS], struct assembly *ret, struct err *e);

/* Whether a mapped file (its path as in /proc/PID/maps) is the library that was asked for. Nothing
 * is of a part that is the build's own. */
bool assembly_owns(const struct assembly *a, enum lib_part part, const char *mapped_path);

/* Builds the subjects for an assembly, by cmake, in a folder of their own. */
/* Sets a->folder from a->part. Builds when it isn't built, the sources are younger, or the
 * libraries have changed; one process at a time. */
int assembly_build(struct assembly *a, struct err *e);

#endif

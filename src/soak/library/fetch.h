/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries from Debian's mirrors, by apt.h: a library with its headers, and the libc of its suite
 * when this machine's is too old for it. The cache's lock must be held.
 */
#ifndef SOAK_FETCH_H
#define SOAK_FETCH_H

#include "libs/lib.h"

/* Is told each library that is there then; `added`: it wasn't before. */
typedef void (*fetch_lib_fn)(void *ctx, const struct lib *l, bool added);

struct fetch {
    enum lib_part part;
    const char *suite;   /* a suite with all its pockets, or one pocket */
    const char *version; /* as version_means takes it; NULL: every version there is */
    const char *mirror;  /* NULL: the machine's */
    fetch_lib_fn on_lib;
    void *ctx;
};

/* Whether there is such a suite or pocket. Returns 0 or -1. */
int fetch_check(const struct fetch *f, struct err *e);
/* Adds what `f` asks for. Returns 0 when there is at least one; else below 0 (UV_EINTR:
 * interrupted) with a sentence that says which versions there are. What came before a failure
 * stays. */
int fetch_suite(const struct fetch *f, struct err *e);

/* Whether exactly one version in any suite is meant, of which nothing is fetched yet; says on
 * stderr what is looked for. f->suite isn't used. Returns as fetch_anywhere. */
int fetch_look(const struct fetch *f, struct err *e);
/* Finds the version in any suite, and adds it. f->suite isn't used. UV_ENOENT when no mirror has
 * it, or no longer. */
int fetch_anywhere(const struct fetch *f, struct err *e);

#endif

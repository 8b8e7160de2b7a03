/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where a comparison meets the libraries: that every version is there and built for
 * before anything is measured, so that what is missing is said first, and which versions are known.
 */
#ifndef SOAK_COMPARE_PREPARE_H
#define SOAK_COMPARE_PREPARE_H

#include "base/err.h"
#include "compare_parts.h"

#include <stdbool.h>

enum { PREPARE_NAMES = 64, PREPARE_NAME = 64 };

struct prepare_request {
    enum compare_part part;
    char *const *name; /* borrowed: its versions */
    size_t names;
    const char *fixed[COMPARE_PARTS]; /* the other parts' one name; NULL: the build's own */
    const char *libc, *jemalloc;      /* of every run; NULL: not asked for */
    bool same_libc;
};

struct prepared {
    char libc[PREPARE_NAME]; /* for --libc of every run; "" = each its own */
};

/* Fetches and builds what isn't there; says on stderr what takes long. With same_libc all versions
 * get the newest libc that one of them needs. Two names of one library are refused. Returns 0, or
 * below 0 (-EINTR: interrupted) with a sentence that names the version. */
int compare_prepare(const struct prepare_request *q, struct prepared *ret, struct err *e);

/* The versions of a part that are known here, oldest first: at most PREPARE_NAMES. Those that a
 * user built are left out, for nobody knows their place. */
struct prepare_list {
    char name[PREPARE_NAMES][PREPARE_NAME];
    size_t count;
};
int compare_prepare_list(enum compare_part part, struct prepare_list *ret, struct err *e);

#endif

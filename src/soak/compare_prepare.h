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
    const char *const *name; /* borrowed */
    size_t names;
    bool same_libc;
};

struct prepared {
    char libc[PREPARE_NAME]; /* for --libc of every run; "" = each its own */
};

/* Returns 0, or -1 with a sentence that names the version. */
int compare_prepare(const struct prepare_request *q, struct prepared *ret, struct err *e);

/* The versions of a part that are known, oldest first: at most PREPARE_NAMES. */
struct prepare_list {
    char name[PREPARE_NAMES][PREPARE_NAME];
    size_t count;
};
int compare_prepare_list(enum compare_part part, struct prepare_list *ret, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A comparison that was kept, from its folder: what was asked by compare.json, what came of it by
 * the documents of its runs, judged again by the same rules. All of it is checked as a stranger's.
 */
#ifndef SOAK_COMPARE_KEPT_H
#define SOAK_COMPARE_KEPT_H

#include "base/err.h"
#include "compare_set.h"

#include <limits.h>

/* The file of what is kept: `path` itself, or `name` in that folder. Returns 0 or -1. */
int compare_kept_file(const char *path, const char *name, char file[PATH_MAX], struct err *e);
/* Whether `path` is a file of that name, or a folder that has one. */
bool compare_kept_has(const char *path, const char *name);
/* Whether `path` is a compare.json, or a folder that has one. */
bool compare_kept_is(const char *path);
/* Reads it and judges; compare_set_free. NULL with a sentence. */
struct compare_set *compare_kept_read(const char *path, struct err *e);
/* The same of a document, whose runs lie beside `file`. */
struct compare_set *compare_kept_of(const json_t *root, const char *file, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's package lists and packages, by the machine's apt with a state of its own: lists, cache
 * and sources for each pocket lie in the library cache under apt/POCKET, with an empty dpkg status.
 * Nothing of the system is changed. Signatures are checked with the keys the machine's apt has; a
 * mirror that is a folder, which the user named, is trusted. The cache's lock must be held.
 */
#ifndef SOAK_APT_H
#define SOAK_APT_H

#include "libs/lib.h"

#include <stdbool.h>
#include <stddef.h>

struct apt_pocket {
    const char *name, *suite, *base_suite; /* "bookworm-security", "bookworm", "bookworm" */
    bool security;
};

/* suites.def. NULL when there is no such entry. */
const struct apt_pocket *apt_pocket_at(size_t index);
const struct apt_pocket *apt_pocket_named(const char *name);

struct apt {
    const struct apt_pocket *pocket; /* NULL: all of the suite's */
    const char *name;                /* of the pocket or suite: borrowed */
    char folder[PATH_MAX], config[PATH_MAX + 16], log[PATH_MAX + 16];
};

struct apt_package {
    char version[LIB_VERSION];
    char depends[2048];
};

/* Makes the state of a pocket. `mirror`: an address, or NULL for that of the machine's apt. */
int apt_open(struct apt *a, const struct apt_pocket *pocket, const char *mirror, struct err *e);

/* The same for all pockets of a suite and of its base suite at once. `suite` is borrowed. */
int apt_open_suite(struct apt *a, const char *suite, const char *mirror, struct err *e);

/* Whether it has the packages of a base suite beside the suite's own. */
bool apt_has_base(const struct apt *a);

/* Fetches the lists when they are older than a day, or `now`. Returns 1 when it has, 0 when there
 * was no need, UV_ENOENT (with a sentence) when the mirror has no such pocket, or below 0. */
int apt_update(struct apt *a, bool now, struct err *e);

/* The versions of a package in the lists, which the caller frees; finding none is not an error. */
int apt_versions(const struct apt *a, const char *package, struct apt_package **ret,
                 size_t *ret_count, struct err *e);

/* Downloads packages ("libssl3=3.0.22-1", NULL-ended) into a folder. UV_ENOENT (with a sentence)
 * when the mirror no longer has one that is in its lists. */
int apt_download(const struct apt *a, const char *const *packages, const char *folder,
                 struct err *e);

/* Downloads packages ("nginx" or "nginx=1.22.1-9", NULL-ended) with all that they depend on, as for
 * a machine that has nothing. A package without a version is the suite's own, never its base
 * suite's. UV_ENOENT (with a sentence) when there is no such package or version, or no longer. */
int apt_download_closure(const struct apt *a, const char *const *packages, const char *folder,
                         struct err *e);

/* The name of the first package in a list of dependencies that begins so. Returns whether there is
 * one. */
bool apt_dependency(const char *depends, const char *prefix, char *ret, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries from Debian packages: files that lie in a folder are unpacked beside the cache's
 * libraries, looked at, and put in their place by one rename. The cache's lock must be held.
 */
#ifndef SOAK_DEB_PACKAGES_H
#define SOAK_DEB_PACKAGES_H

#include "libs/lib.h"

/* Unpacks all .deb of the folder `from`, or one, to what lies in `to`. */
int deb_packages_unpack_folder(const char *from, const char *to, const char *log, struct err *e);
int deb_packages_unpack(const char *file, const char *to, const char *log, struct err *e);

/* Finishes a library that was unpacked at NEW/root: looks at it (lib_examine), names it by its
 * upstream version, or by the exact one when another library has that name, and installs it in
 * place of the same version without headers, if there is such. Needs part, version, origin and
 * libc. */
int deb_packages_install(struct lib *l, const char *new_folder, struct err *e);

/* Whether this very version is in the cache, and with headers where the part has any. 1, 0 or -1.
 */
int deb_packages_have(enum lib_part part, const char *version, struct lib *ret, struct err *e);

/* Package files that make one library. All is the caller's. */
struct deb_files {
    const char *const *file;
    size_t count;
    const char *log; /* receives what dpkg-deb says */
};
/* Adds them. *ret_added is false when deb_packages_have it already. */
int deb_packages_add(const struct deb_files *files, struct lib *ret, bool *ret_added,
                     struct err *e);

#endif

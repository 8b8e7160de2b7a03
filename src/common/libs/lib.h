/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library: one version of a part, somewhere on this machine. In the cache its record is
 * libs/PART-NAME/lib.json; a prefix that a user built stays where it is and only its record is
 * there. Plain data, no ownership.
 */
#ifndef SOAK_LIBS_LIB_H
#define SOAK_LIBS_LIB_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum lib_part {
#define X(identifier, name, dev, runtime, header, first, second, oldest) LIB_##identifier,
#include "libs/parts.def"
    LIB_PARTS
};

/* A row of parts.def. */
struct lib_part_entry {
    const char *name, *dev_package, *runtime_package;
    const char *header;     /* below an include folder; NULL: needs none */
    const char *library[2]; /* the second may be NULL */
    const char *oldest;     /* "1.1.1": soak can't use older ones */
};

enum { LIB_NAME = 64, LIB_VERSION = 64, LIB_ORIGIN = 512, LIB_SONAMES = 2, LIB_INCLUDES = 2 };

struct lib {
    enum lib_part part;
    char name[LIB_NAME];       /* "3.0.22", "mine"; "" = no library */
    char version[LIB_VERSION]; /* exact: "3.0.22-1~deb12u2"; of a prefix what its header says */
    char origin[LIB_ORIGIN];   /* "debian:bookworm-security", "file:libssl3_....deb", "prefix" */
    char folder[PATH_MAX];     /* absolute: of the record, or the prefix that was named */
    size_t includes;           /* 0: it has no headers of its own */
    char include[LIB_INCLUDES][PATH_MAX]; /* absolute */
    char library_dir[PATH_MAX];           /* absolute, as the kernel would name it */
    size_t sonames;
    char soname[LIB_SONAMES][LIB_NAME]; /* files of library_dir: "libssl.so.3" */
    char glibc[LIB_NAME];               /* the newest GLIBC_ version it needs, "2.38"; "" = none */
    char libc[LIB_NAME]; /* the cached libc of its suite, when this machine's is too old; or "" */
};

const struct lib_part_entry *lib_part_entry(enum lib_part part);
/* LIB_PARTS when no part has this name. */
enum lib_part lib_part_named(const char *name);
/* Whether text may be a library's name: letters, digits and `.+~_-`, the first a letter or digit,
 * fewer than LIB_NAME. Such a name is safe as part of a path, of a search path and of a list. */
bool lib_name_ok(const char *text);

/* lib_json.c. Reads FOLDER/lib.json; every field is checked, and that the library's files are
 * there. Returns 0, or -1 with a sentence that names the file. */
int lib_read(const char *folder, struct lib *ret, struct err *e);
/* Writes the record into the folder `to` (a real path). Paths below it are written relative to it,
 * so that it can be renamed. */
int lib_write(const struct lib *l, const char *to, struct err *e);

/* lib_examine.c. Fills library_dir, sonames, glibc and includes from an unpacked tree or a prefix
 * at `root` (absolute), for l->part; the rest of `l` stays as it is. -1 with a sentence when a
 * library of the part is missing, is there only as an archive, or is for another machine; then `l`
 * is of no use. */
int lib_examine(struct lib *l, const char *root, struct err *e);
/* The part whose library lies below root, the first of parts.def; LIB_PARTS when there is none. */
enum lib_part lib_part_in(const char *root);

/* Whether a file that a process has mapped (its path as in /proc/PID/maps) is of this library. Of a
 * libc all files in its folder are. */
bool lib_owns(const struct lib *l, const char *mapped_path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private cache of libraries: $SOAK_CACHE, else $XDG_CACHE_HOME/soak, else $HOME/.cache/soak; a
 * folder of mode 0700. libs/PART-NAME/ holds each library with its record, apt/ what apt keeps,
 * log/ what the programs said that were started for it. Whoever adds or removes holds cache_lock;
 * readers need none, for a library comes and goes by one rename.
 */
#ifndef SOAK_LIBS_CACHE_H
#define SOAK_LIBS_CACHE_H

#include "libs/lib.h"

/* The root's path. -1 when none of the variables is set or the path can't be used in a search path
 * of the dynamic linker. Makes nothing. */
int cache_root(char *ret, size_t size, struct err *e);
/* Makes ROOT/`below` ("" = the root itself; "apt/sid") with mode 0700, with the folders above it.
 * Writes its path. -1 with a sentence that names the folder. */
int cache_make(const char *below, char *ret, size_t size, struct err *e);
/* Waits until no other process changes the cache, and removes what one that was interrupted left
 * half done. Returns a descriptor to be closed, or -1. */
int cache_lock(struct err *e);

/* libs/PART-NAME of the root. */
int cache_lib_folder(enum lib_part part, const char *name, char *ret, size_t size, struct err *e);

struct cache_list {
    struct lib *lib; /* owned; by part, then by version */
    size_t count;
    size_t broken;      /* folders whose record can't be used ... */
    struct err because; /* ... and why, of the first */
};

/* All libraries. A cache that isn't there is an empty one. Returns 0 or -1. */
int cache_list(struct cache_list *ret, struct err *e);
void cache_list_free(struct cache_list *list);

/* The library that `asked` means: its name, its exact version, or (version_means) its upstream
 * version; of several Debian revisions the newest. Returns 1, 0 when there is none, or -1 when
 * several upstream versions could be meant or its record is broken. */
int cache_find(enum lib_part part, const char *asked, struct lib *ret, struct err *e);

/* A new folder beside the libraries (a real path), to be filled and installed or dropped. */
int cache_new_folder(char *ret, size_t size, struct err *e);
void cache_drop(const char *new_folder);
/* Puts `folder` in the place of l->folder's last contents and sets the record. l->folder must be
 * what cache_lib_folder says. Nothing is changed when it returns -1. */
int cache_install(const struct lib *l, const char *folder, struct err *e);
/* Removes a folder with what is in it; a library's is renamed first, so that it goes at once. */
int cache_remove(const char *folder, struct err *e);

/*
 * What a user may ask for as a library: `system`, a prefix (it has a slash), a name or version of
 * the cache, or a version that Debian could have. Looking through Debian's suites takes minutes, so
 * what can't be a version is refused before.
 */
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

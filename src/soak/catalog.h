/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where scenarios are found: by name in scenarios/ of the project, in its folders too
 * (`family/name`), or by path.
 */
#ifndef SOAK_CATALOG_H
#define SOAK_CATALOG_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { CATALOG_MAX = 512, CATALOG_NAME = 128 };

struct catalog {
    size_t count;
    char name[CATALOG_MAX][CATALOG_NAME]; /* "smoke", "family/resume"; sorted */
};

/* The folder with scenarios/ and the sources of the server: of the clone, set by the launcher; what
 * was installed beside the program; else the present folder. */
const char *catalog_root(void);
/* Whether the program was installed, and belongs to no clone: then it writes nothing beside itself.
 */
bool catalog_is_installed(void);
/* The folder of soak-server, soak-client, soak-footprint and the probe: this program's own, or
 * where `cmake --install` put them. Returns 0 or -1. */
int catalog_programs(char *ret, size_t size, struct err *e);
/* The folder that was asked for; NULL: results/`kind` of the clone, or installed,
 * $XDG_STATE_HOME/soak/`kind`, written to `path`. */
const char *catalog_results(const char *asked, const char *kind, char path[PATH_MAX]);
/* A path below catalog_root() as it is typed and shown there; any other as it is. */
const char *catalog_below_root(const char *path);
/* Such a path as it is typed in the present folder: whole where nothing is there by the short one.
 * The answer is `path` or `buf`. */
const char *catalog_from_here(const char *path, char buf[PATH_MAX]);

/* The names of all scenarios; those beyond CATALOG_MAX are left out. */
void catalog_read(struct catalog *c);

/* Whether it ends in .soak or begins with / or . . */
bool catalog_is_path(const char *word);

/* The file that `word` means: a path as above, or a name, or else, with a slash in it, a path.
 * Returns 0, or -1 with a sentence that names it. */
int catalog_path(const char *word, char *path, size_t size, struct err *e);

/* Says that no `what` ("scenario") has the name `word`, and which was probably meant. Returns -1.
 */
int catalog_refuse(const char *what, const char *word, struct err *e);
/* The scenario's name that was probably meant, in buf; or NULL. */
const char *catalog_nearest(const char *word, char *buf, size_t size);

/* What a word that names a finished run, or suite, stands for: `last` is the latest in results/runs
 * that has the document (result.json, suite.json), unless a file has that name; any other word is
 * itself. The answer is `word` or `path`. */
const char *catalog_last(const char *word, const char *document, char *path, size_t size);

/* `nightly` of "scenarios/nightly.soak", printable: names the run's folder. */
void catalog_name(const char *word, char *name, size_t size);

/* What a scenario proves: the first sentences of the comment that it opens with, so many at the
 * most, or "". Returns buf. */
char *catalog_about(const char *path, size_t sentences, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which scenarios a suite's words name. A word is as for `soak run` (catalog.h), or a folder: by a
 * path with a slash or a dot before it, by its name in scenarios/, or else by its name here. A
 * folder stands for the *.soak files that lie in it, not for those below. A file is taken once,
 * however often it is named. The list is sorted by the scenarios' names, so that it is the same on
 * every machine and for every order of the words.
 */
#ifndef SOAK_SUITE_FILES_H
#define SOAK_SUITE_FILES_H

#include "base/err.h"

#include <stddef.h>

struct suite_file {
    char *path; /* owned; absolute, without links */
    char *name; /* owned */
    char *said; /* owned; the path as the words had it */
};

struct suite_files {
    struct suite_file *file; /* owned */
    size_t count;
};

/* Returns 0, or -1 with a sentence: a word that names nothing, a folder without scenarios, two
 * files of one name. suite_files_free is due either way. */
int suite_files_find(struct suite_files *f, const char *const *word, size_t words, struct err *e);
void suite_files_free(struct suite_files *f);

#endif

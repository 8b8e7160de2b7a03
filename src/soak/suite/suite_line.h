/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of `soak suite`: its own options, and every option of a run, which then counts
 * for each run of the suite.
 */
#ifndef SOAK_SUITE_LINE_H
#define SOAK_SUITE_LINE_H

#include "base/err.h"
#include "command.h"
#include "options/opts.h"
#include "scenario/scenario.h"
#include "suite_json.h"

#include <stddef.h>

struct suite_line {
    struct scenario run; /* [output] of it is the suite's own */
    const char *shard_text;
    struct suite_forms forms;
    bool fail_fast;
    uint64_t shard, of; /* 1 and 1 when the suite isn't divided */
    const char **word;  /* owned; what names scenarios: borrowed from argv */
    size_t words;
    struct forwarded_options forwarded_options; /* for each run */
};

/* The options of its own. */
enum { SUITE_LINE_OWN = 2 + SUITE_FORMS };
extern const struct opt suite_line_own[SUITE_LINE_OWN];

/* Reads argv[1..argc). Returns 0 or -1; suite_line_free is due either way. */
int suite_line_read(struct suite_line *line, int argc, char *const *argv, struct err *e);
/* The scenario in `path`, with the line's options over it, checked. Returns 0 or -1. */
int suite_line_scenario(const struct suite_line *line, const char *path, struct scenario *ret,
                        struct err *e);
void suite_line_free(struct suite_line *line);

/*
 * Which scenarios a suite's words name. A word is as for `soak run` (catalog.h), or a folder: by a
 * path with a slash or a dot before it, by its name in scenarios/, or else by its name here. A
 * folder stands for the *.soak files that lie in it, not for those below. A file is taken once,
 * however often it is named. The list is sorted by the scenarios' names, so that it is the same on
 * every machine and for every order of the words.
 */
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

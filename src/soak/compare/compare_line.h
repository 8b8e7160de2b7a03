/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command lines of `soak compare` and `soak bisect`: options of their own, and every option of
 * a run, which then counts for each run.
 */
#ifndef SOAK_COMPARE_LINE_H
#define SOAK_COMPARE_LINE_H

#include "command.h"
#include "compare_parts.h"
#include "compare_prepare.h"
#include "options/opts.h"
#include "scenario/scenario.h"

#include <limits.h>

enum { COMPARE_LINE_NAMES = 64 };

struct compare_line {
    struct scenario run;             /* of it [output] and the seed are the command's own */
    const char *list[COMPARE_PARTS]; /* the texts of --openssl, --libuv, --malloc */
    bool same_libc;
    int repeat;
    double tolerance;
    int side; /* enum compare_side; RUN: not asked for */
    const char *markdown, *html;
    const char *metric; /* bisect's; NULL: the verdict */
    const char **word;  /* owned; borrowed from argv */
    size_t words;
    char last[PATH_MAX];                        /* the path that the word `last` stands for */
    struct forwarded_options forwarded_options; /* for each run */
    /* What follows from the lists. */
    enum compare_part part; /* that has several names, or the first that has any */
    char *name[COMPARE_LINE_NAMES];
    size_t names;
    char *names_text;                       /* owned; name[] points into it */
    struct part_words fixed[COMPARE_PARTS]; /* of the parts that have one name */
};

/* The rows of a command's table that both have. */
#define COMPARE_LINE_AT(field) offsetof(struct compare_line, field)
#define COMPARE_LINE_PARTS(versions, of_openssl, of_malloc)                                        \
    {"openssl", OPT_STRING, COMPARE_LINE_AT(list[COMPARE_OPENSSL]), versions, NULL, of_openssl},   \
        {"libuv",  OPT_STRING, COMPARE_LINE_AT(list[COMPARE_LIBUV]),                               \
         versions, NULL,       "the same for libuv"},                                              \
        {"malloc", OPT_STRING, COMPARE_LINE_AT(list[COMPARE_MALLOC]), versions, NULL, of_malloc},  \
    {                                                                                              \
        "same-libc", OPT_FLAG, COMPARE_LINE_AT(same_libc), NULL, NULL,                             \
            "all versions on one libc, so that nothing else differs"                               \
    }
#define COMPARE_LINE_OUTPUT(where, brief)                                                          \
    {"results", OPT_STRING, COMPARE_LINE_AT(run.results), "FOLDER", NULL, where},                  \
        {"quiet", OPT_FLAG, COMPARE_LINE_AT(run.quiet), NULL, NULL, brief},                        \
    {                                                                                              \
        "color", OPT_CHOICE, COMPARE_LINE_AT(run.color), "WHEN", "auto|always|never",              \
            "when to use colour (default auto)"                                                    \
    }

/* Reads argv[1..argc) by the command's own table and that of a run into a line that is all zero but
 * for `repeat`, the usual number of rounds. Returns 0 or -1; compare_line_free is due either way.
 */
int compare_line_read(struct compare_line *line, const struct command *c, int argc,
                      char *const *argv, struct err *e);
/* Splits the lists: one part may have several names, the others one. Leaves names = 0 when there
 * is no list. Returns 0 or -1. */
int compare_line_names(struct compare_line *line, struct err *e);
/* The `..` of `A..B`, of one name or of a list; NULL when there is none. That of a path, `../tls`,
 * is none. */
const char *compare_line_range(const char *name);
/* The names as a request for their libraries. The line and the names must outlive it. */
struct prepare_request compare_line_request(const struct compare_line *line,
                                            const struct scenario *s);
/* The scenario of word 0 (or of none) with the line's options over it, checked: so that what can't
 * be run is said before anything is. Writes its name. Returns 0 or -1. */
int compare_line_scenario(const struct compare_line *line, struct scenario *ret, char *name,
                          size_t size, struct err *e);
/* Connections to close, of a run without a bound of its own; 0 when it has one. */
uint64_t compare_line_closed(const struct scenario *s);
/* Connections of a run that is made for the footprint of a program that isn't soak's; 0: soak's own
 * server has one by itself. */
uint64_t compare_line_alike(const struct scenario *s);
void compare_line_free(struct compare_line *line);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line from a table. The three programs describe their options once, as an array of
 * struct opt; parsing, `--help` and the error sentences come from the array. The struct behind
 * `target` belongs to the caller. Strings are borrowed from argv and live as long as it does.
 *
 * Accepts `--name value` and `--name=value`; a flag takes no value, or `--flag=true|false`. An
 * output's value may be left out: the next word is its file when it is `-` or ends in the suffix
 * that such files have, so `--json x.json` is `--json=x.json` and `--json smoke` leaves `smoke`.
 * What isn't an option is left in `words`, and so is everything after `--`. Unknown names are
 * refused with the nearest right one. An option given twice: the last one counts,
 * but for lists.
 */
#ifndef SOAK_OPTIONS_OPTS_H
#define SOAK_OPTIONS_OPTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum opt_type {
    OPT_FLAG,     /* bool */
    OPT_OFF,      /* bool: a flag such as no-probe, which makes it false */
    OPT_STRING,   /* const char *; an empty text makes it NULL, none */
    OPT_OUTPUT,   /* const char *; `--name` alone is "-", `--name=PATH` or `--name X.json` a path */
    OPT_INT,      /* int, plain decimal, not negative */
    OPT_COUNT,    /* uint64_t */
    OPT_SIZE,     /* uint64_t bytes */
    OPT_DURATION, /* uint64_t ns */
    OPT_RATE,     /* struct rate */
    OPT_PERCENT,  /* double 0..1 */
    OPT_GROWTH,   /* double bytes per connection */
    OPT_ONE_IN,   /* uint64_t N of `1/N`; `none` is 0 */
    OPT_HEX,      /* uint64_t, hexadecimal without 0x */
    OPT_CHOICE,   /* int: index of the value in `choices`, a string like "1.2|1.3" */
    OPT_LIST,     /* struct opts_list; may be given several times, each adds one */
    OPT_WEIGHTS   /* uint64_t for each of `choices`: `a=5,b`; those not named become 0 */
};

/* Room for the text of any option whose strings are within OPTS_STRING_LIMIT. */
enum { OPTS_STRING_LIMIT = 1000, OPTS_TEXT = 8192 };

/* Texts that are borrowed. NAME=VALUE replaces an earlier one of that name. */
enum { OPTS_LIST = 16 };
struct opts_list {
    const char *item[OPTS_LIST];
    size_t count;
};

struct opt {
    const char *name; /* without the dashes */
    enum opt_type type;
    size_t offset;       /* offsetof the field in the target struct */
    const char *metavar; /* NULL for a flag */
    const char *choices; /* of OPT_CHOICE and OPT_WEIGHTS; of OPT_OUTPUT the suffix, ".json" */
    const char *help;    /* one line, no full stop */
};

struct opt_bounds {
    const char *usual; /* the default as it would be typed; NULL: none, or 0 */
    struct {
        uint64_t least, most; /* of a number, in its unit; most 0: no limits */
    } limits;
};

/* A command line, argv[1..argc), and the options that it may have. */
struct opts_line {
    const struct opt *table;
    size_t options;
    int argc;
    char *const *argv;
    const struct opt_bounds *bounds; /* of each option, for sentences alone; NULL: they name none */
};

/* The words of a line that aren't options: borrowed from argv. */
struct opts_words {
    const char **word;
    size_t size, count; /* room for them; how many there are */
};

/* Parses a line into `target`. Returns 0, or -1 with a sentence such as
 * `--churn 1000: a rate needs a unit, such as 1000/s or 60000/m`; OPTS_STRANGER when it is about an
 * option that the table doesn't have, which is then the first that opts_stranger finds. */
enum { OPTS_STRANGER = -2 };
int opts_parse(const struct opts_line *line, void *target, struct opts_words *words, struct err *e);

/* The first word on a line that looks like an option and isn't in the table, or NULL. */
const char *opts_stranger(const struct opts_line *line);

/* Whether an option that stands without `=` takes `next` (may be NULL) as its value. */
bool opts_takes(const struct opt *option, const char *next);

/* Sets one option from text (for scenario files too). Strings are borrowed. Returns 0 or -1; the
 * sentence doesn't name the option. */
int opts_set(const struct opt *option, void *target, const char *text, struct err *e);
/* The same, of one whose bounds (may be NULL) the sentence names. */
int opts_set_bounded(const struct opt *option, const struct opt_bounds *bounds, void *target,
                     const char *text, struct err *e);

/* Prints one option's present value in the form that opts_set reads back. Flags print true|false,
 * a list its items, one a line. */
char *opts_print(const struct opt *option, const void *target, char *buf, size_t size);

/* Calls `on_option` with the place in the table of each option that a line gives, in its order. The
 * line is one that opts_parse has accepted. */
void opts_walk(const struct opts_line *line, void (*on_option)(void *ctx, size_t index), void *ctx);

/* The entry named `name`, or NULL. opts_nearest: the name that was probably meant, or NULL. */
const struct opt *opts_find(const struct opt *table, size_t table_count, const char *name);
const char *opts_nearest(const struct opt *table, size_t table_count, const char *name);

/* The width of a help text that no terminal reads, and the most of one that a terminal does. */
enum { OPTS_COLUMNS = 80 };
/* `  --churn RATE     replacements per second ... (default 1000/s)` for each entry, in lines of at
 * most `columns`. The defaults are those of `defaults`, a target; NULL: none are told. */
void opts_help(const struct opt *table, size_t table_count, const void *defaults, int columns,
               FILE *out);
/* The default as help shows it. "" where there is nothing to tell: a flag, weights, no text,
 * and a 0 that stands for "not given". */
char *opts_default(const struct opt *option, const void *defaults, char *buf, size_t size);
/* Goes from column `used` to where a text of help begins: `left`, on the next line if that is
 * taken; where the lines are short, always on the next one and near the margin. Returns its column.
 */
int opts_left(int used, int left, int columns, FILE *out);
/* Prints `text` from column `left` on, broken at blanks, in `columns`. The line has been filled up
 * to there. */
void opts_wrap(const char *text, int left, int columns, FILE *out);

/* The option type OPT_WEIGHTS: `clean=50,reset` sets those and makes all others 0; a name alone
 * weighs 1; `none` is no name at all. Private
 * to opts. `weights` has a place for each name in `names`. Returns 0, or -1 and nothing is changed.
 */
int opts_weights_set(uint64_t *weights, const char *names, const char *text, struct err *e);
/* Prints what opts_weights_set reads back. */
char *opts_weights_print(char *buf, size_t size, const char *names, const uint64_t *weights);

#endif

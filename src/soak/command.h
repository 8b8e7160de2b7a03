/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command of soak with options of its own: its help and its refusals, from one table.
 */
#ifndef SOAK_COMMAND_H
#define SOAK_COMMAND_H

#include "options/opts.h"
#include "scenario/scenario.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct command {
    int (*run)(int argc, char *const *argv); /* argv[0] is the command's name. An exit code */
    const char *name, *words;                /* "calibrate", "[OPTIONS]" */
    const char *line;          /* what it is for, in a few words; NULL: it isn't listed */
    const char *about, *after; /* paragraphs of the help, each ends with a newline */
    const struct opt *table;
    size_t options;
    const void *defaults; /* a target of the table, for the help; NULL: none is told */
    const char *choices;  /* what its first word is, "add|remove"; NULL: anything, or none */
    bool takes_run;       /* a scenario and a run's options, too */
};

/* The launcher runs soak as soon as it alone is built, with SOAK_UNBUILT set: what needs no more
 * than that is done, and what is refused is refused at once. A line that would start something ends
 * with EXIT_UNBUILT instead, before anything was printed; it is run again when all is built. */
bool command_is_unbuilt(void);

/* The columns that lists and help are wrapped to: the terminal's, at most OPTS_COLUMNS. */
int command_columns(FILE *out);
/* Prints paragraphs of help, a line each in `text`, wrapped. Of a line that begins with a blank
 * what stands behind a gap of two blanks is wrapped beside what is before; without such a gap it is
 * a command, and whole. */
void command_print_text(const char *text, FILE *out);

/* The line of a command. */
struct command_line {
    const char *command; /* its name: "run" */
    struct opts_line opts;
    const char *kept; /* the option of a run that the command takes for itself; NULL: none */
};

/* opts_parse into `target`; an option that the command doesn't have is refused by
 * what soak calls what was typed, or by which command has it. Returns 0 or -1. */
int command_line_parse(const struct command_line *line, void *target, struct opts_words *words,
                       struct err *e);
/* Reads argv[1..argc) into `target`. Returns -1 to go on; or an exit code: 0 after --help was
 * printed, 2 after a refusal (of an option, or of any word that isn't one). */
int command_parse(const struct command *c, int argc, char *const *argv, void *target);
/* The same for a command that takes words. */
int command_parse_words(const struct command *c, int argc, char *const *argv, void *target,
                        struct opts_words *words);
/* Whether argv[1..argc) has --help or -h. */
bool command_asks_help(int argc, char *const *argv);
/* Prints the command's help if argv[1..argc) asks for it. Returns whether it did. */
bool command_helped(const struct command *c, int argc, char *const *argv);
/* The seed that was asked for; one by chance, never 0, where that is 0. */
uint64_t command_seed(uint64_t asked);
/* Says `soak: NAME: sentence` on stderr. Returns the exit code for it, 2. */
int command_refuse(const struct command *c, const struct err *e);
/* Writes the document (takes the reference) where --json says. Returns the exit code, 0 or 2. */
int command_document(const struct command *c, json_t *document, const char *path);
/* The same as command_refuse for what came back with `rc`: 130 when that is -EINTR, as spawn_run's,
 * interrupted; 77 when it is -ENOENT, as program_make's: no mirror has it. */
int command_ended(const struct command *c, int rc, const struct err *e);

/*
 * Options on the line of a command that are meant for each of its runs.
 */
/* With the words that a command adds of its own, at most 25, they fit SUBRUN_WORDS (run_process.h).
 */
enum { PASSED_ON_MAX = 64 };

/* Whether it says how a single run is to exit, which a command of many runs can't obey: such an
 * option of a run is none of theirs. */
bool command_is_of_one_run(const char *option);

struct forwarded_options {
    char *option[PASSED_ON_MAX + 1]; /* owned, NULL-ended: `--churn=max` */
    int options;
};

/* Reads a line that may have the command's own options (`own`) and those of a run, into `target`,
 * which begins with a struct scenario. words->word is made, and the caller's to free. What counts
 * for each run is collected: the options of a run but for those that the command has itself, keeps,
 * or that are of the section [output]. Returns 0 or -1; forwarded_options_free is due either way.
 */
int forwarded_options_read(struct forwarded_options *p, const struct command_line *own,
                           void *target, struct opts_words *words, struct err *e);
/* Puts them over a scenario, of whose file `o` has the lines, and checks it. Returns 0 or -1; the
 * sentence says in which line of a file the option stands. */
int forwarded_options_apply(const struct forwarded_options *p, struct scenario *s,
                            struct scenario_origin *o, struct err *e);
void forwarded_options_free(struct forwarded_options *p);

#endif

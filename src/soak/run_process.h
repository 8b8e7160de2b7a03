/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs of this same program as child processes: how `soak selftest` and `soak calibrate` measure. A
 * loop of its own; one run at a time, or several side by side. The results of a run lie in a
 * temporary folder that is removed unless its caller keeps it.
 *
 * An interrupt (guard.h) ends what is under way at once and is remembered, so that a caller
 * can print what it has and exit with 130. When the caller dies, so do the runs under way.
 */
#ifndef SOAK_RUN_PROCESS_H
#define SOAK_RUN_PROCESS_H

#include "base/err.h"
#include "base/scratch.h"
#include "command.h"
#include "guard.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { SUBRUN_WORDS = 96 };

struct run_process {
    uv_loop_t loop;
    struct interrupts interrupts;
    struct run_process_job *jobs; /* under way, or ended and not yet handed over; owned */
    bool interrupted;
    /* SIGINT reaches the run as it is, and an interrupted run is a result, too: set by
     * run_process_open_in_order, or by the caller. */
    bool in_order;
    struct scratch scratch; /* all runs' results: made by run_process_open; else none */
    size_t runs;
};

/* What one run left. */
struct run_process_result {
    json_t *document; /* soak/1: owned by the caller; NULL = none */
    int exit_code;    /* -1 when a signal ended it */
    char said[512]; /* on stderr, at the end: its verdict line, or why it has none or isn't kept */
    char complaint[512]; /* what soak said last before the verdict line; "": nothing */
    char folder[SCRATCH_PATH + 32];
};

/* `name` is part of the temporary folder's name. Returns 0 or -1. */
int run_process_open(struct run_process *s, const char *name, struct err *e);
/* Runs `soak run --churn max --quiet --json=- WORDS...` to its end (`words` NULL-ended or
 * SUBRUN_WORDS / 2 of them). Returns 0, or -1 when it can't be started or was interrupted
 * (unless in_order, when that is s->interrupted); then nothing is written. */
int run_process_execute(struct run_process *s, const char *const *words,
                        struct run_process_result *ret, struct err *e);
/* Whether an interrupt came, with its sentence. */
bool run_process_interrupted(struct run_process *s, struct err *e);
/* Several side by side: starts one with these words; `owner` (borrowed) tells them apart. Returns
 * 0, or -1 as above. */
int run_process_start(struct run_process *s, const char *const *words, void *owner, struct err *e);
/* Waits until one of those that were started, at least one, has ended. Returns 0 or -1 as above,
 * with its owner in any case. */
int run_process_next(struct run_process *s, void **ret_owner, struct run_process_result *ret,
                     struct err *e);
/* Ends all that are under way, and forgets them. */
void run_process_abandon(struct run_process *s);
/* For runs that are results in their own right: without `--churn max` and no temporary folder;
 * SIGINT reaches the run, so that it ends in order with what it has seen; SIGTERM and SIGHUP end it
 * at once (in_order). Returns 0 or -1. */
int run_process_open_in_order(struct run_process *s, struct err *e);
/* Frees the document, and removes the run's folder unless it is to be kept. */
void run_process_done(struct run_process *s, struct run_process_result *result, bool keep);
/* Removes what isn't kept. */
void run_process_close(struct run_process *s);

/*
 * A command that measures by many runs of soak (`selftest`, `calibrate`): its options and refusals,
 * the folder of its runs, and what it exits with.
 */
struct command_runs {
    const struct command *command;
    void *options;           /* borrowed: the command's table writes it */
    void *owner;             /* borrowed: handed to the calls below */
    struct run_process *sub; /* borrowed: opened before `run` and closed at the end */
    /* What is wrong with the options: 0, or -1 with a sentence. */
    int (*check)(void *owner, struct err *e);
    /* All runs: 0, or -1 when soak can't be run or an interrupt came. */
    int (*run)(void *owner, struct err *e);
    /* Prints what was measured, of an interrupted command too. Whether all was as it must be. */
    bool (*summarise)(const void *owner);
};

/* `12 of 200 runs`: on a terminal in one line, which run_process_progress_end takes away (due
 * before anything else is printed, and at the end: command_runs); else a line for each tenth. */
void run_process_progress(uint64_t done, uint64_t all);
void run_process_progress_end(void);
/* Returns the exit code: 0, 1 when something isn't as it must be, 2 usage, 4 when soak can't be
 * run, 130 interrupted. */
int command_runs(const struct command_runs *c, int argc, char *const *argv);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of a comparison: every version once per round, in an order that rotates, so that a
 * machine that grows slower or faster does so to all of them.
 */
#ifndef SOAK_COMPARE_WORK_H
#define SOAK_COMPARE_WORK_H

#include "archive/run_dir.h"
#include "compare_line.h"
#include "compare_set.h"
#include "run_process.h"

#include <stdio.h>

/* What is under way. */
struct compare_work {
    const struct compare_line *line;
    struct compare_set *set;
    const char *libc;       /* for every run; "" = none */
    uint64_t closed;        /* for every run; 0 = the scenario's own bound */
    bool client;            /* they are runs of --client */
    bool footprint;         /* what a connection costs is compared, too */
    uint64_t alike;         /* connections of a run for the footprint alone; 0: there is none */
    bool searches;          /* not all planned runs may be needed */
    uint64_t spent_ns;      /* on the runs that are done */
    FILE *progress;         /* NULL: quiet */
    struct run_process sub; /* opened by compare_work_open */
    struct run_dir dir;
};

/* The runs of a scenario: on which libraries, of what length. The set gets what is counted. */
struct compare_work compare_work_of(const struct compare_line *line,
                                    const struct scenario *scenario, struct compare_set *set,
                                    const char *libc);
/* Whether its folder can be made, before anything is fetched or built. Returns 0 or -1. */
int compare_work_check(const char *kind, const char *base, struct err *e);
/* Makes the comparison's folder and its set's head. Returns 0 or -1. */
int compare_work_open(struct compare_work *w, const char *kind, const char *base, const char *name,
                      struct err *e);
/* Runs version `i` in round `round` and adds what it says. Returns 0; or -1: interrupted
 * (w->sub.interrupted) or stuck, with a sentence. `ret_code` is the exit code for a version that
 * can't be had at all: 2; else 4. */
int compare_work_one(struct compare_work *w, size_t i, uint64_t round, int *ret_code,
                     struct err *e);
/* All rounds; compare.json is written after each run. Sets the set's state, and what it exits with.
 * Returns 0, or -1 when it is stuck. */
int compare_work_all(struct compare_work *w, struct err *e);
/* Writes compare.json as the set is now. Returns 0 or -1. */
int compare_work_save(struct compare_work *w, struct err *e);
void compare_work_close(struct compare_work *w);

#endif

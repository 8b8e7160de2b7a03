/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --loop: a client program that is started anew for each run, one after the other, with another
 * number of connections each time. An epoch is a run: soak's server accepts while the program runs,
 * and what its process held at its end stays in its page until the next one begins.
 */
#ifndef SOAK_RUN_LOOP_H
#define SOAK_RUN_LOOP_H

#include "evidence/loop.h"

struct run;
struct subject;
struct history_sample;

struct run_loop {
    struct loop_record record;
    uint64_t asked[PAGE_EPOCHS]; /* of each run */
    uint64_t accepted;           /* by the server, before this run */
    bool ended;                  /* the program of this run has */
    int looks;                   /* at what it has mapped: at most two */
    uint64_t status;             /* with which */
    uint64_t failed;             /* connections, until Ctrl-C ended one's program */
    bool cut;                    /* it did */
};

/* Begins the next run. Returns false, having done nothing, when there is none. */
bool loop_next(struct run *r);
/* The program runs. */
void loop_started(struct run *r);
/* Now and then while it does. */
void loop_poll(struct run *r);
/* A subject's process has ended: whether that ends a run, as it should. */
bool loop_ended(struct run *r, const struct subject *s);
/* Ctrl-C: this run is the last, and doesn't count. */
void loop_interrupted(struct run *r);
/* How many of the load's connections failed, of any run; those that Ctrl-C cut are left out. */
uint64_t loop_failed(const struct run *r);
/* Keeps the sample of the run that has ended, in the judged subject's history. Returns 0 or -1. */
int loop_keep(struct run *r, const struct history_sample *sample, struct err *e);
/* Whether the run to come is the last: its call stacks are taken. */
bool loop_is_last(const struct run *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of a week in seconds: the orchestrator's own plan, samples, checkpoints, evidence, verdict
 * and documents, over two programs that are figures in their probe pages, by a clock that is
 * turned on. Nothing is started. One at a time.
 */
#ifndef SOAK_TESTS_WEEK_SIM_H
#define SOAK_TESTS_WEEK_SIM_H

#include "run/run.h"

enum { WEEK_CONNS = 30, WEEK_PER_S = 1000 };

/* What the server does with memory. */
struct week_server {
    uint64_t leaks_one_in;         /* a block at every Nth connection; 0: none */
    uint64_t cache, caches_one_in; /* entries, and at every Nth connection a new one; 0: none */
    bool unsampled;                /* no sample by the clock */
};

struct week {
    struct run run;
    struct scenario scenario;
    struct scenario_origin origin;
    struct programs programs;
    struct week_server server;
    uint64_t cached;                 /* entries made so far */
    uint64_t cached_in[PAGE_EPOCHS]; /* and those that are in it, by the epoch of their birth */
    uint64_t oldest_cached;          /* the first epoch that has any */
    uint64_t ticks, spike_at;        /* ticks: seconds in which connections were made */
    size_t own_first_day, own_most;  /* what this process had allocated after a day; the most */
};

/* A run of so many connections whose folder is made in `base`; week_end is due. */
void week_begin(struct week *w, const struct week_server *server, uint64_t closed,
                const char *base);
/* Goes through all of it, to the last judgement. */
void week_run(struct week *w);
/* What the run leaves: result.json and what is made of it. Returns the verdict. */
enum verdict week_publish(struct week *w);
void week_end(struct week *w);
/* Turns the clock on while nothing happens. */
void week_sleep(uint64_t ms);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose memory grows outside OpenSSL's allocator: by jemalloc's heap profile, when the judge has
 * found such growth. It runs after everything is judged, over two steps of the plan (PLAN_PROFILE),
 * because while every allocation is sampled each small block takes a page or more, and the figures
 * of the heap mean nothing. Both steps end with the same number of open connections, so what they
 * hold cancels out.
 */
#ifndef SOAK_PROFILER_H
#define SOAK_PROFILER_H

#include "profile/heap_dump.h"
#include "stats/judge/judge.h"

#include <stdbool.h>
#include <stdint.h>

struct run;

/* One subject's. */
struct profiler {
    bool wanted;
    struct heap_dump first;  /* owned */
    uint64_t opened;         /* connections at the first dump */
    struct heap_dump growth; /* owned: what grew until the second, most bytes first */
    uint64_t connections;    /* opened meanwhile; 0 = no profile */
};

/* The heap's growth outside OpenSSL is a finding; it may become one. */
bool profiler_wants(const struct judgement *j);
bool profiler_suspects(const struct judgement *j);

/* Before the first of the two steps: prepares the subjects whose heap is to be profiled. */
void profiler_begin(struct run *r);
/* What the `settle` line says to a subject beside its id, for r->settle. Returns buf. */
char *profiler_words(const struct run *r, size_t subject, char *buf, size_t size);
/* Both subjects have settled and dumped: reads the dumps. What can't be read gives no stacks. */
void profiler_read(struct run *r);
void profiler_fini(struct profiler *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run shows while it goes on, on stderr: a block of fixed height on a terminal (terminal.h),
 * redrawn four times a second; elsewhere one plain line per phase and every 30 seconds. Reads plain
 * data only.
 */
#ifndef SOAK_LIVE_H
#define SOAK_LIVE_H

#include "stats/judge/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_facts {
    const char *phase; /* "warming up", "measuring", "replacing the last connections", ... */
    const char *scenario, *libs;
    char tls[16], key[16]; /* their options' values */
    uint64_t conns, seed;
    double asked_per_s; /* 0 = max */
    int epoch, epochs;  /* 1-based, and about how many */
    enum unit unit;     /* of `closed` */
    uint64_t closed, elapsed_ms;
    uint64_t begun, total; /* so far, and what the run aims at */
    double left_ms;        /* NAN = not known yet, or soon over */
    double rate_per_s;
    uint64_t open; /* handshakes included */
    uint64_t p50_ns, p99_ns, errors;
    bool outside; /* its blocks can't be counted, nor its objects */
    int64_t blocks, survivors, ssl_objects, sessions, x509s;
    bool has_heap;                         /* its allocator tells */
    uint64_t heap_bytes, rss_bytes;        /* RSS as ps says it: VmRSS */
    double heap_per_conn, heap_half_width; /* NAN = not known well enough */
    double one_in;                         /* sensitivity so far; 0 = none */
    bool growing;
};

/* What can be said by now: `nothing grows; would have shown one lost block in 2,000 connections`.
 */
char *live_so_far(const struct live_facts *f, char *buf, size_t size);
/* In whole seconds: `4s`, `1m05s`. Both return buf. */
char *live_seconds(char *buf, size_t size, double ms);

struct live;

/* Draws on stderr. The terminal's size is found out at each drawing. NULL when out of memory. */
struct live *live_new(void);
/* A new step of the run begins, of the phase before or of a new one. */
void live_phase(struct live *l, const struct live_facts *facts);
/* Whether a tick at this time shows anything, so that nothing is read for one that doesn't. */
bool live_due(const struct live *l, uint64_t elapsed_ms);
/* Four times a second, when one is due. */
void live_tick(struct live *l, const struct live_facts *facts);
/* One sentence that stays, above the block. */
void live_note(struct live *l, const char *text);
/* Removes the block, so that what follows stands in its place. Frees. NULL is fine. */
void live_free(struct live *l);

#endif

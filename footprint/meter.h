/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exact meter of OpenSSL's allocations, for one thread that plays both ends of a connection in
 * turn. Each call is counted to its site (OpenSSL's file and line) and to the end whose step is
 * running; what is alive is looked at by stages.
 *
 * The blocks are exactly as OpenSSL asked for them: what the meter knows lies in tables of its own,
 * in shared memory that no figure of the process's private memory includes. The tables are fixed;
 * what finds no place makes the measurement an error, never a wrong figure. Speed doesn't matter
 * here: probe/ledger.h is the meter for servers under load.
 */
#ifndef SOAK_FOOTPRINT_METER_H
#define SOAK_FOOTPRINT_METER_H

#include "base/err.h"
#include "base/footprint_names.h"

#include <stddef.h>
#include <stdint.h>

/* Whose step is running when it is neither end's. */
enum { METER_NOBODY = FOOTPRINT_END_COUNT };

struct meter_limits {
    size_t blocks, sites; /* alive at a time; in all */
};

/* Of one end since meter_begin. `bytes` are those asked for, a reallocation's new size too. */
struct meter_calls {
    uint64_t allocs, reallocs, bytes;
};

/* Of one end and stage: what was alive then of the blocks made since meter_begin. After
 * meter_finish without those that outlived the connection. */
struct meter_held {
    uint64_t allocs; /* made until then, the freed ones too */
    uint64_t blocks, bytes;
};

struct meter_end {
    struct meter_calls calls;
    uint64_t live_bytes, peak_bytes; /* the peak until the end's handshake is complete */
    struct meter_held held[FOOTPRINT_STAGE_COUNT];
    uint64_t kept_blocks, kept_bytes; /* after meter_finish: what outlived the connection */
};

struct meter_site_end {
    struct meter_calls calls;
    uint64_t idle_bytes; /* as held[FOOTPRINT_IDLE].bytes */
};

struct meter_site {
    const char *file; /* OpenSSL's own text */
    int line;
    uint64_t caller; /* a return address in the function that allocates, or 0: not certain */
    struct meter_site_end end[FOOTPRINT_END_COUNT];
};

/* Hooks OpenSSL's allocations; before its first one, once per process. Returns 0 or -1. */
int meter_start(const struct meter_limits *limits, struct err *e);

/* From here on the calls are this end's (enum footprint_end or METER_NOBODY). */
void meter_enter(unsigned int end);

/* A new connection: all figures from zero. */
void meter_begin(void);
/* Looks at what is alive of the end. */
void meter_look(enum footprint_end end, enum footprint_stage stage);
/* The connection has been freed: whatever is still alive of it is taken out of what was held. */
void meter_finish(void);

/* Valid until the next call of the meter. */
const struct meter_end *meter_end_of(enum footprint_end end);
size_t meter_site_count(void);
const struct meter_site *meter_site_at(size_t index);

/* Returns -1 when a table has overflown or OpenSSL has freed what it never allocated: no figure is
 * to be trusted then. */
int meter_check(struct err *e);

#endif

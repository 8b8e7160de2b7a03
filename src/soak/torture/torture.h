/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--fail-alloc`: counts the OpenSSL allocations of one connection and fails each in turn, one per
 * connection, on the server's side and on the client's. After each the pair is back at no open
 * connection and its ledger is compared with before. Blocks that stay are looked at again with the
 * same allocation failing until they no longer stay (made once: no finding) or have stayed each
 * time (lost: a finding). A side that dies or hangs is a finding too; the pair is started anew and
 * the sweep goes on.
 */
#ifndef SOAK_TORTURE_H
#define SOAK_TORTURE_H

#include "archive/run_dir.h"
#include "base/names.h"
#include "scenario/scenario.h"
#include "symbol/symbol.h"
#include "torture_step.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TORTURE_KINDS(X)                                                                           \
    X(TORTURE_LOST, "lost")       /* stays, each time */                                           \
    X(TORTURE_CRASH, "crash")     /* a side died */                                                \
    X(TORTURE_HANG, "hang")       /* a side waited in vain, or answered no more */                 \
    X(TORTURE_DAMAGED, "damaged") /* connections fail afterwards, without an allocation failing */ \
    X(TORTURE_ONCE, "kept-once")  /* stays, and after some repeats no longer: no finding */

enum torture_kind { TORTURE_KINDS(ENUM_ID) };

const char *torture_kind_name(enum torture_kind kind);

/* A call stack by names, for people: who asked for memory, on behalf of which call of ours. */
enum { TRACE_LINES = 20, TRACE_TEXT = 128 };

struct trace {
    char call[64]; /* what the program called of the library, such as "SSL_new", or where */
    size_t lines;
    char line[TRACE_LINES][TRACE_TEXT]; /* innermost first, the allocator's own left out */
};

enum { TORTURE_NUMBERS = 16, TORTURE_BEHAVIOURS = PAGE_BEHAVIOURS };

/* What failed allocations led to. Those that led to the same are one finding. */
struct torture_finding {
    enum torture_kind kind;
    int side, kept_side;              /* whose allocation failed; where the blocks stay */
    uint64_t behaviours;              /* a bit for each in which it was met */
    uint64_t times;                   /* failed allocations that led to it */
    uint64_t number[TORTURE_NUMBERS]; /* the first of them, rising within a behaviour */
    uint64_t repeats, stayed;         /* the first one once more; and how often it stayed then */
    struct step step;                 /* the first one */
    struct trace failed, end, stays; /* the allocation; the end of a side; the largest that stays */
};

/* One side and behaviour. */
struct torture_sweep {
    int side;
    size_t behaviour;
    uint64_t least, most; /* allocations of a connection in which none fails */
    uint64_t tried, not_reached;
    uint64_t failed,
        went_on; /* connections that failed and were ended; that did all they were to */
    uint64_t count[TORTURE_ONCE + 1]; /* by kind, of failed allocations */
};

/* A connection of a sweep in which one allocation fails, or none (number 0), and what became of
 * it. */
struct attempt {
    struct torture_sweep *sweep; /* borrowed */
    uint64_t number;
    struct step step;
};

struct torture {
    /* The owner's, borrowed. */
    const struct scenario *scenario;
    const char *name;
    struct run_dir *dir;
    uint64_t part, parts;

    struct bench bench;
    char behaviour[TORTURE_BEHAVIOURS][24];
    size_t chosen[TORTURE_BEHAVIOURS], behaviours; /* those that have a weight */
    struct torture_sweep *sweep;                   /* owned */
    size_t sweeps;
    struct torture_finding **finding; /* owned */
    size_t findings;
    uint64_t started_ns, told_ns, elapsed_ns;
    unsigned starts; /* of the pair */
    bool confirms;   /* the step is one that hung before: it is a finding if it does so again */
    bool complete;
    char broken[512];      /* why it couldn't be done; "" = it could */
    const char *unwritten; /* which of its outputs couldn't be written; NULL: all could */
};

/* Runs the whole. `bench.pair` has its owner's fields. Sets `complete`, or `broken`, or neither
 * when it was interrupted. */
void torture_execute(struct torture *t);
void torture_fini(struct torture *t);

/* torture_case.c: starts the pair and warms it up. Returns false when that can't be done. */
bool torture_start(struct torture *t);
/* One step, written down. Starts the pair anew when it has ended. Returns false when the sweep
 * can't go on. */
bool torture_step(struct torture *t, struct attempt *a);
/* A connection failed without any allocation failing in it. Starts the pair anew; returns false
 * when the sweep can't go on. */
bool torture_damaged(struct torture *t, const struct attempt *a);
/* One allocation of a sweep. Returns false when the sweep can't go on. */
bool torture_case(struct torture *t, struct torture_sweep *w, uint64_t number);

/* torture_finding.c: the same finding made before, or NULL. */
struct torture_finding *torture_known(const struct torture *t, const struct attempt *a,
                                      enum torture_kind kind, int kept_side);
/* Counts what is known, or adds it. Returns the finding when it is new. */
struct torture_finding *torture_find(struct torture *t, const struct attempt *a,
                                     enum torture_kind kind, int kept_side);
/* The same of a step that has ended the pair, which isn't started anew yet. Those that end a side
 * in other functions are other findings, though the same allocation failed. */
void torture_find_end(struct torture *t, const struct attempt *a);
/* Allocations that failed: those whose turn came and that were asked for. */
uint64_t torture_failed(const struct torture *t);
/* Failed allocations that led to a finding. */
uint64_t torture_found(const struct torture *t);
/* A stack of one side by names; by addresses where it has none. `crash`: the stack begins in a
 * signal handler. From the main thread (see symbols_open). */
void torture_trace(struct torture *t, int side, const struct step_stack *stack, bool crash,
                   struct trace *ret);
/* Says why it can't be done, once. Returns false. */
bool torture_break(struct torture *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `soak run --fail-alloc`, whose options have been checked. Returns the exit code: 0 no findings, 1
 * findings, 2 it can't be started, 4 broken, 130 interrupted. */
int torture_run(const struct scenario *s, const char *name, const struct programs *programs,
                const char *base, uint64_t seed);

#endif

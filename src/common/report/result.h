/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of a run as plain data: the one object from which the text on the screen, result.json
 * and every later format are written, so that they can't disagree. Filled by the orchestrator.
 * Strings and arrays are borrowed: they live as long as the run.
 */
#ifndef SOAK_REPORT_RESULT_H
#define SOAK_REPORT_RESULT_H

#include "base/hist.h"
#include "stats/attribution/attribution.h"
#include "stats/judge/canary.h"
#include "stats/judge/judge.h"
#include "symbol/symbol.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RESULT_SUBJECTS = 2,
    RESULT_COURSES = 6,
    RESULT_LIBS = 16,
    RESULT_SKIPPED = 16,
    RESULT_AGENTS = 32,
    RESULT_LOOPS = 48
};

struct result_lib {
    const char *name, *version; /* "openssl", "3.0.19" */
};

/* A library that the server in fact had mapped. */
struct result_mapped {
    const char *part, *file; /* "openssl", "/usr/lib/.../libssl.so.3" */
    const char *version;     /* NULL: not known */
    const char *origin;      /* where it was fetched from; NULL: this machine's own */
};

struct result_site {
    const char *file;
    uint32_t line;
    JUDGE_ROW;
    const char *why;
    const char *attribution; /* the behaviours that it follows: "reset", "all"; NULL: not told */
    size_t births;           /* 0: not known */
    const int64_t *born;     /* blocks alive at the last checkpoint, by the epoch of their birth */
    /* The same at each checkpoint, those of the epochs until then, one checkpoint after the other
     * (result_alive). NULL: not known; the first RESULT_COURSES sites have it. */
    const int64_t *alive;
};

/* Where in `alive` the blocks of an epoch are at a checkpoint that isn't before; and how many
 * numbers `alive` has over so many checkpoints. */
static inline size_t result_alive(size_t birth, size_t checkpoint)
{
    return checkpoint * (checkpoint + 1) / 2 + birth;
}
static inline size_t result_alive_count(size_t checkpoints)
{
    return result_alive(0, checkpoints);
}

struct result_census {
    const char *class_;
    int64_t start, end;
};

/* Live regions of one of jemalloc's size classes. */
struct result_size_class {
    uint64_t size;
    int64_t start, end;
};

/* A figure of a subject at each checkpoint, warm-up included: what a chart needs. */
struct result_series {
    const char *id, *unit; /* as the metric's */
    size_t count;
    const uint64_t *closed; /* connections, or operations, closed until then */
    const double *value;
};

/* A call stack whose blocks survived. `file` NULL: outside OpenSSL's allocator, by jemalloc. */
struct result_stack {
    const char *file;
    uint32_t line;
    int64_t blocks, bytes;
    uint64_t epoch; /* of birth: the first of those that are counted here */
    uint64_t last;  /* and the last; 0 and IMAGE_LOADED when not known */
    size_t addresses;
    const uint64_t *address; /* return addresses, innermost first */
    size_t frames;
    const struct symbol *frame; /* the same by name, without the allocator's own */
};

/* A site whose stacks were taken, with the ledger's own count of its survivors. */
struct result_capture_site {
    const char *file;
    uint32_t line;
    int epochs; /* in which they were taken */
    int64_t blocks, bytes;
};

struct result_capture {
    uint64_t taken, lost; /* blocks whose stack was taken, and those that found no place */
    size_t sites;
    const struct result_capture_site *site;
    size_t stacks; /* most survivors first */
    const struct result_stack *stack;
    uint64_t stacks_dropped;   /* the smallest ones, for want of room */
    double cpu_us_per_conn;    /* in the epochs that took stacks; 0 = there were none */
    uint64_t heap_connections; /* the stacks of the heap grew over so many; 0 = not profiled */
};

struct result_behaviour {
    const char *name; /* "clean", ...; "failed" for connections that did none of them */
    double one_in; /* one lost block per this many of its connections would have shown; 0 = none */
    struct behaviours_share share; /* of the connections that the verdict rests on */
};

/* Which behaviour loses what: stats/attribution. */
struct result_attribution {
    enum behaviours_outcome outcome;
    bool exact, sparse, by_end;
    int freedom;
    double residual_blocks, residual_bytes, chance;
    size_t behaviours;
    struct result_behaviour behaviour[BEHAVIOURS_MAX];
    bool tried;     /* both epochs of the confirmation were run */
    bool too_rare;  /* so little was to be expected that they confirm nothing */
    bool confirmed; /* they agree with the solution, and with no other */
    struct behaviours_confirm alone, without;
};

/* What the process keeps when all connections have closed and its caches are empty. */
struct result_rest {
    bool known;           /* the run came so far */
    uint64_t anon_bytes;  /* RssAnon */
    int64_t ledger_bytes; /* OpenSSL's and libuv's live bytes */
    bool heap;            /* jemalloc told the next two */
    uint64_t heap_allocated_bytes, heap_active_bytes;
};

/* A process of a program that isn't soak's, of those that lived longest. */
struct result_process {
    uint64_t pid;
    const char *name, *libcrypto; /* as it calls itself; the library that is hooked */
    const char *mode;             /* how its allocations are seen: "set_mem_functions", ... */
    const char *flags;            /* "malloc, late"; "": nothing else is known */
    enum verdict verdict;
    bool left_out;       /* --processes chooses others: it is in none of the subject's figures */
    bool heap;           /* it tells the figures of its heap */
    int64_t ssl_objects; /* live at the last checkpoint */
    int64_t blocks_start, blocks_end, bytes_start, bytes_end;
    uint64_t rss_start, rss_end;
    int64_t survivors; /* blocks born while measuring that outlive their connections */
};

struct result_subject {
    const char *name; /* "server", "client" */
    struct judgement judgement;
    struct canary canary;
    char why[224];          /* the evidence of what it is called; "" when nothing grows */
    const char *class_name; /* the object class to blame, or NULL */
    size_t sites;
    const struct result_site *site;
    struct result_capture capture;
    size_t census_count;
    const struct result_census *census;
    size_t series_count;
    const struct result_series *series;
    size_t epochs; /* as many as each series has points; 0: not known */
    const struct judge_epoch *epoch;
    size_t size_classes;
    const struct result_size_class *size_class;
    double allocs_per_conn, cpu_us_per_conn;      /* over the measured epochs */
    const struct result_attribution *attribution; /* NULL: not known */
    uint64_t drained_released_bytes;              /* ledger bytes that the drain gave back */
    bool ended;       /* its epochs are runs (--loop), by their connections, each seen at its end */
    bool counts_all;  /* its blocks are all that it has, not OpenSSL's alone: --malloc-hooks */
    size_t processes; /* 0: a built-in program, which is one */
    const struct result_process *process;
    uint64_t processes_total;  /* counted at the last checkpoint, those without a row here too */
    uint64_t processes_judged; /* of these, with --processes */
    const char *chosen;        /* what --processes says; NULL: all are judged */
    struct result_rest rest;
};

/* A behaviour that was asked for and can't be done with these libraries. */
struct result_skipped {
    const char *name, *why;
};

/* A run of a program that is started again and again (--loop), in the order in which they were
 * made. */
struct result_loop {
    uint64_t asked, connections; /* {count}, and those that were accepted */
    uint64_t status;             /* the program's exit status */
    double seconds;
    int64_t blocks, bytes; /* of OpenSSL's, or of all that is counted, at its end */
};

/* A machine that made a part of the load. */
struct result_agent {
    const char *name, *address;
    uint64_t connections, failed; /* begun there */
    uint64_t p50_ns;              /* of its handshakes */
    uint64_t rtt_ns;              /* of its line to soak, as the kernel has it; 0: not known */
    const char *lost;             /* why it was; NULL: it was there to the end */
};

struct result_errors {
    uint64_t total, connect, handshake, echo, timeout, lost;
};

/* A connection that failed against the intent of its behaviour. */
struct result_failure {
    const char *kind, *behaviour; /* "handshake"; "clean", or the operation */
    const char *text;             /* the client's sentence; NULL: none has failed */
};

/* Where a subject was when a signal ended it. */
struct result_crash {
    const char *subject; /* "server"; NULL: none crashed */
    int signal;
    size_t frames; /* 0: not known */
    const struct symbol *frame;
};

struct footprint;

struct result_run {
    enum unit unit;                          /* what `closed` and all `per_conn` figures count */
    uint64_t want_one_in;                    /* the sensitivity that was asked for; 0: none */
    uint64_t conns, closed, measured;        /* connections; measured: those the verdict rests on */
    double seconds, rate_per_s, asked_per_s; /* asked 0 = max */
    double shortfall;                        /* share of the asked rate that wasn't reached, 0..1 */
    struct result_errors errors;
    uint64_t foreign;    /* connections to the server's port that weren't ours: in no figure */
    bool foreign_served; /* but some were, as they couldn't be told from ours by their address */
    uint64_t p50_ns, p90_ns, p99_ns, max_ns; /* of the handshakes; 0: not known */
    const struct hist *times;                /* what they are of; NULL: not known */
    uint64_t seed;
    const char *tls, *key; /* "1.3", "p256" */
    int epochs;
};

struct result {
    enum verdict verdict;
    int exit_code; /* the verdict's, or 130 when interrupted */
    bool interrupted;
    bool not_kept;           /* some of its files couldn't be written: exit_code isn't 0 then */
    const char *not_written; /* of its outputs the one that couldn't be written, "--json" or
                                "stdout": exit_code isn't 0 then; NULL: all were */
    const char *broken;      /* the sentence, when the run broke (server crashed, ...); NULL else */
    struct result_crash crash;
    struct result_failure first_failure;
    const char *headline; /* as the document that it was read from has it; NULL: it is to be made */
    const char *scenario;
    const char *time; /* the start: RFC 3339, in UTC */
    const char *host, *kernel;
    const char *version; /* soak's own */
    const char *run_dir;
    const char
        *shown_dir;       /* relative to the working folder where it lies below; NULL: as run_dir */
    const char *last_dir; /* the link that is this run's until the next: a short path; or NULL */
    const char *missing;  /* what would settle an INCONCLUSIVE run, one sentence; NULL else */
    const char *next[3];  /* commands to type next; NULL-ended when fewer */
    const char *next_note[3]; /* what each takes or shows: "about 31m"; NULL: nothing to say */
    const char *again;        /* the command that repeats the run to the letter; NULL: not known */
    const char *alone;        /* the same, by options alone: needs no scenario file; or NULL */
    const char *ended;        /* what ended a run that saw too little: "--for 2m"; NULL else */
    size_t libs;
    struct result_lib lib[RESULT_LIBS];
    size_t mapped_count;
    struct result_mapped mapped[RESULT_LIBS];
    struct result_run run;
    size_t skipped_count;
    struct result_skipped skipped[RESULT_SKIPPED];
    size_t agents;
    struct result_agent agent[RESULT_AGENTS];
    size_t loops; /* 0: the program wasn't started again */
    struct result_loop loop[RESULT_LOOPS];
    const struct footprint *footprint; /* report/footprint.h; NULL: not measured */
    size_t subjects;
    struct result_subject subject[RESULT_SUBJECTS];
};

#endif

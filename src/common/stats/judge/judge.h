/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision: evidence in, judgement out. A pure function over plain arrays: no clock, no I/O,
 * heap only inside the call. docs/decision.md states every rule; each has a control in tests/unit.
 *
 * Words. An epoch is a stretch of churn; checkpoint c is the end of epoch c, so arrays of length
 * `epochs` are indexed by either. Connections of an epoch with `all_closed` are all gone by the
 * last checkpoint, so a block born in it and still alive is a survivor.
 *
 * Where the connections are held and operated on, an operation takes the place of a connection. It
 * is closed when its connection was operated on in a later epoch: what one operation makes and the
 * next replaces is gone then, and what is still alive accumulates.
 */
#ifndef SOAK_STATS_JUDGE_H
#define SOAK_STATS_JUDGE_H

#include "metric.h"
#include "reach.h"
#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below MIN_BLOCKS survivors a site is no matter; from CONVICT_BLOCKS losses on it may be
 * convicted; between them it is in doubt. Four worker threads that each make something once are no
 * leak. */
enum {
    JUDGE_CONFIDENCE_PERMILLE = 999,
    JUDGE_MIN_BLOCKS = 3,
    JUDGE_CONVICT_BLOCKS = 5,
    JUDGE_MIN_EPOCHS = 2
};

struct judge_epoch {
    uint64_t opened; /* connections begun in it (the subject's own count) */
    uint64_t closed; /* cumulative at its end */
    double seconds;
    bool measured;   /* false: warm-up */
    bool hold;       /* no churn at all: what is born in it is born by time */
    bool all_closed; /* see above; false for the newest epochs */
};

struct judge_site {
    const char *file; /* borrowed */
    uint32_t line;
    const int64_t *blocks, *bytes;           /* [epochs]: live at checkpoint c, all birth epochs */
    const int64_t *born_blocks, *born_bytes; /* [epochs]: live at the last checkpoint before the
                                              * drain, by birth epoch */
    const uint64_t *kept_by; /* [threads]: a bit per epoch of birth of which the thread keeps any;
                              * NULL: not known */
    uint64_t passed_on;      /* a bit per epoch of which it isn't known */
    int64_t closed_blocks;   /* UNIT_OPERATION: born in measured epochs, live after the held
                              * connections were closed and before the drain */
    int64_t drained_blocks;  /* born in measured epochs, live after the drain */
    int64_t flushed_blocks, flushed_bytes; /* ... and after the caches were emptied */
};

/* A class of OpenSSL objects, outermost first as in CENSUS order (SSL_CTX, SSL, SSL_SESSION, ...):
 * a retained outer object retains inner ones, so the outermost that grows is the one to name. */
struct judge_class {
    const char *name;
    const int64_t *live; /* [epochs] */
    int64_t drained, flushed;
    size_t site; /* index in sites, SIZE_MAX = not known */
};

struct judge_cache {
    const char *name;
    const uint64_t *population; /* [epochs] */
    uint64_t capacity;          /* 0 = unbounded */
};

struct judge_gauge {
    enum metric metric;
    double limit; /* per closed connection */
    size_t count; /* points: those of the newest checkpoints, in time order; warm-up excluded */
    const double *closed, *value;
};

/* Live regions of one of jemalloc's size classes at each checkpoint: names what grows outside. */
struct judge_size_class {
    uint64_t size;
    const int64_t *regions; /* [epochs] */
};

struct evidence {
    size_t epochs;
    const struct judge_epoch *epoch;
    size_t sites;
    const struct judge_site *site;
    size_t classes;
    const struct judge_class *class_;
    size_t caches;
    const struct judge_cache *cache;
    size_t gauges;
    const struct judge_gauge *gauge;
    size_t size_classes;
    const struct judge_size_class *size_class;
    bool drained;         /* drained_* and flushed_* figures are present */
    bool hooked;          /* the ledger was active */
    bool overflowed;      /* sites, epochs or blocks were lost for want of room */
    enum unit unit;       /* of what is opened and closed */
    uint64_t descriptors; /* 1 + the highest open file descriptor ever seen; 0 = not known */
    uint64_t failed;      /* connections that failed against their behaviour's intent */
    uint64_t tried;       /* judge_tried */
    uint64_t handshakes;  /* completed */
    uint64_t foreign;     /* connections that weren't the load's: in no other figure */
    const char *outside;  /* seen from outside only, and why, a few words; NULL = it is counted */
    bool ended;           /* each checkpoint is of a process of its own, at its end (--loop) */
    const char *moving; /* no checkpoint was at rest: what moved, in a few words; NULL = one was */
    struct reach_warm_up warm_up;
    uint64_t want_one_in; /* sensitivity asked for: 1/N; 0 = none */
    bool unasked;         /* ... by nobody: a run without a bound goes on until it has that */
    uint64_t expected;    /* entries of a cache that the user knows of; 0 = none */
    uint64_t processes;   /* that share the connections by chance; 0: one, or none that counts */
    uint64_t held;        /* connections held open */
    size_t threads;       /* that are known one by one */
    uint64_t serving;     /* of them, those that the connections are spread over; 0: not known */
    uint64_t seed;        /* for the bootstrap */
};

/* What became of something that isn't quiet: the same row in a judgement and in a result. Each of
 * its fields is one of the struct that has it. */
#define JUDGE_ROW_FIELDS                                                                           \
    enum kind kind;                                                                                \
    enum verdict verdict;  /* LEAK, PASS (explained: one-time, cache, ...), INCONCLUSIVE */        \
    int64_t blocks, bytes; /* survivors */                                                         \
    double per_conn_blocks, per_conn_bytes;
struct judge_row {
    JUDGE_ROW_FIELDS
};
#define JUDGE_ROW                                                                                  \
    union {                                                                                        \
        struct judge_row row;                                                                      \
        struct {                                                                                   \
            JUDGE_ROW_FIELDS                                                                       \
        };                                                                                         \
    }

/* A site, size class or gauge. */
struct judge_finding {
    size_t site; /* index in evidence.site; SIZE_MAX when it isn't a site */
    JUDGE_ROW;
    enum metric gauge; /* that it is about; METRIC_NONE when it is a site */
    bool may_leak;     /* PASS as it is a cache's so far; emptying the cache may tell otherwise */
    bool emptied;      /* LEAK: of what emptying the caches left, and so are its figures */
    char why[192];     /* the evidence it rests on, one sentence */
};

struct judge_metric {
    char id[32], unit[16];
    const char *role;  /* "exact", "heap", "witness" */
    double start, end; /* before the first measured epoch, and at the newest checkpoint */
    double per_conn;   /* NAN: no epoch could be judged */
    double half_width; /* of the 99 % interval; 0 when exact; INFINITY: too few points */
    double limit;      /* as it was asked for */
    double decides;    /* growth beyond this convicts at this length of run, noise included; NAN:
                        * the metric never convicts, or has too few points */
    enum metric_state state;
    const char *note; /* why it wasn't judged, or that `per_conn` and its interval are of what is
                       * left of it when something is taken off: a few words (static); NULL else */
};

struct judge_sensitivity {
    size_t base;                  /* the warm-up's last epoch; SIZE_MAX: there was none */
    size_t middle;                /* the last judged epoch of the first half */
    struct reach_warm_up warm_up; /* what a leak would have made of it */
    uint64_t threads;             /* that the connections are spread over; 0: of no matter */
    double one_in;        /* one lost block per this many connections would have shown; 0 = none */
    double share;         /* of it what is left by sites where blocks come and go; 1: all */
    double malloc_one_in; /* the same to convict at a site without a line, which is all that calls
                           * malloc; a rarer loss is in doubt there. Less than 1: every one; 0 = no
                           * such site, or no figure */
    uint64_t closed;      /* connections whose survivors could be judged */
    int epochs;
    double
        heap_bytes; /* bytes per connection outside OpenSSL that would have shown; 0 = no figure */
    double page_bytes; /* the same for pages pinned by fragmentation */
};

enum { JUDGE_SITES = 2048 }; /* sites beyond are not in judgement.leaks */
enum { JUDGE_FINDINGS = 24, JUDGE_METRICS = 16, JUDGE_REASONS = 8 };
struct judgement {
    enum verdict verdict;
    enum kind kind;
    enum unit unit; /* as in the evidence: what `per_conn` figures are per */
    size_t class_;  /* index in evidence.class_ for KIND_OBJECT, _DEFERRED, _HELD; SIZE_MAX else */
    double per_conn_blocks, per_conn_bytes; /* all that leaks, together */
    size_t findings;                        /* the one to blame first; LEAKs before the others */
    struct judge_finding finding[JUDGE_FINDINGS];
    uint64_t leaks[JUDGE_SITES / 64]; /* bit by site: loses blocks, by connection and not by time */
    uint64_t emptied[JUDGE_SITES / 64]; /* ... and what it lost is what emptying the caches left */
    size_t findings_total;              /* may exceed JUDGE_FINDINGS; the largest are kept */
    size_t metrics;
    struct judge_metric metric[JUDGE_METRICS];
    struct judge_sensitivity sensitivity;
    size_t reasons; /* sentences behind the verdict, most telling first */
    char reason[JUDGE_REASONS][192];
    bool wants_hold;   /* something grows and no hold epoch has told time from connections yet */
    bool wants_more;   /* undecided: another epoch could settle it */
    uint64_t hold_ms;  /* LEAK: so much longer a hold would tell time from connections; 0: it has */
    bool held;         /* LEAK: a hold has told that time doesn't make it */
    bool proportional; /* ... and its epochs lost blocks in proportion to their connections */
    bool certain;      /* LEAK that more churn can't change: kind known but for the drain */
};

/* What is counted: "connection" and its like. */
static inline const char *judgement_unit(const struct judgement *j)
{
    return unit_name(j->unit);
}

static inline bool judgement_leaks(const struct judgement *j, size_t site)
{
    return site < JUDGE_SITES && (j->leaks[site / 64] >> site % 64 & 1);
}

static inline bool judgement_emptied(const struct judgement *j, size_t site)
{
    return site < JUDGE_SITES && (j->emptied[site / 64] >> site % 64 & 1);
}

/* Its row of a metric, which is the judgement's; NULL: it has none. */
struct judge_metric *judgement_metric(const struct judgement *j, enum metric metric);

/* Where each checkpoint is of a process of its own: how often as frequent a loss by chance must be
 * as in one process, so that so many of them show it as surely. */
double runs_times(size_t runs);

/* Fills `ret` entirely. `evidence` and all it points to is borrowed for the call; `ret` keeps no
 * pointer into it except `role` and `note` strings, which are static. */
void judge(const struct evidence *evidence, struct judgement *ret);

/* The load's own count of its connections. */
struct judge_load {
    uint64_t failed, closed, established, operations;
    bool by_operation;
};
/* How many have come to their end or are established, each once: also one that fails after its
 * handshake. Operations where these are the unit. */
uint64_t judge_tried(const struct judge_load *load);
/* More than one in a hundred: such a run proves nothing but a leak. */
bool judge_many(uint64_t failed, uint64_t tried);
/* Nearly all fail, and those still to come, of `expected` in all, can't make up for it: they would
 * be many even if no other did. A few at the beginning, such as those of a server that warms up,
 * don't decide. */
bool judge_hopeless(uint64_t failed, uint64_t tried, uint64_t expected);

/* What grows may be given back yet, which the evidence can't show: a LEAK is in doubt, for this
 * reason (one sentence). Threads that didn't end aren't given back: where they lead, it stands. */
void judgement_doubt_leak(struct judgement *j, const char *why);
/* The run isn't to be trusted: no metric counts as judged, and no exact one has a growth. `note` is
 * static: a few words. */
void judgement_distrust(struct judgement *j, const char *note);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen of one subject at its checkpoints, kept as the arrays that the judge reads. Plain
 * memory, no I/O; one per subject. history_judge lends its arrays to judge() for the call only.
 */
#ifndef SOAK_EVIDENCE_HISTORY_H
#define SOAK_EVIDENCE_HISTORY_H

#include "base/err.h"
#include "canary_record.h"
#include "measure/proc.h"
#include "page/by_thread.h"
#include "page/snapshot.h"
#include "stats/judge/judge.h"

#include <stdbool.h>

/* Disturbed: a part of the load was lost in it, so that it isn't judged. */
enum history_phase {
    HISTORY_WARM,
    HISTORY_MEASURE,
    HISTORY_HOLD,
    HISTORY_CONFIRM,
    HISTORY_DISTURBED
};

/* One quiescent sample of a subject. */
struct history_sample {
    struct snapshot snapshot; /* owned by whoever fills it */
    struct proc_sample proc;
    uint64_t page_bytes; /* memory that the probe's page takes: each process may have all of it */
    struct proc_rollup rollup;
    enum unit unit; /* the run's */
    /* By the client's count so far. `by_load`: the subject doesn't count its connections itself. */
    bool by_load;
    bool one_process; /* what one of its processes keeps is the question, so that one has to stay */
    bool gone;        /* a process of the subject has ended */
    bool ended;       /* of a process at its end (--loop): the kernel says nothing of it any more */
    bool several;     /* programs of soak's own share the page, and one makes the controls */
    uint64_t operations, opened, closed;
};

/* Memory that isn't anonymous, of files and shared with others, but for the probe's page: the least
 * that the program itself may have, so that it can be below 0. */
static inline int64_t history_shared_bytes(const struct history_sample *s)
{
    return (int64_t)(s->proc.rss_bytes - s->proc.rss_anon_bytes -
                     s->page_bytes * s->proc.processes);
}

/* What the judge must know that isn't in the subject's memory. */
struct history_question {
    double limit_heap, limit_rss; /* bytes per connection */
    struct reach_warm_up warm_up;
    uint64_t want_one_in;
    bool unasked;             /* as struct evidence has it */
    uint64_t expected;        /* entries of a cache that the user knows of in it; 0: none */
    uint64_t processes, held; /* as struct evidence has them */
    uint64_t seed;
    struct judge_load load; /* as the client saw it: only it knows what it intended */
    uint64_t handshakes;    /* completed, and operations that were done */
    uint64_t foreign;       /* turned away by the server, which they weren't meant for */
    const char *outside;    /* why nothing of the subject is counted; NULL: it is. Borrowed */
    const char *moving; /* what never stood still at a checkpoint; NULL: something did. Borrowed */
};

struct history;

/* Returns NULL when out of memory. */
struct history *history_new(void);
/* One that begins now, beside `like`: its epochs so far are those of that one, in which it held
 * nothing. NULL when out of memory. */
struct history *history_beside(const struct history *like);
void history_free(struct history *h);
/* Forgets all checkpoints; the plan of the self-check stays. */
void history_restart(struct history *h);

/* Between the checkpoints: what must not be missed there is kept. */
void history_look(struct history *h, const struct proc_sample *p);
/* The end of an epoch. `oldest`: the epoch of the oldest open connection, so that all earlier ones
 * are closed; or the earliest of the connections' last operations, so that later ones have followed
 * all of the epochs before. Everything is copied. The first PAGE_EPOCHS checkpoints are kept;
 * returns -1 beyond.
 */
int history_checkpoint(struct history *h, const struct history_sample *s, enum history_phase phase,
                       double seconds, uint64_t oldest);
/* Right after it: the page of the same moment, out of which only the newest is kept. */
void history_threads(struct history *h, const struct page *page);
/* After the held connections were closed, before anything else is freed: once, where operations are
 * the unit. */
void history_closed(struct history *h, const struct snapshot *s);
/* After the drain, and after the caches were emptied (in this order, each at most once). */
void history_drained(struct history *h, const struct snapshot *s);
void history_flushed(struct history *h, const struct snapshot *s);

/* The subject's self-check: borrowed, to be planned in its page. */
struct canary_record *history_canary_record(struct history *h);
/* What became of it so far. */
void history_canary(const struct history *h, struct canary *ret);

/* Asks the judge about all that was seen so far. INVALID when the self-check failed. */
void history_judge(const struct history *h, const struct history_question *question,
                   struct judgement *ret);

size_t history_epochs(const struct history *h);
/* Checkpoint c; borrowed until history_free. */
const struct judge_epoch *history_epoch(const struct history *h, size_t c);
/* Blocks and bytes born in epoch c and alive at the last checkpoint, at a site. */
void history_born(const struct history *h, size_t site, size_t c, int64_t *ret_blocks,
                  int64_t *ret_bytes);
/* Blocks born in epoch `birth` that were alive at checkpoint c, which isn't before. */
int64_t history_alive(const struct history *h, size_t site, size_t birth, size_t c);
/* Of those, what the judge takes for lost: where it convicts on what emptying the caches left, that
 * alone. At one site, or all that leak. */
struct history_loss {
    int64_t blocks, bytes;
};
struct history_loss history_lost_at(const struct history *h, const struct judgement *j, size_t site,
                                    size_t c);
struct history_loss history_lost(const struct history *h, const struct judgement *j, size_t c);
/* The site of a finding: borrowed until history_free. */
const char *history_site(const struct history *h, size_t site, uint32_t *ret_line);
/* How many sites the last checkpoint knew. */
size_t history_sites(const struct history *h);
const char *history_class(const struct history *h, size_t class_);
size_t history_classes(const struct history *h);
/* Live objects of a class at the start of the measuring and at the last checkpoint. */
void history_census(const struct history *h, size_t class_, int64_t *ret_start, int64_t *ret_end);
/* The size of jemalloc's size class, 0 where the subject told of none (of PAGE_SIZE_CLASSES), and
 * its live regions as above. */
uint64_t history_size_class(const struct history *h, size_t class_, int64_t *ret_start,
                            int64_t *ret_end);
/* A metric's figure at each checkpoint, warm-up included: ret[history_epochs]. Whether there is a
 * metric of that id. */
bool history_series(const struct history *h, const char *id, double *ret);
/* Live OpenSSL blocks at checkpoint c, and connections opened until then. */
int64_t history_blocks(const struct history *h, size_t c);
uint64_t history_opened(const struct history *h, size_t c);
/* Survivors at the last checkpoint: blocks born in measured epochs whose connections have closed.
 */
int64_t history_survivors(const struct history *h);

struct history_cost {
    double allocs_per_conn, cpu_us_per_conn; /* over the measured epochs; 0 when there are none */
    double captured_us_per_conn;             /* the CPU time in those that took call stacks */
    uint64_t measured;                       /* connections closed while measuring */
    uint64_t drained_bytes;                  /* ledger bytes that the drain gave back */
};
/* `captured`: a bit per epoch in which call stacks were taken, whose CPU time is told apart. */
void history_cost(const struct history *h, uint64_t captured, struct history_cost *ret);

/* What one connection allocates and holds, by what all of them do: of subjects whose connections
 * can't be looked at one by one. */
struct history_footprint {
    uint64_t connections; /* that were opened while measuring; 0: nothing is known */
    double allocs, reallocs, alloc_bytes; /* of one of them: medians of the epochs */
    double held_blocks, held_bytes;       /* of an open one: what the drain gave back */
    bool exact; /* no measured epoch differs from them by more than HISTORY_SPREAD */
};
/* Half of the share by which versions may differ and be called the same. */
#define HISTORY_SPREAD 0.005
/* `open` connections were open at each checkpoint, and none after the drain. */
void history_footprint(const struct history *h, uint64_t open, struct history_footprint *ret);
/* The allocations of one connection at a site, and what an open one holds of it. */
void history_site_cost(const struct history *h, size_t site, uint64_t open, double *ret_allocs,
                       double *ret_held_bytes);

#endif

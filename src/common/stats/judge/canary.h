/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the meter works: what the self-check planted in a subject against what the subject's
 * ledger shows. One block was lost on purpose at a known connection: it must be there, once, in
 * the epoch in which that connection was begun, with its size. Three quiet controls, a one-time
 * block, a small cache and deferred frees, must be there too, and judge() must not hold any of them
 * against the subject. Otherwise nothing that this ledger says can be trusted. Pure.
 */
#ifndef SOAK_STATS_CANARY_H
#define SOAK_STATS_CANARY_H

#include "base/names.h"
#include "judge.h"

/* The quiet controls: X(ENUM, name in JSON, name in sentences) */
#define CANARY_CONTROL_LIST(X)                                                                     \
    X(CANARY_ONE_TIME, "one-time", "a block made once and kept")                                   \
    X(CANARY_CACHE, "cache", "a small cache that replaces its oldest entry")                       \
    X(CANARY_DEFERRED, "deferred", "blocks freed some connections later")

enum canary_control { CANARY_CONTROL_LIST(ENUM_ID) CANARY_CONTROLS };
const char *canary_control_name(enum canary_control c);
const char *canary_control_text(enum canary_control c);

/* What was planned. Ordinals count the subject's own connections from 0. */
struct canary_plan {
    bool planned;     /* false: no self-check was to be made */
    bool armed;       /* the two ordinals are set */
    uint64_t lost_at; /* the connection that loses the block */
    int64_t lost_bytes;
    uint64_t one_time_at;
    uint64_t every;        /* a deferred block at the connections that leave 1 when divided by it */
    int64_t cache_entries; /* filled by the first so many connections */
    int64_t waiting;       /* deferred blocks alive at a time, at most */
    bool late; /* planted at the first block after an ordinal, which may be the next epoch's */
};

struct canary_evidence {
    struct canary_plan plan;
    size_t epochs;
    const struct judge_epoch *epoch;
    struct judge_site lost, control[CANARY_CONTROLS];
    bool drained;
    /* A program that isn't soak's: what is counted as its connections are SSL objects, and one of
     * its processes makes the controls, at its own. */
    bool shared;
    bool one_process; /* what one of its processes keeps is the question, so that one has to stay */
    bool gone;        /* a process has ended, with all that it held */
};

enum canary_state {
    CANARY_NONE,        /* not planned */
    CANARY_NOT_REACHED, /* the run ended before the planted block's connection */
    CANARY_OK,
    CANARY_FAILED
};
struct canary {
    enum canary_state state;
    bool reached, found;         /* the planted block */
    bool gone;                   /* the process that lost it has ended */
    bool unproven;               /* nothing showed that a lost block would be seen */
    size_t epoch;                /* where it belongs; meaningful when reached */
    int64_t bytes;               /* its size */
    bool seen[CANARY_CONTROLS];  /* the run came to the point where the control shows */
    bool quiet[CANARY_CONTROLS]; /* meaningful when seen */
    char sentence[192];          /* for people: what was checked, or what failed */
};

/* Fills `ret` entirely; keeps no pointer into the evidence. */
void canary_judge(const struct canary_evidence *e, struct canary *ret);

/* A failed self-check makes the judgement INVALID, whatever it was, and one that never came to the
 * planted block takes a PASS back. All figures stay. */
void canary_apply(const struct canary *s, struct judgement *j);

#endif

/*
 * Whether the meter works: what the self-check planted in a subject against what the subject's
 * ledger shows. One block was lost on purpose at a known connection: it must be there, once, in
 * the epoch in which that connection was begun, with its size. Three quiet controls, a one-time
 * block, a small cache and deferred frees, must be there too, and judge() must not hold any of them
 * against the subject. Otherwise nothing that this ledger says can be trusted. Pure.
 */
#ifndef SOAK_STATS_SELFCHECK_H
#define SOAK_STATS_SELFCHECK_H

#include "judge.h"

/* The quiet controls: X(ENUM, name in JSON, name in sentences) */
#define SELFCHECK_CONTROL_LIST(X)                                                                  \
    X(SELFCHECK_ONE_TIME, "one-time", "a block made once and kept")                                \
    X(SELFCHECK_CACHE, "cache", "a small cache that replaces its oldest entry")                    \
    X(SELFCHECK_DEFERRED, "deferred", "blocks freed some connections later")

enum selfcheck_control {
#define X(id, name, text) id,
    SELFCHECK_CONTROL_LIST(X)
#undef X
        SELFCHECK_CONTROLS
};
const char *selfcheck_control_name(enum selfcheck_control c);

/* What was planned. Ordinals count the subject's own connections from 0. */
struct selfcheck_plan {
    bool planned;     /* false: no self-check was to be made */
    bool armed;       /* the two ordinals are set */
    uint64_t lost_at; /* the connection that loses the block */
    int64_t lost_bytes;
    uint64_t one_time_at;
    uint64_t every;        /* a deferred block at the connections that leave 1 when divided by it */
    int64_t cache_entries; /* filled by the first so many connections */
    int64_t waiting;       /* deferred blocks alive at a time, at most */
};

struct selfcheck_evidence {
    struct selfcheck_plan plan;
    size_t epochs;
    const struct judge_epoch *epoch;
    struct judge_site lost, control[SELFCHECK_CONTROLS];
    bool drained;
};

enum selfcheck_state {
    SELFCHECK_NONE,        /* not planned */
    SELFCHECK_NOT_REACHED, /* the run ended before the planted block's connection */
    SELFCHECK_OK,
    SELFCHECK_FAILED
};
struct selfcheck {
    enum selfcheck_state state;
    bool reached, found;            /* the planted block */
    size_t epoch;                   /* where it belongs; meaningful when reached */
    int64_t bytes;                  /* its size */
    bool seen[SELFCHECK_CONTROLS];  /* the run came to the point where the control shows */
    bool quiet[SELFCHECK_CONTROLS]; /* meaningful when seen */
    char sentence[192];             /* for people: what was checked, or what failed */
};

/* Fills `ret` entirely; keeps no pointer into the evidence. */
void selfcheck_judge(const struct selfcheck_evidence *e, struct selfcheck *ret);

/* A failed self-check makes the judgement INVALID, whatever it was. All figures stay. */
void selfcheck_apply(const struct selfcheck *s, struct judgement *j);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of one worker: holds `slots` of them established and replaces the oldest at the
 * asked rate. Runs on the worker's loop only; every function is called there but pool_init, which
 * runs before the loop.
 *
 * With an operation to do the connections stay: the one that has rested longest is operated on, at
 * the same rate, and only those that fail are replaced.
 *
 * A slot is only a number: those without an established or opening connection are empty and are
 * filled first. A connection that leaves gives its slot up at once and lingers until it is gone.
 */
#ifndef SOAK_CLIENT_POOL_H
#define SOAK_CLIENT_POOL_H

#include "base/hist.h"
#include "behaviour.h"
#include "options/grammar.h"
#include "pacer.h"
#include "peer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

/* Rows of the page where operations are counted. */
enum { POOL_ROW_OPERATION, POOL_ROW_FAILED, POOL_OPERATION_ROWS };

enum pool_state {
    POOL_IDLE,     /* quiet: holds what is established */
    POOL_RUNNING,  /* an epoch */
    POOL_ALONE,    /* connections one by one, none held */
    POOL_DRAINING, /* closes all */
    POOL_STOPPED   /* everything reset; its timer closed */
};

TAILQ_HEAD(peer_list, peer);

enum pool_place { POOL_OPENING, POOL_HELD, POOL_OPERATING, POOL_LEAVING, POOL_PLACES };

struct pool_options {
    uint64_t slots;
    struct rate rate;       /* this worker's part */
    enum operation operate; /* NONE: connections are replaced */
    /* Borrowed: the page's table, in the order of `rows`; with `operate` the operation and failed.
     */
    struct page_behaviour *behaviour;
    const struct behaviour_rows *rows; /* borrowed */
    enum behaviour holder;             /* holds slots that the mix has no one for */
    double resume;                     /* share of the connections that offer a session */
    uint64_t seed;
    uint64_t timeout_ns;
    page_u64 *epoch; /* borrowed: read at each connection's birth */

    /* Called on the worker's loop. `owner` is borrowed. */
    void *owner;
    void (*on_quiet)(void *owner, uint64_t oldest_epoch);
    void (*on_drained)(void *owner);
    void (*on_failure)(void *owner, const struct peer *p, enum peer_failure kind, const char *text);
    void (*on_times)(void *owner, const struct hist *times); /* to be merged; every 250 ms */
};

struct pool {
    struct peer_shared shared; /* filled by the worker before pool_init */
    struct pool_options o;
    enum pool_state state;
    bool filled;    /* all slots were established once in this epoch: the pacer runs */
    bool finishing; /* the epoch ends early */
    bool cut;       /* what was silent then has been ended */
    bool gave_up;   /* empty slots stay empty */
    bool moved;     /* since the end of the loop's last turn */
    struct peer_list list[POOL_PLACES]; /* each in the order of its deadlines */
    uint64_t count[POOL_PLACES];
    struct behaviour_mix mix;  /* of this epoch */
    struct behaviour_mix held; /* its part for connections that must hold their slot */
    uint64_t ticked_ns;        /* when the opening peers had their last tick */
    struct pacer pacer;
    struct quota quota;   /* of connections */
    struct rounds rounds; /* of operations */
    struct rng rng;
    uint64_t turn;       /* connections begun */
    uint64_t alone_left; /* POOL_ALONE: connections not yet begun */
    uint64_t backoff_ns, retry_ns;
    uint64_t give_up_ns; /* when an epoch that finishes ends in any case */
    uint64_t moved_ns;   /* when anything had last come about in it */
    uint64_t due_published, times_published_ns;
    struct hist times;
    uv_timer_t timer;
    uv_prepare_t turn_end;
};

void pool_init(struct pool *pool, const struct pool_options *o);
/* Begins an epoch of `opens` connections that leave as `mix` says, or of as many operations;
 * answers by on_quiet with the earliest epoch in which a connection was begun or last operated on.
 */
void pool_epoch(struct pool *pool, uint64_t opens, const struct behaviour_mix *mix);
/* The same one by one, while none is held: each leaves as soon as it is established, and the next
 * begins when it has gone; one that fails isn't made up for. Answers by on_quiet. */
void pool_one_by_one(struct pool *pool, uint64_t opens, const struct behaviour_mix *mix);
/* Ends a running epoch early; without one it does nothing. */
void pool_finish(struct pool *pool);
/* Closes everything cleanly and drops the sessions; answers by on_drained. */
void pool_drain(struct pool *pool);
/* Resets everything and closes the timer: the loop then runs out of handles. */
void pool_stop(struct pool *pool);

#endif

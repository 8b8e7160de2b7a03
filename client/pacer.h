/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections are due, and how many an epoch may still begin. Pure: no clock, no I/O; the
 * caller says what time it is. One owner.
 *
 * struct pacer is an open loop: what was due and couldn't be begun stays due, however late, so that
 * a slow server shows as shortfall and not as a lower rate asked. Time stands still while it is
 * paused.
 *
 * struct quota makes an epoch of M connections end with every slot taken: `owed` connections are
 * needed to fill the slots that are empty or held by a connection that will abort its handshake, so
 * a replacement or another abort is allowed only while more than that are left.
 *
 * struct rounds is the same for an epoch of M operations on held connections, which does exactly M
 * of them: one that fails with its connection is made up for by another.
 */
#ifndef SOAK_CLIENT_PACER_H
#define SOAK_CLIENT_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct pacer {
    double per_s;
    bool max; /* as fast as possible: always due, and `due` is what was taken */
    bool running;
    uint64_t ran_ns; /* in earlier runs */
    uint64_t since_ns;
    uint64_t taken;
};

/* Paused, nothing due. `per_s` > 0 unless `max`. */
void pacer_init(struct pacer *p, double per_s, bool max);
/* Both are harmless when it runs, or doesn't, already. */
void pacer_run(struct pacer *p, uint64_t now_ns);
void pacer_pause(struct pacer *p, uint64_t now_ns);
/* Connections due since the start: floor(time run x rate). */
uint64_t pacer_due(const struct pacer *p, uint64_t now_ns);
/* True when it runs and more are due than were taken. */
bool pacer_ready(const struct pacer *p, uint64_t now_ns);
/* Counts one connection as begun; allowed before it is due: the next one then waits longer. */
void pacer_take(struct pacer *p);
/* How long until the next one is due: 0 when one is, UINT64_MAX when paused. */
uint64_t pacer_wait_ns(const struct pacer *p, uint64_t now_ns);

struct quota {
    uint64_t left; /* connections that may still be begun; never under `owed` */
    uint64_t owed; /* connections needed until every slot is taken for good */
};

/* `opens` connections, but at least as many as there are empty slots. */
void quota_start(struct quota *q, uint64_t opens, uint64_t empty_slots);
/* Whether an established connection may be replaced, or a connection about to be begun in an empty
 * slot may be one that aborts its handshake: the condition is the same. */
bool quota_spare(const struct quota *q);
/* An established connection leaves its slot to be replaced. Needs quota_spare. */
void quota_vacate(struct quota *q);
/* A connection begins in an empty slot; one that `aborts` leaves it empty again. */
void quota_begin(struct quota *q, bool aborts);
/* A connection that was to hold its slot failed: one more than planned may be begun. */
void quota_failed(struct quota *q);
/* No more replacements: only what is owed may still be begun. */
void quota_finish(struct quota *q);

struct rounds {
    uint64_t left;      /* may still be begun */
    uint64_t under_way; /* begun and not over */
    bool finishing;
};

/* An epoch of `operations`. Needs none under way. */
void rounds_start(struct rounds *r, uint64_t operations);
/* Whether one may be begun. */
bool rounds_spare(const struct rounds *r);
void rounds_begin(struct rounds *r); /* needs rounds_spare */
void rounds_done(struct rounds *r);
void rounds_failed(struct rounds *r);
/* No more are begun. */
void rounds_finish(struct rounds *r);
/* All are done. */
bool rounds_over(const struct rounds *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run's end of the channel to its agents: listens, refuses strangers, and notices when an agent
 * has gone or stands still. What they are told and say is agent_load's (subject_agents.c).
 *
 * A stranger costs a place of AGENTS_STRANGERS and a few seconds: of more than that the oldest
 * makes room, and not more than AGENTS_PER_S are accepted in a second.
 */
#ifndef SOAK_AGENTS_H
#define SOAK_AGENTS_H

#include "base/address.h"
#include "channel/channel.h"
#include "channel/figures.h"
#include "options/limits.h"

#include <stdbool.h>
#include <uv.h>

enum {
    AGENTS_NAME = 64,
    AGENTS_STRANGERS = 16,
    AGENTS_PER_S = 20,
    AGENTS_HELLO_S = 10,  /* a stranger has to say who it is */
    AGENTS_SILENCE_S = 30 /* an agent of which nothing is heard has gone, and so has a run */
};

struct agents;

struct agent {
    struct channel channel; /* first */
    struct agents *all;
    unsigned number;   /* in the order of joining, from 1; 0: a stranger */
    unsigned silent_s; /* nothing was heard for so long */
    bool gone;         /* it has left, or is about to be closed */
    char name[AGENTS_NAME], address[ADDRESS_TEXT];
    uint64_t rtt_us;       /* of the channel, by the kernel: 0 until it is known */
    char why[CHANNEL_WHY]; /* it has gone; "": it hasn't, or the run was over */
    size_t shares;         /* of the load that it makes now */
    struct figures *heard; /* owned; NULL: of a stranger */
};

/* All are called on the loop, never within a call of the owner's. */
struct agents_events {
    void (*on_all)(void *owner); /* as many have joined as are wanted */
    void (*on_line)(void *owner, struct agent *a, const char *line);
    void (*on_gone)(void *owner, struct agent *a); /* after on_all; a->why says why */
    void (*on_late)(void *owner);                  /* they haven't all joined in time */
    void (*on_note)(void *owner, const char *sentence);
};

struct agents_request {
    uv_loop_t *loop;
    const char *address, *token; /* borrowed for the call */
    size_t wanted;
    uint64_t wait_s;
    const struct agents_events *events; /* borrowed: static */
    void *owner;
};

/* Listens. Returns NULL with a sentence. */
struct agents *agents_open(const struct agents_request *r, struct err *e);
/* Where, with the port that the kernel chose. Borrowed. */
const char *agents_address(const struct agents *all);
/* Those that have joined, gone or not; the first is number 1. */
size_t agents_count(const struct agents *all);
struct agent *agents_at(const struct agents *all, size_t i);
/* How many are to join yet. */
size_t agents_missing(const struct agents *all);
/* An agent has said what it can't: it is gone, and on_gone comes. */
void agents_drop(struct agent *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An option of its client for a share: as long as it is. A line has no newline, for which the texts
 * that may have one have a word, too. */
void agents_say_option(struct agent *a, size_t share, const char *option);
/* "agent 2 (host)". Returns buf. */
char *agent_label(const struct agent *a, char *buf, size_t size);
/* Ends it all; no event comes any more. `farewell`: the agents are told that the run is over. */
void agents_close(struct agents *all, bool farewell);
/* After the loop has run once more. NULL is harmless. */
void agents_free(struct agents *all);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak-server as the load of a client program (--paced): it accepts in epochs, as many connections
 * as it is told to, and holds back the next ones in between, so that the program waits. An epoch is
 * over when the last of its connections has closed, or those that are open have nothing to say
 * while another one waits. What is done to each is drawn at its begin; each is counted by the epoch
 * of its begin and of its end, as soak-client counts its own. Everything runs on the main thread,
 * the only worker.
 */
#ifndef SOAK_SERVER_TURNS_H
#define SOAK_SERVER_TURNS_H

#include "base/rng.h"
#include "options/behaviours.h"
#include "page/page.h"

#include <stdbool.h>
#include <stdint.h>

struct turns {
    bool on;
    bool under_way;             /* an epoch, whose end is to be said */
    uint64_t left;              /* connections that it may still accept */
    uint64_t open[PAGE_EPOCHS]; /* connections, by the epoch of their begin */
    struct rng rng;
    uint64_t usual[SERVER_BEHAVIOURS],
        weight[SERVER_BEHAVIOURS]; /* of the run, and of this epoch */
};

/* A connection, as it is counted. */
struct turn {
    enum server_behaviour behaviour;
    uint64_t epoch; /* of its begin */
    bool served;    /* its handshake was done, and what was drawn happened */
};

/* Names the rows of the page: the behaviours with a weight, and "failed". */
void turns_start(struct turns *t, const uint64_t *weight, uint64_t seed, struct page *page);
/* `mix` are weights, one for each row but the last, or NULL: those of the run. Returns 0, or -1
 * when they aren't. */
int turns_begin(struct turns *t, uint64_t opens, const char *mix);
/* Whether another connection may be accepted: it is counted then. */
bool turns_take(struct turns *t);
struct turn turns_draw(struct turns *t, const struct page *page);
/* It has ended. */
void turns_count(struct turns *t, const struct turn *turn, struct page *page);
/* The epoch of the oldest open connection, or the one under way. */
uint64_t turns_oldest(const struct turns *t, const struct page *page);

#endif

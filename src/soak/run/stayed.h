/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --client: connections that are open in silence over checkpoint after checkpoint, which keep what
 * comes after them out of the judgement, and those of other processes: soak-server counts whoever
 * connects.
 */
#ifndef SOAK_RUN_STAYED_H
#define SOAK_RUN_STAYED_H

#include "measure/process_tree.h"

struct run;

struct run_stayed {
    uint64_t oldest; /* the epoch of the oldest open connection, at the last checkpoint */
    int checkpoints; /* it has been that one over so many more */
    struct process_sockets lasting; /* connected to the server at each of these checkpoints */
    struct process stranger;        /* one of them is its; pid 0: none is another process's */
    bool said;                      /* that one was connected, at whichever checkpoint */
};

/* At a checkpoint, while nothing moves. Says once what it has found. */
void stayed_look(struct run *r);
/* Whether a connection that stays open for good, as no --idle-timeout ends it, is in the way. */
bool stayed_open(const struct run *r);
/* Whose it is, as far as that is known: `openssl (process 12), which isn't the client's`. */
char *stayed_whose(const struct run *r, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that descend from one, by /proc: a program that isn't ours may be several. And what
 * they use together, and which TCP ports they listen on. Read from outside; a process that ends
 * meanwhile is left out. No state, thread-safe.
 */
#ifndef SOAK_MEASURE_PROCESS_TREE_H
#define SOAK_MEASURE_PROCESS_TREE_H

#include "base/address.h"
#include "proc.h"

enum { PROCESS_TREE_MAX = 1024, PROCESS_NAME = 16, PROCESS_SOCKETS_MAX = 4096 };

struct process {
    pid_t pid, parent;
    uint64_t started;        /* clock ticks since the machine's start: tells a pid's next owner */
    char name[PROCESS_NAME]; /* comm, as it is: it may hold anything but a zero */
};

struct process_tree {
    size_t count;
    struct process process[PROCESS_TREE_MAX]; /* in the order of their start */
};

/* As many as there is room for. */
struct process_sockets {
    size_t count;
    uint64_t inode[PROCESS_SOCKETS_MAX];
};

/* One. Returns false when it has ended: its memory is given back though its parent may not have
 * noticed yet. */
bool process_read(pid_t pid, struct process *ret);

/* Everything below `root`, without it; what has ended is left out. */
void process_tree_read(struct process_tree *ret, pid_t root);

/* `127.0.0.1:8443, [::]:8080`, the ports that they listen on; "" when there is none. Returns buf.
 */
char *process_tree_ports(const struct process_tree *t, char *buf, size_t size);

/* The youngest that listens on this port, or NULL: several may have inherited it. */
const struct process *process_tree_listener(const struct process_tree *t, unsigned port);

/* Who of a tree's processes holds the connections to a server on this machine: those that it took
 * there, or (`outgoing`) made to it. */
struct process_holders {
    struct address server;
    bool outgoing;
    bool (*chosen)(const void *owner, const struct process *p);
    const void *owner;

    size_t standing;       /* all that the machine has there; of outgoing ones, the tree's */
    size_t of_chosen;      /* of these, held by a process that is chosen, whoever else does */
    struct process others; /* not chosen, and holds one that no chosen one does; pid 0: none */
    bool unread;           /* what one that is chosen holds isn't known, or not all of it */
};
/* The first fields are the question. Descriptors that may not be read, as those of another user's
 * processes, count as none. */
void process_tree_holders(const struct process_tree *t, struct process_holders *h);

/* The sockets of this machine that are connected to a server on it: the ends that aren't its own.
 */
void process_sockets_to(struct process_sockets *ret, const struct address *server);

/* Leaves those in `s` that are still there now. */
void process_sockets_keep(struct process_sockets *s, const struct process_sockets *now);

/* A process that has one of them and isn't below `root`. `known`, the likeliest to have them all,
 * is looked at first. Returns whether there is one. */
bool process_sockets_elsewhere(const struct process_sockets *s, pid_t root, pid_t known,
                               struct process *ret);

#endif

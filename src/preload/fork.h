/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether this is still the process that it was. A forked child inherits everything, the page and
 * the thread's slot among it, and must count elsewhere. It finds out by a word on a page that the
 * kernel gives to children as zeros (MADV_WIPEONFORK), however they were forked; where that isn't
 * to be had, pthread_atfork clears the word. A vfork child shares its parent's memory, so it counts
 * as the parent, as it should.
 *
 * The word is even and differs in each process of a line of descent. A thread that has a place in
 * this process knows the word; all others take the slow way.
 */
#ifndef SOAK_PRELOAD_FORK_H
#define SOAK_PRELOAD_FORK_H

#include "probe/slot.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

extern _Atomic uint64_t *fork_word;
/* The word that this thread knows; odd: it knows none, or has no slot of its own. */
extern _Thread_local uint64_t fork_known __attribute__((tls_model("initial-exec")));

/* `on_fork` runs in a child before anything is counted there, once, by the thread that finds out.
 * Returns whether forks can be noticed. */
bool fork_start(void (*on_fork)(void));

static inline bool fork_unchanged(void)
{
    return LIKELY(atomic_load_explicit(fork_word, memory_order_relaxed) == fork_known);
}

/* A child finds out if it hasn't yet. */
void fork_notice(void);

/* Makes this thread one of this process: its slot, when it has one. NULL: it has none, or a signal
 * has come just while it was about to. */
struct page_thread *fork_enter(void);

/* Whether the slot that this thread has is its own: in a forked child that hasn't found out it is
 * its parent's. */
bool fork_keeps_slot(void);

/* This process gives up what it counted: from here on it is another one, as after a fork. Returns
 * false in a child that hasn't counted anything. */
bool fork_retire(void);

/* How many forks this process is away from the one that was started. */
uint64_t fork_generation(void);

#endif

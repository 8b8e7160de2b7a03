/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slot of the page a thread counts in. A thread claims a slot of its own at its first
 * allocation or free, and gives it back when it ends; the next thread of the process goes on
 * counting there, because only sums mean something. Counting in an own slot takes a plain load and
 * store.
 *
 * A thread goes on freeing after that: destructors of other keys run later than ours, and the C
 * library frees what it had for the thread after all of them, when nobody tells us any more. All
 * threads of a process that are ending count in one further slot of the process, by atomic adds. A
 * thread that found no slot counts in the last one, which all such threads share, of whatever
 * process.
 */
#ifndef SOAK_PROBE_SLOT_H
#define SOAK_PROBE_SLOT_H

#include "base/err.h"
#include "page/page.h"

#include <stdbool.h>
#include <sys/types.h>

#define LIKELY(cond)   __builtin_expect(!!(cond), 1)
#define UNLIKELY(cond) __builtin_expect(!!(cond), 0)

/* One instruction in a program, two in a library that is there from its start. */
#if defined(__PIC__) && !defined(__PIE__)
#define SLOT_TLS _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define SLOT_TLS _Thread_local __attribute__((tls_model("local-exec")))
#endif

/* This thread's own slot; NULL before the first claim, and in threads that have none. */
extern SLOT_TLS struct page_thread *slot_own;
/* The page's epoch; for a thread without an own slot a word beyond all epochs, so that one
 * comparison asks for both. */
extern SLOT_TLS const page_u64 *slot_epoch;

/* SLOT_SEAL while the thread has an own slot. What must hold that before it counts so is compared
 * with this, and again one comparison asks for both. */
#define SLOT_SEAL 0x6b616f73u /* "soak" */
extern SLOT_TLS uint32_t slot_seal;

static inline uint64_t slot_epoch_word(void)
{
    return atomic_load_explicit(slot_epoch, memory_order_relaxed);
}

/* Prepares the slots of `page`. Once, before the hooks. `is_kept` says at the end of a thread
 * whether the slot it had is still its own, and not that of its parent, from which this process was
 * forked unnoticed; NULL: it always is. Returns 0 or -1. */
int slot_init(struct page *page, bool (*is_kept)(void), struct err *e);

/* This process is a forked child, its number `pid`: the slots that it knows are its parent's. By
 * the thread that finds out. Or this process gives up the slots that it has. */
void slot_forked(pid_t pid);

/* The slot that this thread had is another process's: it may claim one. */
void slot_forget(void);

/* Claims a slot for this thread if it may have one. Returns slot_own, which may still be NULL. */
struct page_thread *slot_claim(void);

/* Where a thread without an own slot counts, by atomic adds. */
struct page_thread *slot_shared(void);

/* Whether that is the one that all processes share. */
bool slot_is_last(const struct page_thread *slot);

/* Whether no other thread of this process has a slot of its own. */
bool slot_is_only(void);

/*
 * Adds to a counter of an own slot (`own`, a constant at every call) or of the shared one. In an
 * own slot only this thread writes, and who reads it is another process, or a thread that has been
 * joined: an aligned plain addition is enough, and takes one instruction where an atomic load and
 * store take three. Eight of them on the way of every block are 0.7 % of a handshake.
 */
static inline void slot_add_i(bool own, page_i64 *counter, int64_t by)
{
    if (own)
        *(int64_t *)counter += by;
    else
        atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static inline void slot_add_u(bool own, page_u64 *counter, uint64_t by)
{
    if (own)
        *(uint64_t *)counter += by;
    else
        atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

_Static_assert(sizeof(page_i64) == sizeof(int64_t) && ATOMIC_LLONG_LOCK_FREE == 2,
               "a counter of the page is a plain 64-bit word");

#endif

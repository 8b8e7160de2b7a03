/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the present call stack, by unwind information where a frame has some and by its frame
 * pointer where it has none: code that a JVM or node made at run time. Such a frame ends the
 * unwinder's walk; the next one is found where the frame pointer says, and where that lies in a
 * library or program the unwinder goes on from there, so that native frames below a virtual
 * machine's are as exact as any. x86-64; elsewhere such a frame is the last.
 *
 * Async-signal-safe as far as the unwinder is; takes no lock, allocates nothing. Nothing is read
 * before the kernel has said that it can be, so a frame pointer that is none ends the walk and
 * does no harm, on any stack: a thread's, a coroutine's, a signal handler's.
 */
#ifndef SOAK_PROBE_WALK_H
#define SOAK_PROBE_WALK_H

#include "page/page.h"

#include <stddef.h>
#include <stdint.h>

/* Marks the functions between the allocating code and the walk. They lie in a section of their own,
 * so an address tells them without a figure being passed on the way of every block. */
#define STACKS_OWN __attribute__((section("soak_hooks")))

struct walk {
    size_t frames;
    uint64_t frame[PAGE_STACK_FRAMES]; /* return addresses, innermost first */
};

/* Walks once, so that whatever the unwinder loads or prepares is there; looks up what the walk
 * needs of the C library. Once, before the hooks. */
void walk_prepare(void);

/* Frames of functions marked STACKS_OWN are left out at the beginning. */
void walk_stack(struct walk *ret);

#endif

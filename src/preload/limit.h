/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program may limit its own address space (RLIMIT_AS) or private memory (RLIMIT_DATA), and what
 * page and block table take would be missing to it. So each such limit that it sets is raised by as
 * much, as far as its hard limit allows, and it is told what it has set.
 *
 * Nothing is kept of that: the kernel ignores what a limit has beyond whole memory pages, so there
 * is room for a mark. By that any image, thread or child knows that a limit has been raised: it
 * passes to children, which map page and table anew when they become another program.
 */
#ifndef SOAK_PRELOAD_LIMIT_H
#define SOAK_PRELOAD_LIMIT_H

#include <stdbool.h>

/* Looks up the C library's functions behind ours, at the start: a forked child, whose first call
 * may be one of these, may find the loader's lock taken for ever. */
void limit_start(void);

/* Whether the limits that this process came with leave the program enough beside page and table:
 * PAGE_LEAST_*, or whatever it is if it was raised for them. Else the program would run out of
 * memory for the probe's sake. */
bool limit_leaves_room(void);

#endif

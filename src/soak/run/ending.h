/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a child ended that wasn't to end yet: the sentence about it, from its exit, its log and the
 * kernel's count of what a memory limit has ended.
 */
#ifndef SOAK_ENDING_H
#define SOAK_ENDING_H

#include "subject/child.h"
#include "subject/subject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENDING_TEXT = 1024 };

/* Processes that the kernel has killed in the memory cgroup of this process, or in one above it,
 * for want of memory; 0 where nobody counts. `root` is / but in a test. */
uint64_t ending_memory_kills(const char *root);

struct ending {
    const struct child *child;
    const char *folder; /* of the run: NAME.log is in it */
    bool ready;         /* it had said so */
    bool told_to_quit;
    bool by_memory_limit; /* ending_memory_kills has grown while it ran */
    const char *duty;     /* what it should have done instead; NULL: nothing to say */
};

/* `server exited with signal 11 (SIGSEGV) when told to quit, after 12,407 connections; it said:
 * "free(): invalid pointer"; its log: results/.../server.log`. What it should have done stands
 * before what it said, which is the last line of its log; nothing when that is empty, or the
 * sentence has it already. The log comes last: a headline leaves it out. Returns buf. */
char *ending_text(const struct ending *e, char *buf, size_t size);

/* It is what breaks the run. */
struct run;
struct subject;
void ending_break(struct run *r, const struct subject *s, const struct child *c);

/* The last line of a log that isn't blank, clean for a terminal; "" when there is none. Reads its
 * last 4 KiB at most. Returns buf. */
char *ending_last_line(const char *path, char *buf, size_t size);

/* The first Ctrl-C ends the run in order; the second, or another signal, at once; files stay. */
void ending_interrupt(void *owner, int number);

#endif

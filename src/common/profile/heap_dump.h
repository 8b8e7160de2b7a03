/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jemalloc's heap profile as `prof.dump` writes it ("HEAP PROFILE FORMAT" in jemalloc's manual):
 *
 *   heap_v2/1                       mean bytes between samples; 1 = every allocation
 *     t*: 2: 96 [0: 0]              the process: live objects and bytes
 *   @ 0x7f8c3f2a2630 0x5599fccfd177
 *     t*: 2: 96 [0: 0]              the stack: over all threads
 *     t0: 2: 96 [0: 0]
 *   MAPPED_LIBRARIES:               /proc/PID/maps
 *
 * Pure: text in, plain data out; the text comes from another process and is checked. Memory is the
 * caller's: heap_dump_free.
 */
#ifndef SOAK_PROFILE_HEAP_DUMP_H
#define SOAK_PROFILE_HEAP_DUMP_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { HEAP_DUMP_FRAMES = 128 }; /* as deep as jemalloc walks; what is deeper is refused */

struct heap_stack {
    int64_t blocks, bytes;
    size_t first, frames; /* in heap_dump.frame: return addresses, innermost first */
};

struct heap_dump {
    uint64_t sample_bytes;
    size_t stacks, frames;
    struct heap_stack *stack; /* owned; sorted by heap_dump_growth only */
    uint64_t *frame;          /* owned */
};

/* Reads `text` of `length` bytes. Counts of a sampled profile are scaled to what they stand for:
 * a block of s bytes is sampled with the probability 1 - exp(-s/sample_bytes). The innermost frames
 * that lie in jemalloc itself are left out. Returns 0 or -1. */
int heap_dump_parse(const char *text, size_t length, struct heap_dump *ret, struct err *e);

/* The stacks that hold more blocks in `newer` than in `older`, by how much, of places that do:
 * those that have the innermost frames in common are one place. That with most bytes first. Returns
 * 0 or -1. */
int heap_dump_growth(const struct heap_dump *older, const struct heap_dump *newer,
                     struct heap_dump *ret, struct err *e);

void heap_dump_free(struct heap_dump *d);

#endif

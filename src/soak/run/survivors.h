/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stacks of survivors with the names of their functions, for the report and for the tools that
 * read profiles. Names are looked up after the run, from the copies of the subjects' maps; of a run
 * under way those of a few stacks, and no longer than a bound.
 */
#ifndef SOAK_SURVIVORS_H
#define SOAK_SURVIVORS_H

#include "archive/run_dir.h"
#include "scenario/scenario.h"
#include "watched.h"

enum { SURVIVORS_STACKS = 64, SURVIVORS_FRAMES = 64, SURVIVORS_SO_FAR = 16 };

/* One subject's. Zero at first. */
struct survivors {
    struct symbols *symbols;                  /* owned; NULL: no names */
    size_t changes;                           /* of the image that they are of */
    struct symbols *crash_symbols;            /* owned: of another process than those, or NULL */
    struct symbol (*frame)[SURVIVORS_FRAMES]; /* owned: for each stack */
    struct result_stack said[SURVIVORS_STACKS];
    struct result_capture_site site[CAPTURE_KNOWN];
    struct symbol crash[SURVIVORS_FRAMES];
};

/* Fills `s` and `ret`, which borrows from it and from `of`, a subject of a run that has ended.
 * Without memory there are no stacks. From the main thread (see symbols_open). */
void survivors_name(struct survivors *s, const struct watched *of, const struct scenario *scenario,
                    struct result_capture *ret);
/* The same of a run under way: the SURVIVORS_SO_FAR stacks of most blocks, the site to blame first,
 * of these as many as are named within `limit_ns`, one at least; the others count as dropped. What
 * was looked up is kept in `s` for the next time, until program files are mapped or unmapped. No
 * server is asked. */
void survivors_name_so_far(struct survivors *s, const struct watched *of, uint64_t limit_ns,
                           struct result_capture *ret);
/* Names where `c`, a process of the subject, was when a signal ended it. `ret` borrows from `s`; it
 * has no frames when none did, or the probe didn't see it. Behind survivors_name. */
void survivors_crash(struct survivors *s, const struct child *c, const struct scenario *scenario,
                     struct result_crash *ret);
void survivors_free(struct survivors *s);

/* Writes perf-PID.map, the names of the code that a virtual machine made in `of`, if it said any.
 * Returns 0 or -1. */
int survivors_write_made(const struct watched *of, struct run_dir *dir, struct err *e);

#endif

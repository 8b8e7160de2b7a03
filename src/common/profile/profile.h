/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stacks of blocks that survived, and the files that other tools read them from. The samples
 * are copied with all their texts, which become printable ASCII on the way in: names come from
 * files that anyone may have written. Samples of equal stack and labels are added up. One thread
 * per profile. The same samples in the same order give the same bytes in every file.
 */
#ifndef SOAK_PROFILE_PROFILE_H
#define SOAK_PROFILE_PROFILE_H

#include "base/err.h"
#include "symbol/symbol.h"

#include <stdio.h>

/* A stack deeper than this is refused: no capture goes that far. */
enum { PROFILE_FRAMES = 512 };

/* Where some survivors were allocated. All borrowed. */
struct profile_sample {
    const char *subject;        /* "server", "client" */
    const char *behaviour;      /* what the peers did; NULL: not told apart */
    uint64_t epoch;             /* of birth */
    int64_t blocks, bytes;      /* alive */
    const struct symbol *frame; /* innermost first */
    const uint64_t *address;    /* of each frame in the process; NULL: not known */
    size_t frames;
};

struct profile;

/* NULL when out of memory. */
struct profile *profile_new(void);
void profile_free(struct profile *p);

/* Returns 0, or -1: out of memory, or too deep a stack. Then the profile is as before. */
int profile_add(struct profile *p, const struct profile_sample *sample, struct err *e);

/* How many different samples there are. */
size_t profile_count(const struct profile *p);

/* So many blocks more outlived their connections, of which no stack was taken. */
void profile_untaken(struct profile *p, int64_t blocks);

/* What the samples come to: "31.25 KiB in 1,000 of the 3,750 blocks that outlived their
 * connections". Returns buf. */
char *profile_legend(const struct profile *p, char *buf, size_t size);

/*
 * The writers. Each returns 0, or -1 when there is no memory or the stream fails; then what is in
 * the stream is of no use. They flush, and leave the stream open.
 */

/* Folded stacks (Brendan Gregg's flamegraph.pl, speedscope, inferno): a line per stack,
 * `subject;outermost;...;innermost BYTES`. The number is bytes; stacks without bytes have no line.
 * Epochs and behaviours are added up. As the format knows no escapes, a `;` in a name is written
 * `:` and a blank `_`. */
int profile_write_folded(const struct profile *p, FILE *out, struct err *e);

/* A flame graph, root on top, as one SVG file without script. `title` is its headline. */
int profile_write_svg(const struct profile *p, const char *title, FILE *out, struct err *e);

/* The frames of that graph alone, as an element of a page that has a style for them: <g> with a
 * title, a <rect> and mostly a <text>; x from 14 to 1186. */
int profile_write_frames(const struct profile *p, FILE *out, struct err *e);

/* pprof's profile.proto, compressed by gzip: sample types inuse_objects and inuse_space (the
 * default), as survivors are what is in use; labels subject, behaviour and epoch.
 * https://github.com/google/pprof/blob/main/proto/profile.proto */
int profile_write_pprof(const struct profile *p, FILE *out, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exhaustion of file descriptors at every N-th accept (--emfile), a real one: the process's
 * limit is lowered to nothing before it and restored once an accept has met it.
 *
 * libuv answers EMFILE by giving up a descriptor it keeps in reserve, accepting into its place and
 * closing what it accepted. Under a limit of nothing even that fails: the reserve is lost (libuv
 * takes another one with the next socket), and the loop finds the listener readable again and again
 * until someone accepts. Until 1.44 libuv tells the listener EMFILE each time, since 1.45 nobody.
 * So whenever the loop has waited, or is told, the server looks for the waiting connection itself,
 * and closes it.
 *
 * The kernel looks for a free descriptor before it looks for a connection, so a shortage that
 * begins while libuv still accepts would be met by nobody's connection: it begins when the loop is
 * about to wait. The limit is the whole process's: this is for one worker, on its loop.
 */
#ifndef SOAK_SERVER_FD_EXHAUSTION_H
#define SOAK_SERVER_FD_EXHAUSTION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct fd_exhaustion {
    uint64_t every;    /* 0: never */
    uint64_t accepted; /* since the last one met it */
    bool on;
    uint64_t limit; /* to restore */
    bool (*turn_away)(void *owner);
    void *owner; /* borrowed */
    uv_prepare_t prepare;
};

/* `turn_away` closes the connection that waits, and returns whether there was one; with `owner`,
 * which outlives it. */
void fd_exhaustion_init(struct fd_exhaustion *s, uint64_t every, uv_loop_t *loop,
                        bool (*turn_away)(void *owner), void *owner);
/* Ends it for good. */
void fd_exhaustion_close(struct fd_exhaustion *s);
/* A connection was accepted: the next may be the one that meets the shortage. */
void fd_exhaustion_after_accept(struct fd_exhaustion *s);
/* Ends it before it was met, because files are needed; the next accept begins it again. Harmless
 * when there is none. */
void fd_exhaustion_put_off(struct fd_exhaustion *s);
/* An accept has failed for want of files. Returns whether that is our doing: then the connection is
 * turned away and the shortage over, or none waits and it begins again at once. */
bool fd_exhaustion_met(struct fd_exhaustion *s);

#endif

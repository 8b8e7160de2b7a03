/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exhaustion of file descriptors at every N-th accept (--emfile), a real one: the process's
 * limit is lowered to nothing before it and restored by the accept that meets it.
 *
 * libuv answers EMFILE by giving up a descriptor it keeps in reserve, accepting into its place and
 * closing what it accepted. Under a limit of nothing even that fails: the reserve is lost (libuv
 * takes another one with the next socket) and the listener is told EMFILE, again and again until
 * someone accepts. So the server must close the waiting connection itself.
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
    uv_prepare_t prepare;
};

void fd_exhaustion_init(struct fd_exhaustion *s, uint64_t every, uv_loop_t *loop);
/* Ends it for good. */
void fd_exhaustion_close(struct fd_exhaustion *s);
/* A connection was accepted: the next may be the one that meets the shortage. */
void fd_exhaustion_after_accept(struct fd_exhaustion *s);
/* Ends it before it was met, because files are needed; the next accept begins it again. Harmless
 * when there is none. */
void fd_exhaustion_put_off(struct fd_exhaustion *s);
/* An accept has failed for want of files: if it is by our doing, ends the shortage, and the caller
 * closes the connection that waits. Returns whether it was. */
bool fd_exhaustion_met(struct fd_exhaustion *s);
/* None waited whom it could cost: it begins again at once. */
void fd_exhaustion_again(struct fd_exhaustion *s);

#endif

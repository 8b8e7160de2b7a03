/* SPDX-License-Identifier: Apache-2.0 */
#include "fd_exhaustion.h"

#include <sys/resource.h>

/* Returns 0 or -1. */
static int limit_files(rlim_t limit, uint64_t *ret_before)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return -1;
    uint64_t before = files.rlim_cur;
    files.rlim_cur = limit;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        return -1;
    *ret_before = before;
    return 0;
}

static void restore(struct fd_exhaustion *s)
{
    uint64_t lowered;
    if (s->on)
        s->on = limit_files(s->limit, &lowered) < 0;
}

/* Restores the limit, and ends the shortage unless nobody has met it. */
static bool was_met(struct fd_exhaustion *s)
{
    restore(s);
    if (!s->turn_away(s->owner))
        return false;
    s->accepted = 0;
    uv_prepare_stop(&s->prepare);
    return true;
}

/* The loop is about to wait; if it has waited under the shortage, libuv may have kept to itself
 * that it met it. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct fd_exhaustion *s = prepare->data;
    if (!s->on || !was_met(s))
        s->on = limit_files(0, &s->limit) == 0;
}

void fd_exhaustion_init(struct fd_exhaustion *s, uint64_t every, uv_loop_t *loop,
                        bool (*turn_away)(void *owner), void *owner)
{
    *s = (struct fd_exhaustion){.every = every, .turn_away = turn_away, .owner = owner};
    uv_prepare_init(loop, &s->prepare);
    s->prepare.data = s;
}

void fd_exhaustion_close(struct fd_exhaustion *s)
{
    fd_exhaustion_put_off(s);
    uv_close((uv_handle_t *)&s->prepare, NULL);
}

void fd_exhaustion_after_accept(struct fd_exhaustion *s)
{
    if (s->every && ++s->accepted >= s->every - 1)
        uv_prepare_start(&s->prepare, on_prepare);
}

void fd_exhaustion_put_off(struct fd_exhaustion *s)
{
    uv_prepare_stop(&s->prepare);
    restore(s);
}

bool fd_exhaustion_met(struct fd_exhaustion *s)
{
    if (!s->on)
        return false;
    was_met(s);
    return true;
}

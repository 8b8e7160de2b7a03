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

static void on_prepare(uv_prepare_t *prepare)
{
    struct fd_exhaustion *s = prepare->data;
    uv_prepare_stop(prepare);
    s->on = limit_files(0, &s->limit) == 0;
}

void fd_exhaustion_init(struct fd_exhaustion *s, uint64_t every, uv_loop_t *loop)
{
    *s = (struct fd_exhaustion){.every = every};
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
    uint64_t lowered;
    uv_prepare_stop(&s->prepare);
    if (s->on)
        s->on = limit_files(s->limit, &lowered) < 0;
}

bool fd_exhaustion_met(struct fd_exhaustion *s)
{
    if (!s->on)
        return false;
    fd_exhaustion_put_off(s);
    s->accepted = 0;
    return true;
}

void fd_exhaustion_again(struct fd_exhaustion *s)
{
    s->accepted = s->every - 1;
    uv_prepare_start(&s->prepare, on_prepare);
}

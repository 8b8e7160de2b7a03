/* SPDX-License-Identifier: Apache-2.0 */
#include "rounds.h"

#include "base/check.h"

void rounds_start(struct rounds *r, uint64_t operations)
{
    CHECK(r->under_way == 0);
    *r = (struct rounds){.left = operations};
}

bool rounds_spare(const struct rounds *r)
{
    return r->left > 0;
}

void rounds_begin(struct rounds *r)
{
    CHECK(rounds_spare(r));
    r->left--;
    r->under_way++;
}

void rounds_done(struct rounds *r)
{
    CHECK(r->under_way > 0);
    r->under_way--;
}

void rounds_failed(struct rounds *r)
{
    rounds_done(r);
    if (!r->finishing)
        r->left++;
}

void rounds_finish(struct rounds *r)
{
    r->finishing = true;
    r->left = 0;
}

bool rounds_over(const struct rounds *r)
{
    return r->left == 0 && r->under_way == 0;
}

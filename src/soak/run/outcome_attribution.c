/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

static struct result_confirm confirm_of(const struct attribution_confirm *c)
{
    return (struct result_confirm){.connections = c->connections,
                                   .guilty = c->guilty,
                                   .blocks = c->blocks,
                                   .bytes = c->bytes,
                                   .predicted_blocks = c->predicted.blocks,
                                   .predicted_bytes = c->predicted.bytes,
                                   .agrees = c->agrees};
}

static void fill_behaviours(struct result_attribution *ret, const struct run *r, size_t subject)
{
    const struct behaviours_answer *a = attribution_answer(r->attribution, subject);
    for (size_t b = 0; b < attribution_behaviours(r->attribution); b++) {
        const struct behaviours_share *s = &a->share[b];
        if (s->connections == 0)
            continue;
        ret->behaviour[ret->behaviours++] =
            (struct result_behaviour){.name = attribution_name(r->attribution, b),
                                      .connections = s->connections,
                                      .one_in = attribution_one_in(r->attribution, subject, b),
                                      .blocks = s->blocks,
                                      .bytes = s->bytes,
                                      .blocks_error = s->blocks_error,
                                      .bytes_error = s->bytes_error,
                                      .verdict = s->verdict};
    }
}

bool outcome_attribution(const struct run *r, size_t subject, struct result_attribution *ret)
{
    const struct behaviours_answer *a = attribution_answer(r->attribution, subject);
    struct attribution_confirm alone, without;
    if (!r->judged || attribution_behaviours(r->attribution) == 0)
        return false;
    *ret = (struct result_attribution){.outcome = a->outcome,
                                       .exact = a->exact,
                                       .sparse = a->sparse,
                                       .by_end = a->by_end,
                                       .freedom = a->freedom,
                                       .residual_blocks = a->residual_blocks,
                                       .residual_bytes = a->residual_bytes,
                                       .chance = a->chance};
    fill_behaviours(ret, r, subject);
    ret->tried = attribution_confirmed(r->attribution, subject, &alone, &without);
    if (ret->tried) {
        ret->alone = confirm_of(&alone);
        ret->without = confirm_of(&without);
        ret->too_rare = attribution_too_rare(&alone);
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What each thread makes once, when it is first used: a generator of random numbers, its queue of
 * errors. With many threads, most of them seldom used, such blocks come as a rare leak's do. But a
 * leak comes back to the same thread, as connections do. */
#include "judge_internal.h"

#include <inttypes.h>

bool threads_once(int64_t threads, int64_t again)
{
    return threads > 0 && again < JUDGE_MIN_BLOCKS && again * JUDGE_EACH_TWICE <= threads;
}

/* In each epoch as many times as many survivors as another site has. A thread that has so many of
 * one for each of the other is taken for no thread's. */
static bool keeps_step(const struct judge_context *h, const struct survivors *v,
                       const struct survivors *with)
{
    enum { MOST = 16 };
    if (with->blocks < JUDGE_CONVICT_BLOCKS || v->blocks > MOST * with->blocks)
        return false;
    for (size_t c = 0; c < h->e->epochs; c++) {
        if (judge_context_judges(h, c) &&
            born(v->s, c) * with->blocks != born(with->s, c) * v->blocks)
            return false;
    }
    return true;
}

/* Of the judged epochs. */
struct keepers {
    int64_t threads, again; /* those that keep any, and how often one keeps some of one more */
};

static uint64_t judged(const struct judge_context *h)
{
    uint64_t epochs = 0;
    for (size_t c = 0; c < h->e->epochs; c++)
        epochs |= (uint64_t)judge_context_judges(h, c) << c;
    return epochs;
}

static struct keepers keepers_of(const struct judge_context *h, const struct judge_site *s)
{
    uint64_t of = judged(h);
    struct keepers k = {0};
    for (size_t t = 0; s->kept_by && t < h->e->threads; t++) {
        int epochs = __builtin_popcountll(s->kept_by[t] & of);
        k.threads += epochs > 0;
        k.again += epochs > 0 ? epochs - 1 : 0;
    }
    return k;
}

/* What is made with the site's: its own, or, where other threads free some of an epoch or each
 * thread makes them in two steps, what keeps step. */
static struct keepers made_with(const struct judge_context *h, const struct survivors *v)
{
    struct keepers k = {0};
    for (size_t i = 0; i < h->e->sites && k.threads == 0; i++) {
        struct keepers of = keepers_of(h, &h->e->site[i]);
        struct survivors with;
        if (!threads_once(of.threads, of.again))
            continue;
        survivors_count(h, i, &with);
        if (keeps_step(h, v, &with))
            k = of;
    }
    return k;
}

enum answer site_each_once(struct judge_context *h, const struct survivors *v,
                           struct judge_finding *f)
{
    struct keepers k = made_with(h, v);
    if (k.threads == 0)
        return NO_OPINION;
    enum answer answer = doubt_unless_rare(h, v, f);
    finding_why(f,
                "%" PRId64 " blocks, made with what %" PRId64 " threads keep, of which %" PRId64
                " made some again: each may make them once",
                v->blocks, k.threads, k.again);
    return answer;
}

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

/* What a thread has of a site; more is no thread's. */
enum { EACH_AT_MOST = 16 };

/* In each epoch as many times as many survivors as another site has. */
static bool keeps_step(const struct judge_context *h, const struct survivors *v,
                       const struct survivors *with)
{
    if (with->blocks < JUDGE_CONVICT_BLOCKS)
        return false;
    for (size_t c = 0; c < h->e->epochs; c++) {
        if (judge_context_judges(h, c) &&
            born(v->s, c) * with->blocks != born(with->s, c) * v->blocks)
            return false;
    }
    return true;
}

/* Of the survivors. */
struct keepers {
    bool known;
    int64_t threads,
        again; /* those that keep any, and how often one keeps some of one more epoch */
};

static uint64_t epochs_of(const struct judge_context *h, const struct judge_site *s)
{
    uint64_t epochs = 0;
    for (size_t c = 0; c < h->e->epochs; c++)
        epochs |= (uint64_t)(judge_context_judges(h, c) && born(s, c) > 0) << c;
    return epochs;
}

static struct keepers keepers_of(const struct judge_context *h, const struct judge_site *s)
{
    uint64_t of = epochs_of(h, s);
    struct keepers k = {.known = s->kept_by && !(s->passed_on & of)};
    for (size_t t = 0; k.known && t < h->e->threads; t++) {
        int epochs = __builtin_popcountll(s->kept_by[t] & of);
        k.threads += epochs > 0;
        k.again += epochs > 0 ? epochs - 1 : 0;
    }
    return k;
}

static bool is_once(const struct survivors *v, const struct keepers *k)
{
    return threads_once(k->threads, k->again) && v->blocks <= EACH_AT_MOST * k->threads;
}

/* Where other threads free blocks of the site it itself doesn't tell whose are left, but what is
 * made with it does. */
static struct keepers made_with(const struct judge_context *h, const struct survivors *v)
{
    struct keepers k = keepers_of(h, v->s);
    for (size_t i = 0; i < h->e->sites && !k.known; i++) {
        struct keepers of = keepers_of(h, &h->e->site[i]);
        struct survivors with;
        survivors_count(h, i, &with);
        if (is_once(&with, &of) && keeps_step(h, v, &with))
            k = of;
    }
    return k;
}

static void say_once(struct judge_finding *f, int64_t blocks, const struct keepers *k)
{
    bool one = k->threads == 1;
    if (k->again == 0)
        finding_why(f, "%" PRId64 " blocks of %" PRId64 " %s again: may be once per thread", blocks,
                    k->threads,
                    one ? "thread, which didn't allocate" : "threads, none of which allocated");
    else
        finding_why(f,
                    "%" PRId64 " blocks of %" PRId64 " thread%s, which allocated again %" PRId64
                    " time%s: may be once per thread",
                    blocks, k->threads, one ? "" : "s", k->again, k->again == 1 ? "" : "s");
}

enum answer site_each_once(struct judge_context *h, const struct survivors *v,
                           struct judge_finding *f)
{
    struct keepers k = {0};
    if (threads_are_asked(h))
        k = made_with(h, v);
    if (!is_once(v, &k))
        return NO_OPINION;
    enum answer answer = doubt_unless_rare(h, v, f);
    if (k.threads > h->begun)
        h->begun = k.threads;
    say_once(f, v->blocks, &k);
    return answer;
}

/* What kind of leak it is: by time, deferred until the drain, or part of a retained object. */
#include "stats/judge_case.h"

#include <inttypes.h>
#include <stdlib.h>

static bool refinable(const struct judge_finding *f)
{
    return f->verdict == VERDICT_LEAK && f->site != SIZE_MAX && f->kind == KIND_SIDE;
}

/* Nothing connects while the subject is held, so what is born then is born by time. If the rate by
 * the second is the same with and without connections, they have no part in it. */
static void name_time(const struct hearing *h, struct judge_finding *f)
{
    struct survivors v;
    survivors_count(h, f->site, &v);
    if (v.held == 0 || h->hold_seconds <= 0 || h->seconds <= 0)
        return;
    double held = (double)v.held / h->hold_seconds, churn = (double)v.blocks / h->seconds;
    double share = h->hold_seconds / (h->hold_seconds + h->seconds);
    bool chance = binomial_at_most(v.held, v.held + v.blocks, share) > JUDGE_ALPHA;
    if (held * 2 < churn && !chance)
        return;
    f->kind = KIND_TIME;
    finding_why(f, "%.2f blocks per second while held without churn, %.2f while connections churn",
                held, churn);
}

static void name_deferred(const struct hearing *h, struct judge_finding *f)
{
    const struct judge_site *s = &h->e->site[f->site];
    if (s->drained_blocks * 10 > f->blocks)
        return;
    f->kind = KIND_DEFERRED;
    finding_why(
        f, "%" PRId64 " blocks stayed while connections churned; the drain freed all but %" PRId64,
        f->blocks, s->drained_blocks);
}

static int64_t class_growth(const struct hearing *h, const struct judge_class *k)
{
    return h->epochs ? k->live[h->newest] - at_base(h, k->live) : 0;
}

static bool near(int64_t a, int64_t b)
{
    return llabs(a - b) <= (b / 20 > 1 ? b / 20 : 1);
}

static bool leaks_from(const struct judge_finding *f, bool deferred)
{
    return f->verdict == VERDICT_LEAK && f->site != SIZE_MAX &&
           (f->kind == KIND_SIDE || (deferred && f->kind == KIND_DEFERRED));
}

/* An object is one block of its own: either its known site leaks, or some site leaks as many. */
static bool class_leaks(const struct hearing *h, const struct judge_class *k,
                        const struct judge_finding *finding, size_t count)
{
    int64_t grown = class_growth(h, k);
    if (grown < JUDGE_MIN_BLOCKS)
        return false;
    /* Objects that emptying the caches frees were a cache's. */
    if (h->e->drained && k->drained * 2 >= grown && k->flushed * 2 < grown)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (leaks_from(&finding[i], true) &&
            (finding[i].site == k->site || near(finding[i].blocks, grown)))
            return true;
    }
    return false;
}

static void name_object(const struct hearing *h, size_t class_, struct judge_finding *f)
{
    const struct judge_class *k = &h->e->class_[class_];
    int64_t grown = class_growth(h, k), each = (f->blocks + grown / 2) / grown;
    if (!leaks_from(f, false))
        return;
    if (f->site != k->site && (each == 0 || !near(f->blocks, each * grown)))
        return;
    f->kind = KIND_OBJECT;
    finding_why(f,
                "%" PRId64 " more %.32s objects are alive, with %" PRId64 " block%s of this "
                "site each",
                grown, k->name, each, each == 1 ? "" : "s");
}

size_t kinds_name(const struct hearing *h, struct judge_finding *finding, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rule_on(h, RULE_TIME) && refinable(&finding[i]))
            name_time(h, &finding[i]);
        if (rule_on(h, RULE_DEFERRED) && h->e->drained && refinable(&finding[i]))
            name_deferred(h, &finding[i]);
    }
    size_t class_ = 0;
    while (class_ < h->e->classes && !class_leaks(h, &h->e->class_[class_], finding, count))
        class_++;
    if (!rule_on(h, RULE_OBJECT) || class_ == h->e->classes)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        name_object(h, class_, &finding[i]);
    return class_;
}

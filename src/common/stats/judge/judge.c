/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include "base/check.h"
#include "judge_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAUGE_FINDINGS = 8 };

ENUM_SPELLINGS(judge_rule, RULE_LIST)

/* LEAKs before doubts before what is explained; an object's parts before side losses; a table after
 * what may make it grow (descriptors that stay open enlarge libuv's array of watchers); then the
 * larger first. */
static int blame_order(const void *a, const void *b)
{
    const struct judge_finding *x = a, *y = b;
    int order = verdict_gravity(y->verdict) - verdict_gravity(x->verdict);
    if (order == 0)
        order = (y->kind == KIND_OBJECT) - (x->kind == KIND_OBJECT);
    if (order == 0)
        order = (x->kind == KIND_TABLE) - (y->kind == KIND_TABLE);
    if (order == 0)
        order = (x->bytes < y->bytes) - (x->bytes > y->bytes);
    return order ? order : (x->site > y->site) - (x->site < y->site);
}

/* The site that allocates the object itself is the one to blame first. */
static void lead_with(struct judge_finding *finding, size_t count, size_t site)
{
    for (size_t i = 0; i < count; i++) {
        if (finding[i].site != site || finding[i].verdict != VERDICT_LEAK)
            continue;
        struct judge_finding lead = finding[i];
        memmove(finding + 1, finding, i * sizeof *finding);
        finding[0] = lead;
        return;
    }
}

/* However the path of OpenSSL's sources begins. */
static bool is_openssls(const char *file)
{
    static const char *const rooms[] = {"crypto/", "ssl/", "providers/", "engines/"};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        for (const char *at = file; (at = strstr(at, rooms[i])); at++)
            if (at == file || at[-1] == '/')
                return true;
    return false;
}

static const char *file_of(const struct judge_context *h, const struct judge_finding *f)
{
    return f->site < h->e->sites ? h->e->site[f->site].file : NULL;
}

/* Of sites that keep as many blocks the program's own line is the one to mend: what the library
 * keeps beside it, such as the table that has it, is its consequence. */
static void lead_with_own(const struct judge_context *h, struct judge_finding *finding,
                          size_t count)
{
    const char *file = count ? file_of(h, finding) : NULL;
    if (!file || !is_openssls(file))
        return;
    for (size_t i = 1; i < count; i++) {
        const struct judge_finding *f = &finding[i];
        const char *own = file_of(h, f);
        if (f->kind == finding->kind && f->blocks >= finding->blocks && own && !is_openssls(own)) {
            lead_with(finding, count, f->site);
            return;
        }
    }
}

static void sum_leaks(const struct judge_finding *finding, size_t count, struct judgement *j)
{
    for (size_t i = 0; i < count; i++) {
        if (finding[i].verdict != VERDICT_LEAK)
            continue;
        j->per_conn_blocks += finding[i].per_conn_blocks;
        j->per_conn_bytes += finding[i].per_conn_bytes;
    }
}

/* Of all findings, also those that find no room in the judgement. */
static void mark_leaks(const struct judge_finding *finding, size_t count, struct judgement *j)
{
    for (size_t i = 0; i < count; i++) {
        const struct judge_finding *f = &finding[i];
        if (f->verdict != VERDICT_LEAK || f->site >= JUDGE_SITES || f->kind == KIND_TIME ||
            f->kind == KIND_TABLE)
            continue;
        j->leaks[f->site / 64] |= UINT64_C(1) << f->site % 64;
        j->emptied[f->site / 64] |= (uint64_t)f->emptied << f->site % 64;
    }
}

static bool any_leak(const struct judge_finding *finding, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (finding[i].verdict == VERDICT_LEAK)
            return true;
    }
    return false;
}

static uint64_t threads_asked(const struct judge_context *h)
{
    return rule_on(h, RULE_EACH_ONCE) && threads_are_asked(h) ? h->e->serving : 0;
}

/* The warm-up's last epoch is the one before the measuring. */
static double one_in_of(const struct judge_context *h)
{
    uint64_t *opened = calloc(h->e->epochs + 1, sizeof *opened);
    CHECK(opened);
    for (size_t c = 0; c < h->e->epochs; c++)
        opened[c] = judge_context_judges(h, c) ? h->e->epoch[c].opened : 0;
    struct reach r = {.opened = opened,
                      .epochs = h->e->epochs,
                      .threads = threads_asked(h),
                      .warm = h->base == SIZE_MAX ? 0 : h->e->epoch[h->base].opened,
                      .warm_up = h->e->warm_up};
    double one_in = reach_one_in(&r);
    free(opened);
    return one_in;
}

static void judge_sensitivity(const struct judge_context *h, struct judge_sensitivity *ret)
{
    ret->closed = h->opened;
    ret->epochs = h->epochs;
    ret->base = h->base;
    ret->middle = h->middle;
    ret->warm_up = h->e->warm_up;
    ret->threads = threads_asked(h);
    ret->one_in = one_in_of(h);
    ret->malloc_one_in = marks_one_in(h);
    if (h->e->ended) {
        ret->one_in /= runs_times(h->e->epochs);
        ret->one_in = ret->one_in < 1 ? 0 : ret->one_in;
        ret->malloc_one_in /= runs_times(h->e->epochs);
    }
}

/* The longest of what is missing for any. */
static uint64_t hold_ms(const struct judge_context *h, const struct judge_finding *finding,
                        size_t count)
{
    double seconds = 0;
    for (size_t i = 0; i < count; i++)
        seconds = fmax(seconds, hold_missing_of(h, &finding[i]));
    return (uint64_t)ceil(seconds * 1000);
}

static bool is_certain(const struct judge_context *h, const struct judgement *j)
{
    /* A small table that nobody declared looks like a leak until it is full. */
    enum { CERTAIN_EPOCHS = 3, CERTAIN_BLOCKS = 500 };
    const struct judge_finding *f = &j->finding[0];
    if (j->verdict != VERDICT_LEAK || (rule_on(h, RULE_PENDING) && h->pending))
        return false;
    if (rule_on(h, RULE_HOLD_FIRST) && !h->hold)
        return false;
    if (f->site == SIZE_MAX)
        return f->gauge && metric_info(f->gauge)->role == ROLE_COUNT && h->epochs >= CERTAIN_EPOCHS;
    struct survivors v;
    survivors_count(h, f->site, &v);
    return v.epochs >= CERTAIN_EPOCHS && v.blocks >= CERTAIN_BLOCKS;
}

static void lower_sensitivity(const struct judge_context *h, struct judge_sensitivity *s)
{
    s->share = s->one_in > h->shows ? h->shows / s->one_in : 1;
    s->one_in *= s->share;
    s->malloc_one_in = fmin(s->malloc_one_in, h->shows);
}

static size_t find_all(struct judge_context *h, struct judge_finding *finding, struct judgement *j)
{
    bool *taken = calloc(h->e->sites + 1, sizeof *taken);
    CHECK(taken);
    size_t count = shared_judge(h, taken, finding);
    for (size_t i = 0; i < h->e->sites; i++)
        count += !taken[i] && site_judge(h, i, &finding[count]);
    free(taken);
    lower_sensitivity(h, &j->sensitivity);
    j->class_ = kinds_name(h, finding, count);
    count += counts_judge(h, &finding[count]);
    bool exact = any_leak(finding, count);
    count += heap_judge(h, exact, &finding[count], &j->sensitivity);
    return count;
}

void judge_with_rules(const struct evidence *evidence, uint64_t rules, struct judgement *ret)
{
    struct judge_context h;
    memset(ret, 0, sizeof *ret);
    ret->unit = evidence->unit;
    judge_context_open(&h, evidence, rules);
    judge_sensitivity(&h, &ret->sensitivity);
    h.one_in = ret->sensitivity.one_in;
    struct judge_finding *finding = calloc(evidence->sites + GAUGE_FINDINGS, sizeof *finding);
    CHECK(finding);
    size_t count = find_all(&h, finding, ret);
    qsort(finding, count, sizeof *finding, blame_order);
    lead_with_own(&h, finding, count);
    if (ret->class_ != SIZE_MAX && evidence->class_[ret->class_].site != SIZE_MAX)
        lead_with(finding, count, evidence->class_[ret->class_].site);
    sum_leaks(finding, count, ret);
    mark_leaks(finding, count, ret);
    ret->findings_total = count;
    ret->findings = count < JUDGE_FINDINGS ? count : JUDGE_FINDINGS;
    memcpy(ret->finding, finding, ret->findings * sizeof *finding);
    free(finding);
    ret->wants_more = h.wants_more;
    ret->wants_hold = h.wants_hold && rule_on(&h, RULE_HOLD_FIRST);
    verdict_decide(&h, ret);
    if (ret->verdict == VERDICT_INVALID)
        ret->class_ = SIZE_MAX;
    ret->certain = is_certain(&h, ret);
    ret->hold_ms = ret->verdict == VERDICT_LEAK ? hold_ms(&h, ret->finding, ret->findings) : 0;
    ret->held = ret->verdict == VERDICT_LEAK && h.hold_seconds > 0 && ret->kind != KIND_TIME &&
                hold_missing_of(&h, &ret->finding[0]) <= 0;
    ret->proportional = ret->held && kind_proportional(&h, &ret->finding[0]);
    metrics_fill(&h, ret);
    if (rule_on(&h, RULE_FROM_OUTSIDE) && evidence->outside)
        judgement_distrust(ret, "from outside");
}

void judge(const struct evidence *evidence, struct judgement *ret)
{
    judge_with_rules(evidence, RULES_ALL, ret);
}

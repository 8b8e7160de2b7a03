/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of leak it is: by time, deferred until the drain, or part of a retained object. */
#include "base/text.h"
#include "judge_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refinable(const struct judge_finding *f)
{
    return f->verdict == VERDICT_LEAK && f->site != SIZE_MAX && f->kind == KIND_SIDE;
}

bool is_by_time(const struct judge_context *h, double held, double churned)
{
    if (held <= 0 || h->hold_seconds <= 0 || h->seconds <= 0)
        return false;
    double share = h->hold_seconds / (h->hold_seconds + h->seconds);
    return held / h->hold_seconds * 2 >= churned / h->seconds ||
           binomial_at_most((int64_t)held, (int64_t)(held + churned), share) > JUDGE_ALPHA;
}

double hold_missing(const struct judge_context *h, double held, int64_t losses)
{
    /* Of losses by time none would have come while held in one of a hundred runs. */
    static const double BY_CHANCE = 0.01;
    if (held > 0 || losses <= 0 || !rule_on(h, RULE_HOLD_LONG))
        return 0;
    double share = 1 - pow(BY_CHANCE, 1 / (double)losses);
    return fmax(h->seconds * share / (1 - share) - h->hold_seconds, 0);
}

double hold_missing_of(const struct judge_context *h, const struct judge_finding *f)
{
    struct survivors v;
    bool counted = f->gauge && metric_info(f->gauge)->role == ROLE_COUNT;
    /* A table's growth is told by its bytes. */
    bool told = f->kind == KIND_TIME || f->kind == KIND_TABLE;
    if (f->verdict != VERDICT_LEAK || told || h->e->ended)
        return 0;
    if (f->site == SIZE_MAX)
        return counted ? hold_missing(h, 0, f->blocks) : 0;
    survivors_count(h, f->site, &v);
    return hold_missing(h, (double)v.held, v.events);
}

static void name_time(const struct judge_context *h, struct judge_finding *f)
{
    struct survivors v;
    survivors_count(h, f->site, &v);
    if (!is_by_time(h, (double)v.held, (double)v.blocks))
        return;
    f->kind = KIND_TIME;
    finding_why(f, "%.2f blocks per second while held without churn, %.2f while %s",
                (double)v.held / h->hold_seconds, (double)v.blocks / h->seconds,
                unit_under_way(h->e->unit));
}

/* A table's bytes are no events that chance could tell: half of the pace is asked for. */
static void name_time_of_table(const struct judge_context *h, struct judge_finding *f)
{
    const struct judge_site *s = &h->e->site[f->site];
    double held = 0;
    for (size_t c = 1; c <= h->last; c++) {
        if (h->e->epoch[c].hold && s->blocks[c] == s->blocks[c - 1])
            held += (double)(s->bytes[c] - s->bytes[c - 1]);
    }
    double churned = (double)f->bytes - held;
    if (held <= 0 || h->seconds <= 0 || held / h->hold_seconds * 2 < churned / h->seconds)
        return;
    f->kind = KIND_TIME;
    finding_why(f,
                "its blocks were made larger by %.0f bytes per second while held without churn, by "
                "%.0f while %s",
                held / h->hold_seconds, churned / h->seconds, unit_under_way(h->e->unit));
}

/* Held connections: what closing them frees was held by them. What it doesn't is lost by each
 * operation, or waits for the drain. */
static void name_held(const struct judge_context *h, struct judge_finding *f)
{
    const struct judge_site *s = &h->e->site[f->site];
    finding_why(f,
                "%" PRId64 " blocks stayed while the connections were held, over %" PRIu64
                " operations; closing them left %" PRId64,
                f->blocks, h->opened, s->closed_blocks);
    if (s->closed_blocks * 10 <= f->blocks)
        f->kind = KIND_HELD;
}

static void name_deferred(const struct judge_context *h, struct judge_finding *f)
{
    const struct judge_site *s = &h->e->site[f->site];
    if (s->drained_blocks * 10 > f->blocks)
        return;
    f->kind = KIND_DEFERRED;
    finding_why(
        f, "%" PRId64 " blocks stayed while connections churned; the drain freed all but %" PRId64,
        f->blocks, s->drained_blocks);
}

/* Processes that ended with exactly as many blocks as their connections make, where the time that
 * they took would have made at least one block more or less of any of them. */
static bool refute_time(const struct judge_context *h, const struct judge_site *s)
{
    const struct judge_epoch *e = h->e->epoch;
    double blocks = (double)(s->blocks[h->last] - s->blocks[0]), off = 0;
    double connections = (double)(e[h->last].closed - e[0].closed);
    double seconds = e[h->last].seconds - e[0].seconds;
    for (size_t c = 1; c < h->last && h->e->ended; c++) {
        double kept = (double)(s->blocks[c] - s->blocks[0]);
        if (kept * connections != blocks * (double)(e[c].closed - e[0].closed))
            return false;
        off = fmax(off, fabs(blocks * (e[c].seconds - e[0].seconds) - kept * seconds));
    }
    return h->e->ended && (off > fabs(seconds) || seconds == 0);
}

/* A lost side allocation is a claim against three others: that time makes it, that the drain frees
 * it, and that an object which stays holds it. `retained`: what says the last, NULL for nothing. */
static void name_unknown(const struct judge_context *h, const struct judge_class *retained,
                         struct judge_finding *f)
{
    char before[sizeof f->why];
    /* What is there when a process has ended waits for nothing. */
    bool told = h->hold_seconds > 0 && hold_missing_of(h, f) <= 0;
    if (!retained && ((told && h->e->drained) || refute_time(h, &h->e->site[f->site])))
        return;
    f->kind = KIND_UNKNOWN;
    snprintf(before, sizeof before, "%s", f->why);
    struct text why = text_into(f->why, sizeof f->why);
    text_add(&why, "%.130s; ", before);
    if (retained)
        text_add(&why, "some of the %.32s objects that stay may hold it", retained->name);
    else if (h->e->ended)
        text_add(&why, "longer runs take longer, so time may make it");
    else if (told)
        text_add(&why, "not drained, so it may only be deferred");
    else if (h->hold_seconds > 0)
        text_add(&why, "held too short to tell, so time may make it");
    else
        text_add(&why, "never held without churn, so time may make it");
}

static int64_t class_growth(const struct judge_context *h, const struct judge_class *k)
{
    return h->epochs ? k->live[h->newest] - at_base(h, k->live) : 0;
}

static bool near(int64_t a, int64_t b)
{
    int64_t part = b / 20;
    return llabs(a - b) <= (part > 1 ? part : 1);
}

static bool leaks_from(const struct judge_finding *f, bool deferred)
{
    return f->verdict == VERDICT_LEAK && f->site != SIZE_MAX &&
           (f->kind == KIND_SIDE ||
            (deferred && (f->kind == KIND_DEFERRED || f->kind == KIND_HELD)));
}

/* Blocks of the finding's site, or of all that leak of its type: objects may be made at several
 * places. */
static int64_t blocks_of_type(const struct judge_context *h, const struct judge_finding *finding,
                              size_t count, const struct judge_finding *f)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        bool leaks = leaks_from(&finding[i], true) || finding[i].kind == KIND_OBJECT;
        if (leaks && same_type(h, &h->e->site[f->site], &h->e->site[finding[i].site]))
            sum += finding[i].blocks;
    }
    return rule_on(h, RULE_SHARED) ? sum : f->blocks;
}

/* An object is one block of its own: either its known site leaks, or some site leaks as many. */
static bool class_leaks(const struct judge_context *h, const struct judge_class *k,
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
            (finding[i].site == k->site || near(finding[i].blocks, grown) ||
             near(blocks_of_type(h, finding, count, &finding[i]), grown)))
            return true;
    }
    return false;
}

/* A whole number of blocks, one or more, for each of so many objects. */
static bool per_object(int64_t blocks, int64_t objects)
{
    int64_t each = (blocks + objects / 2) / objects;
    return each > 0 && near(blocks, each * objects);
}

static void name_object(const struct judge_context *h, size_t class_, struct judge_finding *finding,
                        size_t count, struct judge_finding *f)
{
    const struct judge_class *k = &h->e->class_[class_];
    int64_t grown = class_growth(h, k), blocks = f->blocks;
    if (!leaks_from(f, false))
        return;
    bool shared = !per_object(blocks, grown);
    if (shared)
        blocks = blocks_of_type(h, finding, count, f);
    if (f->site != k->site && !per_object(blocks, grown))
        return;
    int64_t each = (blocks + grown / 2) / grown;
    f->kind = KIND_OBJECT;
    finding_why(f,
                "%" PRId64 " more %.32s objects are alive, with %" PRId64 " block%s of this "
                "%s each",
                grown, k->name, each, each == 1 ? "" : "s",
                shared ? "size, made at several places of the file," : "site");
}

/* Where the objects themselves are made, others may be whose course leaves the site in doubt. As
 * many blocks stayed there as objects did, and these are theirs. */
static void convict_own_site(const struct judge_context *h, const struct judge_class *k,
                             struct judge_finding *f)
{
    if (f->site == SIZE_MAX || f->site != k->site || f->verdict != VERDICT_INCONCLUSIVE ||
        f->blocks < class_growth(h, k))
        return;
    f->verdict = VERDICT_LEAK;
    f->kind = KIND_SIDE;
}

/* What tells a lost side allocation from a retained object: the objects go. */
static void say_freed(const struct judge_context *h, struct judge_finding *f)
{
    char before[sizeof f->why];
    if (h->e->unit != UNIT_CONNECTION)
        return;
    for (size_t i = 0; i < h->e->classes; i++) {
        const struct judge_class *k = &h->e->class_[i];
        if (strcmp(k->name, "SSL") != 0 || class_growth(h, k) >= JUDGE_MIN_BLOCKS)
            continue;
        snprintf(before, sizeof before, "%s", f->why);
        finding_why(f, "SSL objects are freed (%" PRId64 " live), this block is not: %.140s",
                    k->live[h->newest], before);
    }
}

static void say_all_freed(const struct judge_context *h, struct judge_finding *finding,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (refinable(&finding[i]))
            say_freed(h, &finding[i]);
    }
}

/* What the drain left behind is in no object that the drain has freed. */
static bool gone(const struct judge_context *h, const struct judge_class *k)
{
    return rule_on(h, RULE_OBJECT_GONE) && h->e->drained && k->drained * 10 <= class_growth(h, k);
}

size_t kinds_name(const struct judge_context *h, struct judge_finding *finding, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rule_on(h, RULE_TIME) && refinable(&finding[i]))
            name_time(h, &finding[i]);
        else if (rule_on(h, RULE_TIME) && finding[i].verdict == VERDICT_LEAK &&
                 finding[i].kind == KIND_TABLE)
            name_time_of_table(h, &finding[i]);
        if (!h->e->drained || !refinable(&finding[i]))
            continue;
        if (rule_on(h, RULE_HELD) && h->e->unit == UNIT_OPERATION)
            name_held(h, &finding[i]);
        if (rule_on(h, RULE_DEFERRED) && refinable(&finding[i]))
            name_deferred(h, &finding[i]);
    }
    size_t class_ = 0;
    while (class_ < h->e->classes && !class_leaks(h, &h->e->class_[class_], finding, count))
        class_++;
    bool named = rule_on(h, RULE_OBJECT) && class_ < h->e->classes;
    bool retained = named && !gone(h, &h->e->class_[class_]);
    for (size_t i = 0; i < count && retained; i++)
        convict_own_site(h, &h->e->class_[class_], &finding[i]);
    for (size_t i = 0; i < count && retained; i++)
        name_object(h, class_, finding, count, &finding[i]);
    for (size_t i = 0; i < count && rule_on(h, RULE_UNTESTED); i++) {
        if (refinable(&finding[i]))
            name_unknown(h, retained ? &h->e->class_[class_] : NULL, &finding[i]);
    }
    say_all_freed(h, finding, count);
    return named ? class_ : SIZE_MAX;
}

bool kind_proportional(const struct judge_context *h, const struct judge_finding *f)
{
    struct survivors v;
    if (f->site == SIZE_MAX)
        return false;
    survivors_count(h, f->site, &v);
    if (v.blocks == 0)
        return false;
    bool dense = v.blocks * JUDGE_DENSE >= (int64_t)h->opened;
    double clump = dense ? 1 : (double)v.blocks / (double)v.events;
    for (size_t c = 0; c < h->e->epochs; c++) {
        if (!judge_context_judges(h, c))
            continue;
        double expected = (double)v.blocks * (double)h->e->epoch[c].opened / (double)h->opened;
        if (!share_kept((double)v.s->born_blocks[c], expected, clump))
            return false;
    }
    return true;
}

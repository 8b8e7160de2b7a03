/* SPDX-License-Identifier: Apache-2.0 */
#include "judge_internal.h"

#include "base/check.h"
#include "base/text.h"
#include "stats/sensitivity.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool judge_context_judges(const struct judge_context *h, size_t epoch)
{
    const struct judge_epoch *e = &h->e->epoch[epoch];
    return e->measured && !e->hold && e->all_closed && e->opened > 0;
}

static void sum_epochs(struct judge_context *h)
{
    for (size_t c = 0; c < h->e->epochs; c++) {
        const struct judge_epoch *e = &h->e->epoch[c];
        if (e->measured && e->hold) {
            h->hold = true;
            h->hold_seconds += e->seconds;
        }
        if (!judge_context_judges(h, c))
            continue;
        h->epochs++;
        h->newest = c;
        h->opened += e->opened;
        h->seconds += e->seconds;
    }
}

static void cut_in_half(struct judge_context *h)
{
    uint64_t *opened = calloc(h->e->epochs + 1, sizeof *opened);
    CHECK(opened);
    for (size_t c = 0; c < h->e->epochs; c++)
        opened[c] = judge_context_judges(h, c) ? h->e->epoch[c].opened : 0;
    h->middle = sensitivity_halves(opened, h->e->epochs, h->half);
    free(opened);
}

void judge_context_open(struct judge_context *h, const struct evidence *e, uint64_t rules)
{
    *h = (struct judge_context){.e = e, .rules = rules, .base = SIZE_MAX, .shows = INFINITY};
    h->last = e->epochs ? e->epochs - 1 : 0;
    for (size_t c = 0; c < e->epochs && !e->epoch[c].measured; c++)
        h->base = c;
    sum_epochs(h);
    cut_in_half(h);
}

int64_t at_base(const struct judge_context *h, const int64_t *series)
{
    return h->base == SIZE_MAX ? 0 : series[h->base];
}

int64_t growth_of(const struct judge_context *h, const int64_t *series)
{
    return h->e->epochs ? series[h->last] - at_base(h, series) : 0;
}

bool same_type(const struct judge_context *h, const struct judge_site *a,
               const struct judge_site *b)
{
    size_t at_a = a->blocks[h->last] > 0 ? h->last : h->base;
    size_t at_b = b->blocks[h->last] > 0 ? h->last : h->base;
    if (at_a == SIZE_MAX || at_b == SIZE_MAX || strcmp(a->file, b->file) != 0)
        return false;
    return a->bytes[at_a] * b->blocks[at_b] == b->bytes[at_b] * a->blocks[at_a];
}

bool site_moved(const struct judge_context *h, const struct judge_site *s)
{
    return growth_of(h, s->blocks) != 0 || survivors_after(h, s, SIZE_MAX) > 0;
}

bool share_kept(double kept, double expected, double clump)
{
    static const double BY_CHANCE = 4, PARTS = 4; /* standard deviations; of what is expected */
    return fabs(kept - expected) <= fmax(expected / PARTS, BY_CHANCE * sqrt(expected * clump));
}

int64_t losses_of_epochs(const struct judge_context *h, int64_t losses, int epochs, double without,
                         double chance)
{
    bool refuted = rule_on(h, RULE_CLUMPS) && (double)losses * log1p(-without) <= log(chance);
    return refuted && losses > epochs ? epochs : losses;
}

static bool refutes_single(const struct judge_context *h, const struct survivors *v,
                           uint64_t without)
{
    double share = (double)without / (double)h->opened;
    return losses_of_epochs(h, v->blocks, 0, share, JUDGE_CLUMPS) == 0;
}

/* From the first epoch that kept some to the last each kept its connections' share of the blocks,
 * one by one; but for the last, in which they may have ended. */
static bool lost_alike(const struct judge_context *h, const struct survivors *v)
{
    double blocks = 0, opened = 0;
    for (size_t c = v->oldest; c < v->newest; c++) {
        blocks += judge_context_judges(h, c) ? (double)born(v->s, c) : 0;
        opened += judge_context_judges(h, c) ? (double)h->e->epoch[c].opened : 0;
    }
    for (size_t c = v->oldest; c <= v->newest && opened > 0; c++) {
        double kept = (double)born(v->s, c);
        double expected = blocks * (double)h->e->epoch[c].opened / opened;
        bool fewer = c == v->newest && kept < expected;
        if (judge_context_judges(h, c) && !fewer && !share_kept(kept, expected, 1))
            return false;
    }
    return true;
}

void survivors_of(const struct judge_context *h, const struct judge_site *s, size_t site,
                  struct survivors *ret)
{
    struct survivors v = {.site = site, .s = s, .growth = growth_of(h, s->blocks)};
    int64_t clump = 0, most = 0;
    uint64_t without[2] = {0, 0}; /* before the first that kept some, and later */
    for (size_t c = 0; c < h->e->epochs; c++) {
        if (h->e->epoch[c].measured && h->e->epoch[c].hold)
            v.held += born(s, c);
        if (!judge_context_judges(h, c))
            continue;
        if (born(s, c) == 0) {
            without[v.blocks > 0] += h->e->epoch[c].opened;
            continue;
        }
        v.oldest = v.blocks ? v.oldest : c;
        v.blocks += born(s, c);
        v.bytes += s->born_bytes[c];
        v.half[c > h->middle] += born(s, c);
        v.epochs++;
        v.newest = c;
        clump = common_divisor(clump, born(s, c));
        most = born(s, c) > most ? born(s, c) : most;
    }
    v.without = v.blocks ? (double)without[1] / (double)(h->opened - without[0]) : 0;
    /* One event may lose several blocks of a site at once: then every epoch's count is a multiple.
     * Where many connections lose a block, and each epoch its share, the divisor says nothing; but
     * epochs of one size keep equal shares of anything, as long as others keep none. */
    bool dense = v.blocks * JUDGE_DENSE >= (int64_t)h->opened;
    if (dense && rule_on(h, RULE_CLUMPS))
        dense =
            lost_alike(h, &v) && !(most == clump && refutes_single(h, &v, without[0] + without[1]));
    v.events = clump > 1 && !dense ? v.blocks / clump : v.blocks;
    *ret = v;
}

void survivors_count(const struct judge_context *h, size_t site, struct survivors *ret)
{
    survivors_of(h, &h->e->site[site], site, ret);
}

int64_t survivors_after(const struct judge_context *h, const struct judge_site *s, size_t epoch)
{
    int64_t sum = 0;
    for (size_t c = epoch + 1; c < h->e->epochs; c++)
        sum += judge_context_judges(h, c) ? born(s, c) : 0;
    return sum;
}

uint64_t opened_after(const struct judge_context *h, size_t epoch)
{
    uint64_t sum = 0;
    for (size_t c = epoch + 1; c < h->e->epochs; c++)
        sum += judge_context_judges(h, c) ? h->e->epoch[c].opened : 0;
    return sum;
}

uint64_t begun_after(const struct judge_context *h, size_t epoch)
{
    uint64_t sum = 0;
    for (size_t c = epoch + 1; c < h->e->epochs; c++)
        sum += h->e->epoch[c].opened;
    return sum;
}

/* Beyond this variance the normal approximation is right to well under the figures tested. */
static const double NORMAL_FROM = 400;

static double normal_at_most(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

double normal_at_least(double z)
{
    return normal_at_most(-z);
}

double normal_of_student(double t, double n)
{
    return t <= 0 ? t : (8 * n + 1) / (8 * n + 3) * sqrt(n * log1p(t * t / n));
}

double poisson_at_most(int64_t k, double mean)
{
    if (k < 0)
        return 0;
    if (mean > NORMAL_FROM)
        return normal_at_most(((double)k + 0.5 - mean) / sqrt(mean));
    double term = exp(-mean), sum = term;
    for (int64_t i = 1; i <= k && term > 0; i++) {
        term *= mean / (double)i;
        sum += term;
    }
    return sum < 1 ? sum : 1;
}

double poisson_mean_above(int64_t k, double chance)
{
    double low = 0, high = 1;
    while (poisson_at_most(k, high) > chance)
        high *= 2;
    while (high - low > 1e-4 * high) {
        double middle = (low + high) / 2;
        *(poisson_at_most(k, middle) > chance ? &low : &high) = middle;
    }
    return high;
}

double binomial_at_most(int64_t k, int64_t n, double p)
{
    if (k < 0)
        return 0;
    if (k >= n || p <= 0)
        return 1;
    if (p >= 1)
        return 0;
    double mean = (double)n * p, variance = mean * (1 - p);
    if (variance > NORMAL_FROM)
        return normal_at_most(((double)k + 0.5 - mean) / sqrt(variance));
    double odds = log(p) - log1p(-p), term = (double)n * log1p(-p), sum = exp(term);
    for (int64_t i = 1; i <= k; i++) {
        term += log((double)(n - i + 1) / (double)i) + odds;
        sum += exp(term);
    }
    return sum < 1 ? sum : 1;
}

struct judge_finding finding_of(const struct judge_context *h, const struct survivors *v,
                                enum verdict verdict, enum kind kind)
{
    struct judge_finding f = {
        .site = v->site, .kind = kind, .verdict = verdict, .blocks = v->blocks, .bytes = v->bytes};
    if (h->opened) {
        f.per_conn_blocks = (double)v->blocks / (double)h->opened;
        f.per_conn_bytes = (double)v->bytes / (double)h->opened;
    }
    return f;
}

enum answer answer_pass(const struct judge_context *h, const struct survivors *v, enum kind kind,
                        struct judge_finding *f)
{
    *f = finding_of(h, v, VERDICT_PASS, kind);
    return DECIDED;
}

enum answer answer_doubt(struct judge_context *h, const struct survivors *v, enum kind kind,
                         struct judge_finding *f)
{
    *f = finding_of(h, v, VERDICT_INCONCLUSIVE, kind);
    h->wants_more = true;
    return DECIDED;
}

void finding_why(struct judge_finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(f->why, sizeof f->why, format, args);
    va_end(args);
}

/* What the largest processes had at their ends. */
static void why_of_runs(const struct judge_context *h, const struct judge_site *s, struct text *why)
{
    enum { SHOWN = 4 };
    size_t from = h->last >= SHOWN ? h->last - SHOWN + 1 : 0;
    text_add(why, "runs of ");
    for (size_t c = from; c <= h->last; c++)
        text_add(why, "%s%" PRIu64, c > from ? ", " : "", h->e->epoch[c].closed);
    text_add(why, " %ss ended with ", unit_of(h));
    for (size_t c = from; c <= h->last; c++)
        text_add(why, "%s%" PRId64, c > from ? ", " : "", s->blocks[c]);
    text_add(why, " blocks");
}

/* What the newest epochs kept. */
static void why_of_epochs(const struct judge_context *h, const struct judge_site *s,
                          struct text *why)
{
    enum { SHOWN = 5 };
    size_t epoch[SHOWN], shown = 0;
    for (size_t c = h->newest + 1; c-- > 0 && shown < SHOWN;) {
        if (judge_context_judges(h, c))
            epoch[shown++] = c;
    }
    text_add(why, "epochs of ");
    for (size_t i = shown; i-- > 0;)
        text_add(why, "%" PRIu64 "%s", h->e->epoch[epoch[i]].opened, i ? ", " : "");
    text_add(why, " %ss kept ", unit_of(h));
    for (size_t i = shown; i-- > 0;)
        text_add(why, "%" PRId64 "%s", s->born_blocks[epoch[i]], i ? ", " : "");
    text_add(why, " blocks");
}

void finding_why_ratio(const struct judge_context *h, const struct judge_site *s,
                       struct judge_finding *f)
{
    struct text why = text_into(f->why, sizeof f->why);
    if (h->e->ended)
        why_of_runs(h, s, &why);
    else
        why_of_epochs(h, s, &why);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Growth without blocks: a table that is made larger in place. */
#include "judge_internal.h"

#include <inttypes.h>
#include <stdio.h>

struct steps {
    int count;
    bool fell, newest; /* some step went down; the newest judged epoch or a later one had one */
    int64_t first, second, total; /* bytes, by halves */
    int64_t grain;                /* the greatest that all steps are multiples of */
    int64_t fall; /* the largest between two checkpoints, whatever the number of blocks did */
};

/* Only where the number of blocks stayed: bytes that come with new blocks are those blocks'. */
static struct steps count_steps(const struct judge_context *h, const struct judge_site *s)
{
    struct steps t = {0};
    for (size_t c = h->base == SIZE_MAX ? 1 : h->base + 1; c <= h->last; c++) {
        int64_t step = s->bytes[c] - s->bytes[c - 1];
        t.fall = -step > t.fall ? -step : t.fall;
        if (s->blocks[c] != s->blocks[c - 1])
            continue;
        t.count += step > 0;
        t.fell |= step < 0;
        t.grain = common_divisor(t.grain, step);
        t.newest |= step > 0 && c >= h->newest;
        t.total += step;
        t.first += c <= h->middle ? step : 0;
    }
    t.second = t.total - t.first;
    return t;
}

/* The growth must lie in blocks older than the open connections, and be more than what these
 * connections' own buffers vary by. */
static bool grew_in_place(const struct judge_context *h, const struct survivors *v, int64_t growth)
{
    int64_t open_bytes = 0;
    for (size_t c = 0; c <= h->last; c++)
        open_bytes += h->e->epoch[c].all_closed ? 0 : v->s->born_bytes[c];
    return v->blocks < JUDGE_MIN_BLOCKS && v->growth < JUDGE_MIN_BLOCKS && growth > 0 &&
           v->s->bytes[h->last] - open_bytes >= growth && growth * 4 > open_bytes;
}

/* Where open connections hold blocks of the site as well, their bytes move it up and down, and now
 * and then their number is the same as before by coincidence. Steps that aren't much larger than
 * the falls are of that kind, unless so many went up that chance gives it once in 16,000. */
static bool wanders(const struct judge_context *h, const struct steps *t)
{
    enum { STEPS_BEYOND_CHANCE = 14 };
    return rule_on(h, RULE_TABLE_WANDERS) && t->count < STEPS_BEYOND_CHANCE &&
           t->total <= 2 * t->count * t->fall;
}

static uint64_t begun_after(const struct judge_context *h, size_t epoch)
{
    uint64_t sum = 0;
    for (size_t c = epoch + 1; c <= h->last; c++)
        sum += h->e->epoch[c].opened;
    return sum;
}

/* libuv keeps what a loop watches in an array by descriptor that doubles, 8 bytes an entry and two
 * entries more (maybe_resize in src/unix/core.c); so do others. Each thread may have one. */
static bool is_table_of_descriptors(const struct judge_context *h, const struct steps *t)
{
    enum { ENTRY = 8, LEAST = 16, MORE = 2 };
    int64_t entries = LEAST, threads = 1;
    while (entries < (int64_t)h->e->descriptors + MORE)
        entries *= 2;
    for (size_t i = 0; i < h->e->gauges; i++) {
        const struct judge_gauge *g = &h->e->gauge[i];
        for (size_t k = 0; k < g->count && g->metric == METRIC_THREADS; k++)
            threads = (int64_t)g->value[k] > threads ? (int64_t)g->value[k] : threads;
    }
    return rule_on(h, RULE_TABLE_OF_DESCRIPTORS) && h->e->descriptors &&
           t->grain % (ENTRY * LEAST) == 0 && t->total <= threads * entries * ENTRY;
}

enum answer table_judge(struct judge_context *h, const struct survivors *v, struct judge_finding *f)
{
    struct steps t = count_steps(h, v->s);
    if (t.fell || wanders(h, &t) || !grew_in_place(h, v, t.total))
        return NO_OPINION;
    double first = (double)t.first / (double)h->half[0];
    double second = (double)t.second / (double)begun_after(h, h->middle);
    bool goes_on = t.count >= 3 && second >= first / 2;
    size_t cache = 0;
    if (rule_on(h, RULE_TABLE_OF_CACHE) && cache_indexed_by(h, t.total, &cache)) {
        answer_pass(h, v, KIND_CACHE_FILLING, f);
    } else if (is_table_of_descriptors(h, &t)) {
        answer_pass(h, v, KIND_CACHE_BOUNDED, f);
    } else if (goes_on) {
        *f = finding_of(h, v, VERDICT_LEAK, KIND_TABLE);
        h->wants_hold |= !h->hold;
    } else if (t.count >= 2 && t.newest) {
        answer_doubt(h, v, KIND_TABLE, f);
    } else {
        answer_pass(h, v, KIND_ONE_TIME, f);
        h->wants_more |= t.newest;
    }
    f->bytes = t.total;
    f->per_conn_blocks = 0;
    f->per_conn_bytes = (double)t.total / (double)begun_after(h, h->base == SIZE_MAX ? 0 : h->base);
    char then[96] = "";
    if (f->kind == KIND_CACHE_FILLING)
        snprintf(then, sizeof then, ": the index of the %.32s", h->e->cache[cache].name);
    else if (f->kind == KIND_CACHE_BOUNDED)
        snprintf(then, sizeof then, ": no more than a table of %" PRIu64 " file descriptors takes",
                 h->e->descriptors);
    else if (f->verdict == VERDICT_LEAK)
        snprintf(then, sizeof then,
                 ", and the second half of the run no slower than half of the first");
    finding_why(f,
                "its blocks were made larger by %" PRId64 " bytes in %d step%s, none was added%s",
                t.total, t.count, t.count == 1 ? "" : "s", then);
    return DECIDED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growth without blocks: a table that is made larger in place. What counts is what it never gave
 * back: at each checkpoint the least that it came to from there on. A buffer that is made as large
 * as the largest message so far needs it grows as well, and without a bound: it is told by how
 * seldom it does.
 */
#include "base/check.h"
#include "base/text.h"
#include "judge_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

struct steps {
    int count;
    bool newest;                  /* the newest judged epoch or a later one had a step */
    int64_t first, second, total; /* bytes, by halves */
    int64_t grain;                /* the greatest that all steps are multiples of */
    int64_t fall;                 /* the largest, whatever the number of blocks did; 0: none */
    bool fell;                    /* in place */
    int since;                    /* steps since the last fall */
    bool proven;                  /* no buffer for the largest message so far grows so */
};

/* Only where the number of blocks stayed: bytes that come with new blocks are those blocks'. */
static int64_t step_in_place(const struct judge_site *s, size_t c)
{
    return s->blocks[c] == s->blocks[c - 1] ? s->bytes[c] - s->bytes[c - 1] : 0;
}

static void add_step(const struct judge_context *h, size_t c, int64_t kept, struct steps *t)
{
    t->count += kept > 0;
    t->since += kept > 0 && t->fall == 0;
    t->newest |= kept > 0 && c >= h->newest;
    t->total += kept;
    *(c <= h->middle ? &t->first : &t->second) += kept;
}

/* Whether an epoch shows if there was a step by its connections. */
static bool is_asked(const struct judge_context *h, const struct judge_site *s, size_t c)
{
    return c > followed_from(h) && h->e->epoch[c].opened > 0 && s->blocks[c] == s->blocks[c - 1];
}

/* How it has grown since it was small, as far as is known: `kept`[c] bytes in epoch c. */
struct growth {
    const struct judge_site *s;
    size_t from; /* the epoch in which it was small */
    const int64_t *kept;
};

static void add_epoch(double *law, size_t epochs, double p)
{
    for (size_t k = epochs; k > 0; k--)
        law[k] = law[k] * (1 - p) + law[k - 1] * p;
    law[0] *= 1 - p;
}

/* So probably a buffer for the largest message so far has as many steps or more. Of n moments alike
 * the newest needs most with 1/n: an epoch that begins after a connections and ends after b has a
 * step with (b - a)/b, whatever the sizes are, and whatever the others have (A. Renyi, Theorie des
 * elements saillants, 1962). */
static double by_marks(const struct judge_context *h, const struct growth *g)
{
    double *law = calloc(h->e->epochs + 1, sizeof *law), before = 0, sum = 0;
    size_t epochs = 0, steps = 0;
    CHECK(law);
    law[0] = 1;
    for (size_t c = g->from; c <= h->last; c++) {
        double opened = (double)h->e->epoch[c].opened;
        if (c > g->from && is_asked(h, g->s, c)) {
            add_epoch(law, ++epochs, opened / (before + opened));
            steps += g->kept[c] > 0;
        }
        before += opened;
    }
    for (size_t k = steps; k <= epochs; k++)
        sum += law[k];
    free(law);
    return sum;
}

/* Nowhere further from the line between its ends than a tenth of all. */
static bool is_straight(const struct judge_context *h, const struct growth *g)
{
    static const double PARTS = 10;
    double opened = 0, kept = 0, x = 0, y = 0, stray = 0;
    for (size_t c = g->from + 1; c <= h->last; c++) {
        opened += is_asked(h, g->s, c) ? (double)h->e->epoch[c].opened : 0;
        kept += is_asked(h, g->s, c) ? (double)g->kept[c] : 0;
    }
    for (size_t c = g->from + 1; c <= h->last; c++) {
        x += is_asked(h, g->s, c) ? (double)h->e->epoch[c].opened : 0;
        y += is_asked(h, g->s, c) ? (double)g->kept[c] : 0;
        stray = fmax(stray, fabs(y - kept * x / opened));
    }
    return stray * PARTS <= kept;
}

/* It grows more often than a buffer for the largest message so far does; or rather more often, and
 * in proportion to the connections, as no such buffer did in 60,000 simulated runs. What has been
 * larger before may go up and down in proportion, too. */
static bool is_no_mark(const struct judge_context *h, const struct growth *g)
{
    static const double SURELY = 1e-4, RATHER = 0.01;
    double p = by_marks(h, g);
    return p <= SURELY || (p <= RATHER && g->from == 0 && is_straight(h, g));
}

static struct steps count_steps(const struct judge_context *h, const struct judge_site *s)
{
    struct steps t = {0};
    int64_t level = 0, least = 0; /* less what it is at the last checkpoint */
    int64_t *kept = calloc(h->e->epochs + 1, sizeof *kept);
    struct growth g = {.s = s, .kept = kept};
    CHECK(kept);
    for (size_t c = h->last; c > followed_from(h); c--) {
        int64_t step = step_in_place(s, c), fall = s->bytes[c - 1] - s->bytes[c];
        t.fall = fall > t.fall ? fall : t.fall;
        g.from = step < 0 && !t.fell ? c : g.from;
        t.fell |= step < 0;
        t.grain = common_divisor(t.grain, step);
        level -= step;
        kept[c] = level < least ? least - level : 0;
        add_step(h, c, kept[c], &t);
        least = level < least ? level : least;
    }
    t.proven = is_no_mark(h, &g);
    free(kept);
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
 * the falls are of that kind, unless so many went up, and none down, that chance gives it once in
 * 16,000. */
static bool wanders(const struct judge_context *h, const struct steps *t)
{
    enum { STEPS_BEYOND_CHANCE = 14 };
    return rule_on(h, RULE_TABLE_WANDERS) && (t->fell || t->count < STEPS_BEYOND_CHANCE) &&
           t->total <= 2 * t->count * t->fall;
}

/* Of so many figures and one more, in any order, all rise in one case of 720. */
enum { STEPS_OF_DOUBT = 5 };

/* Whether the growth is a table's at all. One that has become smaller may go up and down: it has
 * grown by more than that, or has only grown ever since. */
static bool is_table(const struct judge_context *h, const struct steps *t, bool goes_on)
{
    bool again = t->since >= STEPS_OF_DOUBT && t->newest;
    if (!rule_on(h, RULE_TABLE_SHRANK))
        return !t->fell && !wanders(h, t);
    return wanders(h, t) ? again : !t->fell || goes_on;
}

static bool may_go_up_and_down(const struct judge_context *h, const struct steps *t)
{
    return wanders(h, t) || (t->fell && !t->proven);
}

/* libuv keeps what a loop watches in an array by descriptor that doubles, 8 bytes an entry and two
 * entries more (maybe_resize in src/unix/core.c); so do others. Each thread may have one. */
static bool is_table_of_descriptors(const struct judge_context *h, const struct steps *t)
{
    enum { ENTRY = 8, LEAST = 16, MORE = 2 };
    int64_t entries = LEAST, threads = most_threads(h);
    while (entries < (int64_t)h->e->descriptors + MORE)
        entries *= 2;
    return rule_on(h, RULE_TABLE_OF_DESCRIPTORS) && h->e->descriptors &&
           t->grain % (ENTRY * LEAST) == 0 && t->total <= threads * entries * ENTRY;
}

/* Which of several processes serves how many of the connections that are held is chance, and now
 * and then one has more than ever before. An array with 8 bytes for each, or for its thread, is at
 * most twice as large as all of them need. */
static bool is_table_of_shares(const struct judge_context *h, const struct steps *t)
{
    enum { ENTRY = 16 };
    return rule_on(h, RULE_TABLE_OF_SHARES) && h->e->processes > 1 &&
           (uint64_t)t->total <= ENTRY * h->e->held * h->e->processes;
}

static bool may_be_mark(const struct judge_context *h, const struct steps *t)
{
    return rule_on(h, RULE_TABLE_MARKS) && !t->proven;
}

/* The index of a cache that the user knows of may become so large. */
static bool indexes_expected(const struct judge_context *h, int64_t bytes)
{
    enum { ENTRY = 16 };
    return rule_on(h, RULE_EXPECTED) && (uint64_t)bytes <= ENTRY * h->e->expected;
}

static void say_table(const struct judge_context *h, const struct steps *t, bool unsure,
                      const char *cache, struct judge_finding *f)
{
    struct text why = text_into(f->why, sizeof f->why);
    if (unsure && f->verdict == VERDICT_INCONCLUSIVE)
        text_add(&why, "its blocks shrank by %" PRId64 ", then grew", t->fall);
    else
        text_add(&why, "its blocks were made larger");
    text_add(&why, " by %" PRId64 " bytes in %d step%s, none was added", t->total, t->count,
             t->count == 1 ? "" : "s");
    if (f->kind == KIND_CACHE_FILLING)
        text_add(&why, ": the index of the %.32s", cache);
    else if (f->kind == KIND_CACHE_BOUNDED)
        text_add(&why, ": no more than a table of %" PRIu64 " file descriptors takes",
                 h->e->descriptors);
    else if (f->verdict == VERDICT_LEAK)
        text_add(&why, ", and the second half of the run no slower than half of the first");
    else if (!unsure && f->verdict == VERDICT_INCONCLUSIVE && is_table_of_shares(h, t))
        text_add(&why,
                 ": no more than tables of %" PRIu64 " connections in %" PRIu64 " processes take",
                 h->e->held, h->e->processes);
    else if (!unsure && f->verdict == VERDICT_INCONCLUSIVE && t->count >= 3 && may_be_mark(h, t))
        text_add(&why, ": as a buffer for the largest message may");
}

enum answer table_judge(struct judge_context *h, const struct survivors *v, struct judge_finding *f)
{
    struct steps t = count_steps(h, v->s);
    double first = (double)t.first / (double)h->half[0];
    double second = (double)t.second / (double)begun_after(h, h->middle);
    bool goes_on = t.count >= 3 && second >= first / 2, unsure = may_go_up_and_down(h, &t);
    if (!is_table(h, &t, goes_on) || !grew_in_place(h, v, t.total))
        return NO_OPINION;
    size_t cache = 0;
    if (rule_on(h, RULE_TABLE_OF_CACHE) && cache_indexed_by(h, t.total, &cache)) {
        answer_pass(h, v, KIND_CACHE_FILLING, f);
    } else if (is_table_of_descriptors(h, &t)) {
        answer_pass(h, v, KIND_CACHE_BOUNDED, f);
    } else if (unsure || (goes_on && (indexes_expected(h, t.total) || is_table_of_shares(h, &t) ||
                                      may_be_mark(h, &t)))) {
        answer_doubt(h, v, KIND_TABLE, f);
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
    f->per_conn_bytes = (double)t.total / (double)begun_after(h, followed_from(h));
    say_table(h, &t, unsure, h->e->caches ? h->e->cache[cache].name : "", f);
    return DECIDED;
}

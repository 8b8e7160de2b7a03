/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growth without blocks: a table that is made larger in place. What counts is what it never gave
 * back: at each checkpoint the least that it came to from there on. A buffer that is made as large
 * as the largest message so far needs it grows as well, and without a bound: it is told by how
 * seldom it does. And a table may be made larger by a new block that takes the place of the old
 * one: then nothing tells it from the blocks of open connections but that its bytes rise beyond
 * what these vary by.
 */
#include "base/check.h"
#include "base/text.h"
#include "judge_internal.h"
#include "stats/fit.h"

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
    bool goes_on;                 /* in the second half at least half as fast as in the first */
    bool anew;                    /* whatever the number of blocks did, and no older blocks' */
    bool proven;                  /* no buffer for the largest message so far grows so */
    bool likely;                  /* anew, and rather a leak's than such a buffer's */
};

/* Only where the number of blocks stayed: bytes that come with new blocks are those blocks'. */
static int64_t step_of(const struct judge_site *s, size_t c, bool anew)
{
    return anew || s->blocks[c] == s->blocks[c - 1] ? s->bytes[c] - s->bytes[c - 1] : 0;
}

static void add_step(const struct judge_context *h, size_t c, int64_t kept, struct steps *t)
{
    t->count += kept > 0;
    t->since += kept > 0 && t->fall == 0;
    t->newest |= kept > 0 && c >= h->newest;
    t->total += kept;
    *(c <= h->middle ? &t->first : &t->second) += kept;
}

/* How it has grown since it was small, as far as is known: `kept`[c] bytes in epoch c. */
struct growth {
    const struct judge_site *s;
    size_t from; /* the epoch in which it was small */
    bool anew;
    const int64_t *kept;
};

/* Whether an epoch shows if there was a step by its connections. */
static bool is_asked(const struct judge_context *h, const struct growth *g, size_t c)
{
    return c > followed_from(h) && h->e->epoch[c].opened > 0 &&
           (g->anew || g->s->blocks[c] == g->s->blocks[c - 1]);
}

static void add_epoch(double *law, size_t epochs, double p)
{
    for (size_t k = epochs; k > 0; k--)
        law[k] = law[k] * (1 - p) + law[k - 1] * p;
    law[0] *= 1 - p;
}

/* So probably buffers for the largest message so far, one for each of the site's blocks, have a
 * step in as many epochs or more. Of n moments alike the newest needs most with 1/n: in an epoch
 * that begins after a connections and ends after b one has a step with (b - a)/b, whatever the
 * sizes are, and whatever the other epochs have (A. Renyi, Theorie des elements saillants, 1962).
 */
static double by_marks(const struct judge_context *h, const struct growth *g)
{
    double *law = calloc(h->e->epochs + 1, sizeof *law), before = 0, sum = 0;
    double buffers = fmax((double)g->s->blocks[h->last], 1);
    size_t epochs = 0, steps = 0;
    CHECK(law);
    law[0] = 1;
    for (size_t c = g->from; c <= h->last; c++) {
        double opened = (double)h->e->epoch[c].opened;
        if (c > g->from && is_asked(h, g, c)) {
            add_epoch(law, ++epochs, 1 - pow(before / (before + opened), buffers));
            steps += g->kept[c] > 0;
        }
        before += opened;
    }
    for (size_t k = steps; k <= epochs; k++)
        sum += law[k];
    free(law);
    return sum;
}

/* The sum of many buffers has a step in every epoch, and rises as log n does, or as fast as the
 * root of n where their sizes have a finite variance: a line through the connections lies much
 * nearer. */
static bool is_line(const struct judge_context *h, const struct growth *g, double nearer)
{
    static const double EXACT = 1e-9;
    enum { POINTS = 8 };
    double before = 0, opened_in_all = 0, root = 0, kept = 0;
    struct fit line = {0}, curve = {0};
    fit_add(&line, 0, 0);
    fit_add(&curve, 0, 0);
    for (size_t c = 0; c <= h->last; c++) {
        double opened = (double)h->e->epoch[c].opened;
        if (is_asked(h, g, c)) {
            kept += (double)g->kept[c];
            fit_add(&line, opened_in_all += opened, kept);
            fit_add(&curve, root += sqrt(before + opened) - sqrt(before), kept);
        }
        before += opened;
    }
    return line.n >= POINTS &&
           fit_rest(&curve) >= nearer * fmax(fit_rest(&line), EXACT * fit_all(&line)) && kept > 0;
}

/* It grows more often than buffers for the largest message so far do, or in proportion to the
 * connections. What has been larger before may go up and down in proportion, too; and what open
 * connections hold makes steps of its own. */
static void prove(const struct judge_context *h, const struct growth *g, struct steps *t)
{
    static const double BY_CHANCE = 1e-4, NEARER = 10, RATHER = 2;
    t->proven =
        (!g->anew && by_marks(h, g) <= BY_CHANCE) || (g->from == 0 && is_line(h, g, NEARER));
    t->likely = g->anew && is_line(h, g, RATHER);
}

static bool goes_on(const struct judge_context *h, const struct steps *t)
{
    double first = (double)t->first / (double)h->half[0];
    double second = (double)t->second / (double)begun_after(h, h->middle);
    return second >= first / 2;
}

static struct steps count_steps(const struct judge_context *h, const struct judge_site *s,
                                bool anew)
{
    struct steps t = {.anew = anew};
    int64_t level = 0, least = 0; /* less what it is at the last checkpoint */
    int64_t *kept = calloc(h->e->epochs + 1, sizeof *kept);
    struct growth g = {.s = s, .anew = anew, .kept = kept};
    CHECK(kept);
    for (size_t c = h->last; c > followed_from(h); c--) {
        int64_t step = step_of(s, c, anew), fall = s->bytes[c - 1] - s->bytes[c];
        t.fall = fall > t.fall ? fall : t.fall;
        g.from = step < 0 && !t.fell && !anew ? c : g.from;
        t.fell |= step < 0;
        t.grain = common_divisor(t.grain, step);
        level -= step;
        kept[c] = level < least ? least - level : 0;
        add_step(h, c, kept[c], &t);
        least = level < least ? level : least;
    }
    t.goes_on = t.count >= 3 && goes_on(h, &t);
    prove(h, &g, &t);
    free(kept);
    return t;
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
static bool is_table(const struct judge_context *h, const struct steps *t)
{
    bool again = t->since >= STEPS_OF_DOUBT && t->newest;
    if (!rule_on(h, RULE_TABLE_SHRANK))
        return !t->fell && !wanders(h, t);
    return wanders(h, t) ? again : !t->fell || t->goes_on;
}

static bool may_go_up_and_down(const struct judge_context *h, const struct steps *t)
{
    return !t->anew && (wanders(h, t) || (t->fell && !t->proven));
}

static int64_t bytes_of_open(const struct judge_context *h, const struct judge_site *s)
{
    int64_t sum = 0;
    for (size_t c = 0; c <= h->last; c++)
        sum += h->e->epoch[c].all_closed ? 0 : s->born_bytes[c];
    return sum;
}

static bool blocks_stay(const struct judge_context *h, const struct judge_site *s)
{
    for (size_t c = followed_from(h); c < h->last; c++)
        if (s->blocks[c] != s->blocks[h->last])
            return false;
    return true;
}

/* Few blocks came, and the growth lies in blocks older than the open connections. */
static bool is_of_old_blocks(const struct judge_context *h, const struct survivors *v,
                             const struct steps *t)
{
    return v->blocks < JUDGE_MIN_BLOCKS && v->growth < JUDGE_MIN_BLOCKS &&
           v->s->bytes[h->last] - bytes_of_open(h, v->s) >= t->total;
}

/* It is more than what the open connections' own buffers vary by. */
static bool grew_in_place(const struct judge_context *h, const struct survivors *v,
                          const struct steps *t)
{
    return is_table(h, t) && is_of_old_blocks(h, v, t) && t->total > 0 &&
           t->total * 4 > bytes_of_open(h, v->s);
}

/* The bytes rise beyond what open connections make them vary by (Student's t, two degrees less than
 * there are checkpoints); hundreds of sites are asked, of every program. */
static bool rises_beyond_chance(const struct judge_context *h, const struct judge_site *s)
{
    static const double BY_CHANCE = 1e-6, EXACT = 1e-9;
    struct fit f = {0};
    double opened = 0;
    for (size_t c = followed_from(h); c <= h->last; c++) {
        double more = (double)h->e->epoch[c].opened;
        if (more > 0)
            fit_add(&f, opened += more, (double)(s->bytes[c] - s->bytes[h->last]));
    }
    double all = fit_all(&f), rest = fmax(fit_rest(&f), EXACT * all), degrees = f.n - 2;
    if (degrees < 1 || all <= 0 || f.xy * f.n <= f.x * f.y)
        return false;
    return normal_at_least(normal_of_student(sqrt((all - rest) * degrees / rest), degrees)) <=
           BY_CHANCE;
}

/* So many of the site's blocks, as large as they are on average, make less than a quarter of it. */
static bool is_beyond(const struct judge_context *h, const struct judge_site *s, int64_t blocks,
                      const struct steps *t)
{
    return blocks < JUDGE_MIN_BLOCKS || (double)blocks * (double)s->bytes[h->last] * 4 <
                                            (double)t->total * (double)s->blocks[h->last];
}

/* Newer blocks don't explain it. Where there are enough of them for the other rules, these are
 * asked unless it is certain. */
static bool grew_anew(const struct judge_context *h, const struct survivors *v,
                      const struct steps *t)
{
    bool others = v->blocks >= JUDGE_MIN_BLOCKS;
    return rule_on(h, RULE_TABLE_ANEW) && !h->e->ended && t->goes_on &&
           !(is_of_old_blocks(h, v, t) && blocks_stay(h, v->s)) && v->bytes * 4 < t->total &&
           is_beyond(h, v->s, v->blocks, t) && is_beyond(h, v->s, v->growth, t) &&
           (others ? t->proven : t->likely) && rises_beyond_chance(h, v->s);
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
        text_add(&why, "its blocks %s", t->anew ? "became larger" : "were made larger");
    text_add(&why, " by %" PRId64 " bytes in %d step%s, %s", t->total, t->count,
             t->count == 1 ? "" : "s", t->anew ? "few were added" : "none was added");
    if (f->kind == KIND_CACHE_FILLING)
        text_add(&why, ": the index of the %.32s", cache);
    else if (f->kind == KIND_CACHE_BOUNDED)
        text_add(&why, ": no more than a table of %" PRIu64 " file descriptors takes",
                 h->e->descriptors);
    else if (f->verdict == VERDICT_LEAK)
        text_add(&why, "; they grew in the second half of the run at least half as fast as in the "
                       "first");
    else if (!unsure && f->verdict == VERDICT_INCONCLUSIVE && is_table_of_shares(h, t))
        text_add(&why,
                 ": no more than tables of %" PRIu64 " connections in %" PRIu64 " processes take",
                 h->e->held, h->e->processes);
    else if (!unsure && f->verdict == VERDICT_INCONCLUSIVE && t->count >= 3 && may_be_mark(h, t))
        text_add(&why, ": as a buffer for the largest message may");
}

static bool find_growth(const struct judge_context *h, const struct survivors *v, struct steps *ret)
{
    *ret = count_steps(h, v->s, false);
    bool in_place = grew_in_place(h, v, ret);
    if (in_place && ret->proven)
        return true;
    struct steps anew = count_steps(h, v->s, true);
    if (!grew_anew(h, v, &anew))
        return in_place;
    *ret = anew;
    return true;
}

enum answer table_judge(struct judge_context *h, const struct survivors *v, struct judge_finding *f)
{
    struct steps t;
    if (!find_growth(h, v, &t))
        return NO_OPINION;
    bool unsure = may_go_up_and_down(h, &t);
    size_t cache = 0;
    if (rule_on(h, RULE_TABLE_OF_CACHE) && cache_indexed_by(h, t.total, &cache)) {
        answer_pass(h, v, KIND_CACHE_FILLING, f);
    } else if (is_table_of_descriptors(h, &t)) {
        answer_pass(h, v, KIND_CACHE_BOUNDED, f);
    } else if (unsure || (t.goes_on && (indexes_expected(h, t.total) || is_table_of_shares(h, &t) ||
                                        may_be_mark(h, &t)))) {
        answer_doubt(h, v, KIND_TABLE, f);
    } else if (t.goes_on) {
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

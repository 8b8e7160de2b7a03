/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sites without a line: all that calls malloc. What a program keeps in pools is as much as it ever
 * needed at once, and grows whenever it needs more. Of n moments alike the newest is the greatest
 * with 1/n, so a mark rises ever more seldom: as the logarithm of n does where its steps are alike,
 * and slower where they get smaller. A leak goes on as the connections do. So such a site is
 * convicted only when what it kept is no mark's: the log of the ratio of both shares, summed over
 * the blocks, is the most powerful test between the two (Neyman and Pearson, 1933).
 */
#include "base/check.h"
#include "judge_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A run asks of every program with --malloc-hooks whether its pools are a leak; and the peers of a
 * run, or the machine, now and then ask more of a program than before. So chance is given in less
 * than elsewhere. */
static const double BY_CHANCE = 1e-4;
/* The deviate of the normal distribution that comes so seldom. */
static const double LEAST_DEVIATE = 3.719016485;

/* What every Nth connection loses differs less from one rate than chance has it: at least this is
 * taken for its variance over that of single losses by chance. */
static const double REGULAR = 0.25;

/* A judged epoch. */
struct course {
    double before, opened; /* connections since the start until it, and in it */
    double kept;           /* blocks */
};

/* What a block of each epoch says for a leak, and how that spreads over a mark's blocks. */
struct odds {
    double opened, logs; /* in all */
    double mean, variance;
};

/* Returns how many there are. `s` NULL: only the connections are asked for. */
static size_t course_of(const struct judge_context *h, const struct judge_site *s,
                        struct course *ret)
{
    size_t count = 0;
    double before = 0;
    for (size_t c = 0; c < h->e->epochs; c++) {
        double opened = (double)h->e->epoch[c].opened;
        if (judge_context_judges(h, c))
            ret[count++] = (struct course){fmax(before, 1), opened, s ? (double)born(s, c) : 0};
        before += opened;
    }
    return count;
}

static double share_of_mark(const struct odds *o, const struct course *at)
{
    return log1p(at->opened / at->before) / o->logs;
}

static double says(const struct odds *o, const struct course *at)
{
    return log(at->opened / o->opened / share_of_mark(o, at));
}

static struct odds odds_of(const struct course *of, size_t count)
{
    struct odds o = {0};
    for (size_t i = 0; i < count; i++) {
        o.opened += of[i].opened;
        o.logs += log1p(of[i].opened / of[i].before);
    }
    for (size_t i = 0; i < count; i++)
        o.mean += share_of_mark(&o, &of[i]) * says(&o, &of[i]);
    for (size_t i = 0; i < count; i++)
        o.variance += share_of_mark(&o, &of[i]) * pow(says(&o, &of[i]) - o.mean, 2);
    return o;
}

/* The inverse of normal_of_student. */
static double student_of_normal(double z, double n)
{
    return sqrt(n * expm1(pow(z * (8 * n + 3) / (8 * n + 1), 2) / n));
}

/* Blocks come in clumps: how much more than single ones they differ from one rate is found from few
 * epochs, so that Student's distribution takes the place of the normal one. */
static double deviate(const struct course *of, size_t count)
{
    struct odds o = odds_of(of, count);
    double kept = 0, said = 0, apart = 0, degrees = (double)count - 1;
    for (size_t i = 0; i < count; i++) {
        kept += of[i].kept;
        said += of[i].kept * (says(&o, &of[i]) - o.mean);
    }
    if (said <= 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        double even = kept * of[i].opened / o.opened;
        apart += pow(of[i].kept - even, 2) / even;
    }
    return normal_of_student(said / sqrt(kept * o.variance * fmax(REGULAR, apart / degrees)),
                             degrees);
}

/* A program warms up: what it made before any epoch of the first half is left out where the others
 * say more without it. */
static double deviate_at_most(const struct judge_context *h, const struct course *of, size_t count)
{
    double most = 0;
    uint64_t first = 0;
    for (size_t i = 0; first < h->half[0]; i++) {
        most = fmax(most, deviate(of + i, count - i));
        first += (uint64_t)of[i].opened;
    }
    return most;
}

/* Reloads are few, and not what makes a pool grow; nor has libuv any, whose site is soak's own
 * programs' alone. */
static bool is_asked(const struct judge_context *h, const struct judge_site *s)
{
    return s->line == 0 && strcmp(s->file, "libuv") != 0 && h->e->unit != UNIT_RELOAD;
}

enum answer site_marks(struct judge_context *h, const struct survivors *v, struct judge_finding *f)
{
    if (!is_asked(h, v->s))
        return NO_OPINION;
    struct course *of = calloc(h->e->epochs, sizeof *of);
    CHECK(of);
    bool leaks = normal_at_least(deviate_at_most(h, of, course_of(h, v->s, of))) <= BY_CHANCE;
    free(of);
    if (leaks)
        return NO_OPINION;
    answer_doubt(h, v, KIND_ONE_TIME, f);
    finding_why(f,
                "%" PRId64
                " blocks don't show whether they go on, or come ever more seldom, as those of a "
                "pool or a warm-up do",
                v->blocks);
    return DECIDED;
}

/* ---- what would have shown ---- */

/* What the blocks of a leak, lost by chance, must come to over what the epochs may differ by:
 * chi-square of so many degrees (Wilson and Hilferty, 1931), in steps about its middle. */
enum { STEPS = 80, TERMS = 2 * STEPS + 1 };

struct shown {
    double each, spread; /* of what a block says */
    double least[TERMS], weight[TERMS], weights;
};

static struct shown shown_of(const struct course *of, size_t count)
{
    static const double MOST = 4;
    struct odds o = odds_of(of, count);
    struct shown s = {0};
    double degrees = (double)count - 1;
    for (size_t i = 0; i < count; i++) {
        double one = says(&o, &of[i]) - o.mean, share = of[i].opened / o.opened;
        s.each += share * one;
        s.spread += share * one * one;
    }
    double t = student_of_normal(LEAST_DEVIATE, degrees), part = 2 / (9 * degrees);
    for (int i = 0; i < TERMS; i++) {
        double at = MOST * (i - STEPS) / STEPS;
        double clump = fmax(REGULAR, pow(fmax(0, 1 - part + at * sqrt(part)), 3));
        s.weight[i] = exp(-at * at / 2);
        s.least[i] = t * sqrt(o.variance * clump);
        s.weights += s.weight[i];
    }
    return s;
}

/* How probably so many blocks don't convict. */
static double miss(const struct shown *s, double blocks)
{
    double sum = 0;
    for (int i = 0; i < TERMS; i++)
        sum += s->weight[i] *
               normal_at_least((sqrt(blocks) * s->each - s->least[i]) / sqrt(s->spread));
    return sum / s->weights;
}

static double least_blocks(const struct course *of, size_t count)
{
    struct shown s = shown_of(of, count);
    double low = JUDGE_CONVICT_BLOCKS, high = low;
    while (high < 1e12 && miss(&s, high) > JUDGE_ALPHA)
        high *= 2;
    while (high - low > 0.001 * low) {
        double middle = low + (high - low) / 2;
        if (miss(&s, middle) > JUDGE_ALPHA)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The probe has a site for what it can't tell the place of, which is empty as a rule. */
static bool ever_held(const struct judge_context *h, const struct judge_site *s)
{
    for (size_t c = 0; c < h->e->epochs; c++)
        if (s->blocks[c] != 0)
            return true;
    return false;
}

double marks_one_in(const struct judge_context *h)
{
    bool asked = false;
    for (size_t i = 0; i < h->e->sites; i++)
        asked |= is_asked(h, &h->e->site[i]) && ever_held(h, &h->e->site[i]);
    if (!asked || !rule_on(h, RULE_MARKS) || h->epochs < JUDGE_MIN_EPOCHS)
        return 0;
    struct course *of = calloc(h->e->epochs, sizeof *of);
    CHECK(of);
    double blocks = least_blocks(of, course_of(h, NULL, of));
    free(of);
    return (double)h->opened / blocks;
}

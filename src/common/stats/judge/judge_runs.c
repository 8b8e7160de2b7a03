/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints that are the ends of processes of their own (--loop). What one of them holds doesn't
 * follow from what another held, so that whatever differs from process to process, by chance or by
 * a hash's seed, would look like survivors of some epoch, and now and then like epochs without any.
 * So the blocks of all runs are set against a line over their connections. What grows has to do so
 * beyond what chance does (Student's t, two degrees less than there are runs). And where a line
 * that ends in a landing isn't nearer to them than chance makes it, they go on growing.
 */
#include "judge_internal.h"

#include <inttypes.h>
#include <math.h>

/* Every site of every program is asked. */
static const double BY_CHANCE = 1e-4;

/* What lies nearer than this part of all that the runs differ by lies on the line. */
static const double EXACT = 1e-6;

/* How often as frequent as in one process a loss by chance must be, so that 999 of 1,000 such
 * series convict: the scatter about the line is that of the losses themselves, and is found from as
 * many runs. Measured on simulated losses: what_would_have_shown_shows. */
static const struct {
    size_t runs;
    double times;
} costs[] = {{24, 2}, {16, 3.5}, {0, 5}};

double runs_times(size_t runs)
{
    size_t i = 0;
    while (runs < costs[i].runs)
        i++;
    return costs[i].times;
}

bool runs_alike(const struct judge_context *h)
{
    return h->e->ended && h->epochs < JUDGE_MIN_EPOCHS && h->e->epochs > JUDGE_MIN_EPOCHS;
}

/* So many standard errors may chance take off, with JUDGE_ALPHA. */
static const double CHANCE_TAKES = 3.09;

/* Sums over the runs, about their means: of connections, those beyond the landing's left out. */
struct line {
    double xx, xy, yy;
};

static struct line line_of(const struct judge_context *h, const struct judge_site *s,
                           size_t landing)
{
    double n = (double)h->last + 1, x = 0, y = 0;
    struct line l = {0};
    for (size_t c = 0; c <= h->last; c++) {
        x += (double)h->e->epoch[c < landing ? c : landing].closed / n;
        y += (double)s->blocks[c] / n;
    }
    for (size_t c = 0; c <= h->last; c++) {
        double apart = (double)h->e->epoch[c < landing ? c : landing].closed - x;
        double more = (double)s->blocks[c] - y;
        l.xx += apart * apart;
        l.xy += apart * more;
        l.yy += more * more;
    }
    return l;
}

/* The squares of what the runs lie off the line, or 0; 0 where all are as long, and none grows. */
static double rest_of(const struct line *l)
{
    double rest = l->yy - l->xy * l->xy / l->xx;
    return rest > EXACT * l->yy ? rest : 0;
}

/* So probably chance gives as much of `explained` beside a rest of so many degrees. */
static double by_chance(double explained, double rest, double degrees)
{
    if (degrees < 1 || explained <= 0)
        return 1;
    return rest > 0 ? normal_at_least(normal_of_student(sqrt(explained * degrees / rest), degrees))
                    : 0;
}

static bool grows(const struct judge_context *h, const struct judge_site *s)
{
    struct line l = line_of(h, s, h->last);
    double rest = rest_of(&l);
    return l.xy > 0 && by_chance(l.yy - rest, rest, (double)h->last - 1) <= BY_CHANCE;
}

/* Whether they have come to a landing. */
static bool lands(const struct judge_context *h, const struct judge_site *s)
{
    struct line l = line_of(h, s, h->last);
    double straight = rest_of(&l), least = straight;
    for (size_t c = 1; c < h->last; c++) {
        l = line_of(h, s, c);
        least = fmin(least, l.xy > 0 ? rest_of(&l) : straight);
    }
    return by_chance(straight - least, least, (double)h->last - 2) <= BY_CHANCE;
}

/* What a series that never falls has at run c, of all such series the nearest to the blocks
 * (R. E. Barlow et al., Statistical Inference under Order Restrictions, 1972, section 1.4). */
static double rising_at(const struct judge_context *h, const int64_t *blocks, size_t c)
{
    double most = -INFINITY;
    for (size_t a = 0; a <= c; a++) {
        double least = INFINITY, sum = 0;
        for (size_t b = a; b <= h->last; b++) {
            sum += (double)blocks[b];
            if (b >= c)
                least = fmin(least, sum / (double)(b - a + 1));
        }
        most = fmax(most, least);
    }
    return most;
}

/* By how much runs differ (standard deviation), whatever their connections: a leak, a table that
 * fills and what is made once never fall. Each level of the rising series takes a degree. */
static double scatter_of(const struct judge_context *h, const struct judge_site *s)
{
    double rest = 0, degrees = (double)h->last + 1, before = -INFINITY;
    for (size_t c = 0; c <= h->last; c++) {
        double level = rising_at(h, s->blocks, c), apart = (double)s->blocks[c] - level;
        rest += apart * apart;
        degrees -= level > before;
        before = level;
    }
    return degrees > 0 ? sqrt(rest / degrees) : 0;
}

/* A leak of what the run says would have shown might not rise beyond such a scatter. */
static bool hides(const struct judge_context *h, const struct judge_site *s, double scatter)
{
    struct line l = line_of(h, s, h->last);
    double t = sqrt(l.xx) / (h->one_in * scatter) - CHANCE_TAKES;
    return normal_at_least(normal_of_student(t, (double)h->last - 1)) > BY_CHANCE;
}

/* Asked before the rules that pass what the longest runs had no more of. */
enum answer site_scatter(struct judge_context *h, const struct survivors *v,
                         struct judge_finding *f)
{
    if (!h->e->ended || h->one_in < 1)
        return NO_OPINION;
    double scatter = scatter_of(h, v->s);
    bool few = v->events < JUDGE_CONVICT_BLOCKS;
    if (scatter <= 0)
        return NO_OPINION;
    if (grows(h, v->s) ? !few || lands(h, v->s) : !hides(h, v->s, scatter))
        return NO_OPINION;
    answer_doubt(h, v, KIND_ONE_TIME, f);
    finding_why(f, "runs differ by %.1f blocks at random: one lost per %.0f %ss might not show",
                scatter, h->one_in, unit_of(h));
    return DECIDED;
}

enum answer site_line(struct judge_context *h, const struct survivors *v, struct judge_finding *f)
{
    bool enough = v->events >= JUDGE_CONVICT_BLOCKS && !h->e->expected;
    if (!h->e->ended || !enough || !grows(h, v->s) || lands(h, v->s))
        return NO_OPINION;
    *f = finding_of(h, v, VERDICT_LEAK, KIND_SIDE);
    finding_why_ratio(h, v->s, f);
    return DECIDED;
}

enum answer site_runs(struct judge_context *h, const struct survivors *v, struct judge_finding *f)
{
    if (!h->e->ended || grows(h, v->s))
        return NO_OPINION;
    answer_doubt(h, v, KIND_ONE_TIME, f);
    finding_why(f,
                "the longest run had %" PRId64 " blocks more, and runs differ too much to tell "
                "whether that comes with the %ss",
                v->growth, unit_of(h));
    return DECIDED;
}

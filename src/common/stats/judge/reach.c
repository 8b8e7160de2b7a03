/* SPDX-License-Identifier: Apache-2.0 */
#include "reach.h"

#include "base/check.h"
#include "judge_internal.h"
#include "stats/sensitivity.h"

#include <math.h>
#include <stdlib.h>

/* A sum ends where its terms have become so improbable. */
static const double NEGLIGIBLE = 1e-7;

/* What is expected to be lost in each epoch, by the connections that may lose one; the rules go by
 * all of them. */
struct losses {
    const uint64_t *opened, *losing;
    size_t epochs, middle;
    uint64_t threads;
    uint64_t half[2];           /* of those that may */
    double all;                 /* ... in both */
    double connections, second; /* all there are, and the second half's share of them */
    double one_in;
};

static double mean_of(const struct losses *l, size_t epoch)
{
    return (double)l->losing[epoch] / l->one_in;
}

static double at_least(int64_t k, double mean)
{
    return 1 - poisson_at_most(k - 1, mean);
}

/* ---- RULE_BOUNDED: a pause at the end ---- */

/* So many losses make a pause of that share too long for chance. */
static int64_t losses_for(double share)
{
    return (int64_t)ceil(log(JUDGE_ALPHA) / log1p(-share));
}

/* The last loss is in one epoch or another of the second half: before the first half's end
 * RULE_HALVES doubts. */
static double pauses(const struct losses *l)
{
    double miss = 0, after = 0, losing = 0;
    for (size_t c = l->epochs; c-- > l->middle + 1;) {
        if (after > 0) {
            double in = mean_of(l, c), until = (l->all - losing) / l->one_in;
            int64_t least = losses_for(after / l->connections);
            double any = at_least(least, until), earlier = at_least(least, until - in);
            miss += exp(-losing / l->one_in) * fmax(any - exp(-in) * earlier, 0);
        }
        after += (double)l->opened[c];
        losing += (double)l->losing[c];
    }
    return miss;
}

/* ---- RULE_FEW: losses that seem to come in clumps ---- */

enum { UNITS = JUDGE_CONVICT_BLOCKS };

/* A number of clumps of one size. */
struct clumps {
    double size, log_factorial[UNITS]; /* of u clumps' blocks */
};

/* of[u]: probability of u clumps, and of no other loss; of a mean of 0 for u = 0 alone. */
static void clumps_of(const struct clumps *k, double mean, double of[UNITS])
{
    double each = k->size * log(mean);
    of[0] = exp(-mean);
    for (int u = 1; u < UNITS; u++)
        of[u] = exp(u * each - mean - k->log_factorial[u]);
}

static void add_epoch(double sum[UNITS], const double of[UNITS])
{
    for (int n = UNITS - 1; n >= 0; n--) {
        double p = 0;
        for (int u = 0; u <= n; u++)
            p += sum[n - u] * of[u];
        sum[n] = p;
    }
}

static struct clumps clumps_of_size(double size)
{
    struct clumps k = {.size = size};
    for (int n = 1; n < UNITS; n++)
        k.log_factorial[n] = lgamma(n * size + 1);
    return k;
}

/* Fewer clumps of that size than convict, in both halves, of at least as many blocks as do. */
static double of_clumps(const struct losses *l, const struct clumps *k)
{
    double half[2][UNITS] = {{1}, {1}}, of[UNITS], miss = 0;
    for (size_t c = 0; c < l->epochs; c++) {
        clumps_of(k, mean_of(l, c), of);
        add_epoch(half[c > l->middle], of);
    }
    for (int a = 1; a < UNITS; a++) {
        for (int b = 1; a + b < UNITS; b++) {
            double blocks = (a + b) * k->size;
            bool counts = blocks >= JUDGE_CONVICT_BLOCKS && blocks * JUDGE_DENSE < l->connections;
            miss += counts ? half[0][a] * half[1][b] : 0;
        }
    }
    return miss;
}

/* Of two blocks or more: of one, five convict. */
static double in_clumps(const struct losses *l)
{
    double most = 0, miss = 0, last, size = 2;
    for (size_t c = 0; c < l->epochs; c++)
        most = fmax(most, mean_of(l, c));
    do {
        struct clumps k = clumps_of_size(size++);
        last = of_clumps(l, &k);
        miss += last;
    } while (size <= most || last > NEGLIGIBLE);
    return miss;
}

/* ---- RULE_DECELERATING ---- */

/* A share of the losses, and the one that the rule expects. */
struct shares {
    double of, expected;
};

/* Of n losses the second half has so few, though some, that the rule refutes chance. */
static double slower_of(int64_t n, const struct shares *s)
{
    double term = exp((double)n * log1p(-s->of)), miss = 0;
    double expected = exp((double)n * log1p(-s->expected)), sum = expected;
    for (int64_t k = 1; k <= n; k++) {
        double times = (double)(n - k + 1) / (double)k;
        term *= times * s->of / (1 - s->of);
        sum += expected *= times * s->expected / (1 - s->expected);
        if (sum > JUDGE_SLOWER)
            break;
        miss += term;
    }
    return miss;
}

/* The same of many: the rule doesn't refute what is at least half as fast. */
static double slower_of_many(int64_t n, const struct shares *s)
{
    int64_t low = -1, high = (int64_t)((double)n * s->expected / (1 + s->expected)) + 1;
    while (high - low > 1) {
        int64_t k = low + (high - low) / 2;
        *(binomial_at_most(k, n, s->expected) > JUDGE_SLOWER ? &high : &low) = k;
    }
    return binomial_at_most(low, n, s->of);
}

/* Equal shares are refuted as seldom as the rule says; of others that are less, the mean over the
 * numbers that are likely (Gauss and Hermite's rule of three points). */
static double slows_by_many(double mean, const struct shares *s)
{
    double off = sqrt(3 * mean);
    if (s->of >= s->expected)
        return JUDGE_SLOWER;
    double few = slower_of_many((int64_t)(mean - off), s);
    double most = slower_of_many((int64_t)(mean + off), s);
    return fmax((few + 4 * slower_of_many((int64_t)mean, s) + most) / 6, JUDGE_SLOWER);
}

static double slows(const struct losses *l)
{
    static const double MANY = 30;
    double mean = l->all / l->one_in, term = exp(-mean), miss = 0;
    const struct shares s = {(double)l->half[1] / l->all, l->second};
    if (l->half[0] == 0)
        return 0; /* nor in that half: RULE_HALVES doubts */
    if (mean > MANY)
        return slows_by_many(mean, &s);
    for (int64_t n = 1; (double)n <= mean || term > NEGLIGIBLE; n++) {
        term *= mean / (double)n;
        if (n >= JUDGE_CONVICT_BLOCKS)
            miss += term * slower_of(n, &s);
    }
    return miss;
}

/* ---- RULE_EACH_ONCE: hardly any thread loses twice ---- */

/* So many threads, more of them being of no matter, have lost some, and so often some again. */
enum { TWICE = JUDGE_MIN_BLOCKS, THREADS = TWICE * JUDGE_EACH_TWICE };
struct again {
    double of[THREADS + 1][TWICE];
};

/* ret[k]: probability that one of the threads loses some in so many epochs, of any more the rest.
 */
static void of_a_thread(const struct losses *l, double ret[TWICE + 1])
{
    ret[0] = 1;
    for (int k = 1; k <= TWICE; k++)
        ret[k] = 0;
    for (size_t c = 0; c < l->epochs; c++) {
        double none = exp(-mean_of(l, c) / (double)l->threads);
        for (int k = TWICE; k > 0; k--)
            ret[k] = ret[k] * none + ret[k - 1] * (1 - none);
        ret[0] *= none;
    }
}

static void add_a_thread(struct again *a, const double epochs[TWICE + 1])
{
    for (int d = THREADS; d >= 0; d--) {
        for (int twice = TWICE - 1; twice >= 0; twice--) {
            double p = a->of[d][twice] * epochs[0];
            for (int k = 1; k <= twice + 1 && d > 0; k++)
                p += (a->of[d - 1][twice - k + 1] + (d == THREADS ? a->of[d][twice - k + 1] : 0)) *
                     epochs[k];
            a->of[d][twice] = p;
        }
    }
}

static double seldom_twice(const struct losses *l)
{
    struct again a = {.of[0][0] = 1};
    double epochs[TWICE + 1], miss = 0;
    of_a_thread(l, epochs);
    for (uint64_t t = 0; t < l->threads && l->threads > 1; t++)
        add_a_thread(&a, epochs);
    for (int d = 0; d <= THREADS; d++)
        for (int twice = 0; twice < TWICE; twice++)
            miss += threads_once(d, twice) ? a.of[d][twice] : 0;
    return miss;
}

/* ---- all of them ---- */

static struct losses losses_of(const struct reach *r)
{
    struct losses l = {.opened = r->opened,
                       .losing = r->losing ? r->losing : r->opened,
                       .epochs = r->epochs,
                       .threads = r->threads};
    uint64_t half[2];
    l.middle = sensitivity_halves(r->opened, r->epochs, half);
    for (size_t c = 0; c < r->epochs; c++)
        l.half[c > l.middle] += l.losing[c];
    l.all = (double)l.half[0] + (double)l.half[1];
    l.connections = (double)half[0] + (double)half[1];
    l.second = (double)half[1] / l.connections;
    return l;
}

/* Too few of them, or none in a half. */
static double few(const struct losses *l, double one_in)
{
    return sensitivity_miss(l->half, 2, JUDGE_CONVICT_BLOCKS, JUDGE_MIN_EPOCHS, one_in);
}

/* What is added to a warm-up's last epochs, one after the other. */
struct course {
    double chance; /* that the warm-up is so long */
    double left;   /* share of the connections that are measured then */
};

/* Returns how many there are: the chance of the last is that of no end before it. */
static size_t courses_of(const struct reach *r, double one_in, struct course ret[REACH_LONGER + 1])
{
    double chance = 1, last = (double)r->warm;
    for (size_t i = 0;; i++) {
        double next = i < REACH_LONGER ? (double)r->warm_up.longer[i] : 0;
        double on = next > 0 ? -expm1(-last / one_in) : 0;
        ret[i] = (struct course){chance * (1 - on), i ? r->warm_up.left[i - 1] : 1};
        if (on <= 0)
            return i + 1;
        chance *= on;
        last = next;
    }
}

static double others(struct losses *l, double one_in)
{
    l->one_in = one_in;
    return pauses(l) + in_clumps(l) + slows(l) + seldom_twice(l);
}

static double few_over(const struct losses *l, double one_in, const struct course *course,
                       size_t count)
{
    double miss = 0;
    for (size_t i = 0; i < count; i++)
        miss += course[i].chance * (course[i].left > 0 ? few(l, one_in / course[i].left) : 1);
    return miss;
}

/* What a longer warm-up takes makes each loss of the measured epochs rarer. `most`: with more it is
 * no matter how much. */
static double miss_at(const struct reach *r, struct losses *l, double one_in, double most)
{
    static const double RARE = 0.02;
    struct course course[REACH_LONGER + 1];
    size_t count = courses_of(r, one_in, course);
    double miss = few_over(l, one_in, course, count);
    if (miss > most || course[count - 1].left <= 0)
        return fmin(miss, 1);
    double shortest = others(l, one_in), longest = shortest, longer = 1 - course[0].chance;
    if (longer > RARE)
        longest = others(l, one_in / course[count - 1].left);
    return fmin(miss + shortest * (1 - longer) + longest * longer, 1);
}

bool reach_shows(const struct reach *r, double one_in)
{
    struct losses l = losses_of(r);
    return miss_at(r, &l, one_in, JUDGE_ALPHA) <= JUDGE_ALPHA;
}

double reach_miss(const struct reach *r, double one_in)
{
    struct losses l = losses_of(r);
    return miss_at(r, &l, one_in, 1);
}

/* Where the logarithm of the miss, drawn as a straight line over the losses that are expected, is
 * that of what is allowed. */
static double between(const double at[2], const double miss[2])
{
    double share = log(JUDGE_ALPHA / miss[0]) / log(miss[1] / miss[0]);
    return 1 / (1 / at[0] + (1 / at[1] - 1 / at[0]) * fmin(fmax(share, 0.02), 0.98));
}

/* So many losses more make a miss so many times rarer, measured: a little too many. */
static double losses_beyond(double times)
{
    static const double EACH = 0.35;
    return log(times) / EACH;
}

double reach_one_in(const struct reach *r)
{
    static const double NEAR = 1e-3;
    struct losses l = losses_of(r);
    double high = sensitivity_one_in(l.half, 2, JUDGE_CONVICT_BLOCKS, JUDGE_MIN_EPOCHS,
                                     JUDGE_CONFIDENCE_PERMILLE / 1000.0);
    double at[2] = {high, high}, miss[2] = {1, 1}, step = 1;
    while (at[0] >= 1 && (miss[0] = miss_at(r, &l, at[0], 1)) > JUDGE_ALPHA) {
        at[1] = at[0];
        miss[1] = miss[0];
        at[0] = l.all / (l.all / at[0] + step * losses_beyond(miss[0] / JUDGE_ALPHA));
        at[0] = at[1] > 1 && at[0] < 1 ? 1 : at[0];
        step *= 2;
    }
    while (at[0] >= 1 && at[1] - at[0] > NEAR * at[0] && miss[0] < (1 - 5 * NEAR) * JUDGE_ALPHA) {
        double next = between(at, miss), of_next = miss_at(r, &l, next, 1);
        bool shown = of_next <= JUDGE_ALPHA;
        at[!shown] = next;
        miss[!shown] = of_next;
    }
    return at[0] < 1 ? 0 : at[0];
}

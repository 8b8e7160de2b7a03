/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/trend.h"

#include "base/check.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 400 resamples put two of them beyond each end of a 99 % interval. More points than POINTS are
 * thinned to medians of neighbours: the number of slopes grows with the square. */
enum { RESAMPLES = 400, POINTS = 40, SLOPES = POINTS * (POINTS - 1) / 2 };

struct work {
    size_t n;
    double x[POINTS], y[POINTS], residual[POINTS], again[POINTS];
    double slope[SLOPES], other[SLOPES];
    double resampled[RESAMPLES];
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct parts {
    size_t below, above;
};

/* Moves what is less than the pivot to the beginning of `v`, and what is greater to `greater`. Most
 * of the time of a trend goes in here: two stores for each value cost less than a branch that is
 * mispredicted half the time. */
static struct parts split(double *v, size_t n, double pivot, double *greater)
{
    struct parts p = {0};
    for (size_t i = 0; i < n; i++) {
        double value = v[i];
        v[p.below] = greater[p.above] = value;
        p.below += value < pivot;
        p.above += value > pivot;
    }
    return p;
}

/* Returns the k-th smallest of `v`, and the one before it; uses up both arrays. */
static double select_at(double *v, double *other, size_t n, size_t k, double *ret_before)
{
    *ret_before = -INFINITY;
    for (;;) {
        double pivot = v[n / 2], *left_out = v;
        struct parts p = split(v, n, pivot, other);
        if (k < p.below) {
            n = p.below;
            continue;
        }
        if (k > p.below)
            *ret_before = pivot;
        for (size_t i = 0; k == p.below && i < p.below; i++)
            *ret_before = fmax(*ret_before, v[i]);
        if (k < n - p.above)
            return pivot;
        k -= n - p.above;
        n = p.above;
        v = other;
        other = left_out;
    }
}

/* Uses up `v` and another array of its size. */
static double median(double *v, double *other, size_t n)
{
    double before, middle = select_at(v, other, n, n / 2, &before);
    return n % 2 ? middle : (before + middle) / 2;
}

/* `scratch`: room for twice as many. */
static double median_of(const double *v, size_t n, double *scratch)
{
    memcpy(scratch, v, n * sizeof *v);
    return median(scratch, scratch + n, n);
}

/* Copies the points, or medians of neighbours when there are more than POINTS. */
static void thin(const double *x, const double *y, size_t count, struct work *w)
{
    w->n = count < POINTS ? count : POINTS;
    if (count <= POINTS) {
        memcpy(w->x, x, count * sizeof *x);
        memcpy(w->y, y, count * sizeof *y);
        return;
    }
    double *scratch = malloc(2 * (count / POINTS + 1) * sizeof *scratch);
    CHECK(scratch);
    for (size_t i = 0; i < POINTS; i++) {
        size_t from = i * count / POINTS, to = (i + 1) * count / POINTS;
        w->x[i] = median_of(x + from, to - from, scratch);
        w->y[i] = median_of(y + from, to - from, scratch);
    }
    free(scratch);
}

static size_t slopes_between(struct work *w, const double *y)
{
    size_t count = 0;
    for (size_t i = 0; i < w->n; i++) {
        for (size_t j = i + 1; j < w->n; j++) {
            if (w->x[j] > w->x[i])
                w->slope[count++] = (y[j] - y[i]) / (w->x[j] - w->x[i]);
        }
    }
    return count;
}

static void residuals(struct work *w, double slope, size_t run)
{
    for (size_t i = 0; i < w->n; i++)
        w->residual[i] = w->y[i] - slope * w->x[i];
    double middle = median_of(w->residual, w->n, w->other);
    /* Few runs of neighbours vary less than the noise did, the more so the longer they are. The
     * factor is from simulation: test_trend measures what the interval covers. */
    double widen = (double)w->n / ((double)w->n - 2 * (double)run - 1);
    for (size_t i = 0; i < w->n; i++)
        w->residual[i] = (w->residual[i] - middle) * widen;
}

/* One history as it might have been: the line, with residuals drawn in runs of neighbours so that
 * what drifts together stays together. */
static double slope_again(struct work *w, double slope, size_t run, struct rng *rng)
{
    for (size_t i = 0; i < w->n;) {
        size_t from = (size_t)rng_below(rng, w->n - run + 1);
        for (size_t j = 0; j < run && i < w->n; j++, i++)
            w->again[i] = slope * w->x[i] + w->residual[from + j];
    }
    size_t count = slopes_between(w, w->again);
    return median(w->slope, w->other, count);
}

struct trend trend_of(const double *x, const double *y, size_t count, double confidence,
                      uint64_t seed)
{
    struct trend t = {.slope = 0, .low = -INFINITY, .high = INFINITY};
    struct work *w = malloc(sizeof *w);
    CHECK(w);
    thin(x, y, count, w);
    size_t slopes = slopes_between(w, w->y);
    if (slopes)
        t.slope = median(w->slope, w->other, slopes);
    if (slopes && w->n >= TREND_MIN_POINTS) {
        struct rng rng = {.state = seed};
        size_t run = (size_t)ceil(cbrt((double)w->n));
        residuals(w, t.slope, run);
        for (size_t r = 0; r < RESAMPLES; r++)
            w->resampled[r] = slope_again(w, t.slope, run, &rng);
        qsort(w->resampled, RESAMPLES, sizeof *w->resampled, ascending);
        size_t tail = (size_t)((1 - confidence) / 2 * RESAMPLES);
        t.low = w->resampled[tail];
        t.high = w->resampled[RESAMPLES - 1 - tail];
    }
    free(w);
    return t;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/trend.h"

#include "base/check.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 400 resamples put two of them beyond each end of a 99 % interval. More points than POINTS are
 * thinned to medians of neighbours: the number of slopes grows with the square. */
enum { RESAMPLES = 400, POINTS = 40, MIN_POINTS = 6 };

struct work {
    size_t n;
    double x[POINTS], y[POINTS], residual[POINTS], again[POINTS];
    double slope[POINTS * (POINTS - 1) / 2];
    double resampled[RESAMPLES];
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Moves the k-th smallest to v[k] and nothing greater before it: Hoare's selection. Most of the
 * time of a trend goes into medians, and a sort for each takes six times as long. */
static void select_at(double *v, size_t n, size_t k)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1;
    while (low < high) {
        double pivot = v[low + (high - low) / 2];
        ptrdiff_t i = low - 1, j = high + 1;
        for (;;) {
            while (v[++i] < pivot)
                ;
            while (v[--j] > pivot)
                ;
            if (i >= j)
                break;
            double swapped = v[i];
            v[i] = v[j];
            v[j] = swapped;
        }
        if ((ptrdiff_t)k <= j)
            high = j;
        else
            low = j + 1;
    }
}

/* Reorders `v`: the callers have no further use for its order. */
static double median(double *v, size_t n)
{
    select_at(v, n, n / 2);
    if (n % 2)
        return v[n / 2];
    double below = v[0];
    for (size_t i = 1; i < n / 2; i++)
        below = v[i] > below ? v[i] : below;
    return (below + v[n / 2]) / 2;
}

static double median_of(const double *v, size_t n, double *scratch)
{
    memcpy(scratch, v, n * sizeof *v);
    return median(scratch, n);
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
    double *scratch = malloc((count / POINTS + 1) * sizeof *scratch);
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
    double middle = median_of(w->residual, w->n, w->again);
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
    return median(w->slope, count);
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
        t.slope = median(w->slope, slopes);
    if (slopes && w->n >= MIN_POINTS) {
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

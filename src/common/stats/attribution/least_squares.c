/* SPDX-License-Identifier: Apache-2.0 */
#include "least_squares.h"

#include "base/check.h"

#include <math.h>

enum { MOST = LEAST_SQUARES_MAX };

/* Columns are scaled to length 1 first, so that this is the sine of the angle under which a column
 * counts as lying among the others. Counts are whole numbers below 2^24: what is smaller is
 * rounding. */
static const long double DEPENDENT = 1e-9L;

struct work {
    size_t rows, columns, rank;
    long double a[MOST][MOST]; /* [column][row] */
    long double y[MOST], scale[MOST];
    size_t order[MOST]; /* place of each factored column in the system */
};

static long double norm(const long double *v, size_t from, size_t to)
{
    long double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += v[i] * v[i];
    return sqrtl(sum);
}

static void load(struct work *w, const struct least_squares *s, const double *y)
{
    w->rows = s->rows;
    w->columns = s->columns;
    for (size_t r = 0; r < s->rows; r++)
        w->y[r] = y[r] * sqrtl(s->weight[r]);
    for (size_t c = 0; c < s->columns; c++) {
        w->order[c] = c;
        for (size_t r = 0; r < s->rows; r++)
            w->a[c][r] = s->x[r][c] * sqrtl(s->weight[r]);
        long double length = norm(w->a[c], 0, s->rows);
        w->scale[c] = length > 0 ? length : 1;
        for (size_t r = 0; r < s->rows; r++)
            w->a[c][r] /= w->scale[c];
    }
}

static void swap_columns(struct work *w, size_t a, size_t b)
{
    for (size_t r = 0; r < w->rows; r++) {
        long double keep = w->a[a][r];
        w->a[a][r] = w->a[b][r];
        w->a[b][r] = keep;
    }
    size_t order = w->order[a];
    w->order[a] = w->order[b];
    w->order[b] = order;
}

/* v <- v - 2 h (h'v) / (h'h), from row k on. */
static void reflect(const long double *h, long double length2, long double *v, size_t k,
                    size_t rows)
{
    long double dot = 0;
    for (size_t r = k; r < rows; r++)
        dot += h[r] * v[r];
    for (size_t r = k; r < rows; r++)
        v[r] -= 2 * dot / length2 * h[r];
}

/* Brings the longest of the remaining columns to place k and clears it below the diagonal. */
static bool step(struct work *w, size_t k)
{
    size_t longest = k;
    for (size_t c = k + 1; c < w->columns; c++) {
        if (norm(w->a[c], k, w->rows) > norm(w->a[longest], k, w->rows))
            longest = c;
    }
    swap_columns(w, k, longest);
    long double length = norm(w->a[k], k, w->rows), h[MOST] = {0};
    if (length <= DEPENDENT)
        return false;
    for (size_t r = k; r < w->rows; r++)
        h[r] = w->a[k][r];
    h[k] += h[k] < 0 ? -length : length;
    long double h_length = norm(h, k, w->rows);
    for (size_t c = k; c < w->columns; c++)
        reflect(h, h_length * h_length, w->a[c], k, w->rows);
    reflect(h, h_length * h_length, w->y, k, w->rows);
    return true;
}

/* Solves R b = y for the upper triangle R. */
static void back_substitute(const struct work *w, const long double *y, long double *ret)
{
    for (size_t i = w->rank; i-- > 0;) {
        long double sum = y[i];
        for (size_t c = i + 1; c < w->rank; c++)
            sum -= w->a[c][i] * ret[c];
        ret[i] = sum / w->a[i][i];
    }
}

/* The covariance is (R'R)^-1: the variance of a coefficient is the length of its row of R^-1. */
static void deviations(const struct work *w, double *ret_unit)
{
    long double variance[MOST] = {0}, unit[MOST], column[MOST];
    for (size_t c = 0; c < w->rank; c++) {
        for (size_t r = 0; r < w->rank; r++)
            unit[r] = r == c;
        back_substitute(w, unit, column);
        for (size_t r = 0; r < w->rank; r++)
            variance[r] += column[r] * column[r];
    }
    for (size_t c = 0; c < w->rank; c++)
        ret_unit[w->order[c]] = (double)(sqrtl(variance[c]) / w->scale[w->order[c]]);
}

size_t least_squares_solve(const struct least_squares *s, const double *y, double *ret_b,
                           double *ret_unit)
{
    struct work w = {0};
    long double b[MOST];
    CHECK(s->rows <= MOST && s->columns <= MOST);
    load(&w, s, y);
    while (w.rank < w.columns && w.rank < w.rows && step(&w, w.rank))
        w.rank++;
    if (w.rank < w.columns)
        return w.rank;
    back_substitute(&w, w.y, b);
    for (size_t c = 0; c < w.columns; c++)
        ret_b[w.order[c]] = (double)(b[c] / w.scale[w.order[c]]);
    deviations(&w, ret_unit);
    return w.rank;
}

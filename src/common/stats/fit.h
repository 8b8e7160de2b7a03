/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over points, for the line through them that is nearest by least squares. Pure. */
#ifndef SOAK_STATS_FIT_H
#define SOAK_STATS_FIT_H

#include <math.h>

struct fit {
    double n, x, y, xx, xy, yy;
};

static inline void fit_add(struct fit *f, double x, double y)
{
    f->n++;
    f->x += x;
    f->y += y;
    f->xx += x * x;
    f->xy += x * y;
    f->yy += y * y;
}

/* The squares of what the points lie off their mean. */
static inline double fit_all(const struct fit *f)
{
    return f->yy - f->y * f->y / f->n;
}

/* ... and off their line. */
static inline double fit_rest(const struct fit *f)
{
    double xx = f->xx - f->x * f->x / f->n, xy = f->xy - f->x * f->y / f->n;
    return xx > 0 ? fmax(fit_all(f) - xy * xy / xx, 0) : fit_all(f);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"

#include <math.h>

void fit_add(struct fit *f, double x, double y)
{
    f->n++;
    f->x += x;
    f->y += y;
    f->xx += x * x;
    f->xy += x * y;
    f->yy += y * y;
}

double fit_all(const struct fit *f)
{
    return f->yy - f->y * f->y / f->n;
}

double fit_rest(const struct fit *f)
{
    double xx = f->xx - f->x * f->x / f->n, xy = f->xy - f->x * f->y / f->n;
    return xx > 0 ? fmax(fit_all(f) - xy * xy / xx, 0) : fit_all(f);
}

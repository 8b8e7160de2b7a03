/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over points, for the line through them that is nearest by least squares. Pure. */
#ifndef SOAK_STATS_FIT_H
#define SOAK_STATS_FIT_H

struct fit {
    double n, x, y, xx, xy, yy;
};

void fit_add(struct fit *f, double x, double y);
/* The squares of what the points lie off their mean, and off their line. */
double fit_all(const struct fit *f);
double fit_rest(const struct fit *f);

#endif

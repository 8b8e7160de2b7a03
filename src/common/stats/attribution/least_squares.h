/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weighted least squares by Householder reflections with column pivoting (Golub and Van Loan,
 * Matrix Computations, algorithm 5.4.1), in long double: the counts of a run reach a million, and
 * whole numbers must come out whole. Pure.
 */
#ifndef SOAK_STATS_LEAST_SQUARES_H
#define SOAK_STATS_LEAST_SQUARES_H

#include <stdbool.h>
#include <stddef.h>

enum { LEAST_SQUARES_MAX = 64 };

struct least_squares {
    size_t rows, columns;                           /* at most LEAST_SQUARES_MAX each */
    double x[LEAST_SQUARES_MAX][LEAST_SQUARES_MAX]; /* [row][column] */
    double weight[LEAST_SQUARES_MAX];               /* of a row: 1 over its variance */
};

/* `ret_b`: the coefficients that bring x b nearest to y. `ret_unit`: the standard deviation of each
 * when the weights are right. Returns the rank; below `columns` nothing is written. */
size_t least_squares_solve(const struct least_squares *s, const double *y, double *ret_b,
                           double *ret_unit);

#endif

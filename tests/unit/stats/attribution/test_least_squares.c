/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares: by a textbook's example, and by what any solution has to fulfil. */
#include "stats/attribution/least_squares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

#include <math.h>
#include <string.h>

static void assert_near(double found, double expected, double within)
{
    if (!(fabs(found - expected) <= within))
        fail_msg("%.17g, and %.17g was expected", found, expected);
}

/* (1, 6), (2, 5), (3, 7), (4, 10): y = 3.5 + 1.4 x. X'X is 4 10 / 10 30, and its inverse 1.5 -0.5 /
 * -0.5 0.2. */
static const double TEXTBOOK[4] = {6, 5, 7, 10};

static struct least_squares line(size_t rows)
{
    struct least_squares s = {.rows = rows, .columns = 2};
    for (size_t r = 0; r < rows; r++) {
        s.x[r][0] = 1;
        s.x[r][1] = (double)r + 1;
        s.weight[r] = 1;
    }
    return s;
}

static void a_line_through_four_points_is_the_textbooks(void **state)
{
    (void)state;
    struct least_squares s = line(4);
    double b[2], unit[2];
    assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 2);
    assert_near(b[0], 3.5, 1e-12);
    assert_near(b[1], 1.4, 1e-12);
    assert_near(unit[0], sqrt(1.5), 1e-12);
    assert_near(unit[1], sqrt(0.2), 1e-12);
}

static void a_weight_of_two_is_the_point_twice(void **state)
{
    (void)state;
    struct least_squares s = line(4), twice = line(5);
    double y[5] = {6, 5, 7, 10, 5}, b[2], unit[2], again[2], unit_again[2];
    s.weight[1] = 2;
    twice.x[4][1] = 2;
    assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 2);
    assert_int_equal(least_squares_solve(&twice, y, again, unit_again), 2);
    for (size_t c = 0; c < 2; c++) {
        assert_near(b[c], again[c], 1e-12);
        assert_near(unit[c], unit_again[c], 1e-12);
    }
}

/* A column that is a sum of others, none at all, or more columns than rows: nothing is written. */
static void columns_that_depend_on_others_have_no_solution(void **state)
{
    (void)state;
    struct least_squares s = line(4);
    double b[4] = {77, 77, 77}, unit[4] = {88, 88, 88};
    s.columns = 3;
    for (size_t r = 0; r < 4; r++)
        s.x[r][2] = 5 * s.x[r][0] + s.x[r][1];
    assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 2);
    for (size_t r = 0; r < 4; r++)
        s.x[r][2] = 0;
    assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 2);
    for (size_t r = 0; r < 4; r++) {
        s.x[r][2] = s.x[r][1];
        s.x[r][1] = s.x[r][0];
    }
    assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 2);
    s.columns = 4; /* twice the same before another one, which counts */
    for (size_t r = 0; r < 4; r++) {
        s.x[r][3] = s.x[r][2];
        s.x[r][2] = s.x[r][0];
    }
    assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 2);
    s = line(1);
    assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 1);
    assert_true(b[0] == 77 && b[1] == 77 && unit[0] == 88);
}

/* The sine of the angle is what decides, whatever the columns' lengths. */
static void columns_are_told_apart_by_their_angle(void **state)
{
    (void)state;
    for (int beyond = 0; beyond < 2; beyond++) {
        for (double length = 1e-6; length < 1e9; length *= 1e6) {
            struct least_squares s = line(4);
            double b[2], unit[2];
            for (size_t r = 0; r < 4; r++)
                s.x[r][1] = length * (1 + (r % 2 ? -1 : 1) * (beyond ? 1.2e-9 : 0.8e-9));
            assert_int_equal(least_squares_solve(&s, TEXTBOOK, b, unit), 1 + beyond);
        }
    }
}

/* X'W (y - X b) is 0. */
static void check_normal(const struct least_squares *s, const double *y, const double *b)
{
    for (size_t c = 0; c < s->columns; c++) {
        double sum = 0;
        for (size_t r = 0; r < s->rows; r++) {
            double rest = y[r];
            for (size_t k = 0; k < s->columns; k++)
                rest -= s->x[r][k] * b[k];
            sum += s->weight[r] * s->x[r][c] * rest;
        }
        assert_near(sum, 0, 1e-6);
    }
}

/* X'W X times the column that a unit of y adds: with unit[c]^2 for its own place. */
static void check_deviation(const struct least_squares *s, size_t column, double deviation)
{
    double a[8][9] = {{0}};
    size_t n = s->columns;
    for (size_t i = 0; i < n; i++) {
        a[i][n] = i == column;
        for (size_t k = 0; k < n; k++)
            for (size_t r = 0; r < s->rows; r++)
                a[i][k] += s->weight[r] * s->x[r][i] * s->x[r][k];
    }
    for (size_t p = 0; p < n; p++) /* Gauss and Jordan: the matrix is positive definite */
        for (size_t i = 0; i < n; i++) {
            double by = i == p ? 0 : a[i][p] / a[p][p];
            for (size_t k = 0; k <= n && i != p; k++)
                a[i][k] -= by * a[p][k];
        }
    assert_near(deviation, sqrt(a[column][n] / a[column][column]), 1e-9);
}

static void any_solution_leaves_nothing_along_a_column(void **state)
{
    (void)state;
    struct rng rng = {.state = 3};
    for (size_t columns = 1; columns <= 8; columns++) {
        struct least_squares s = {.rows = 11, .columns = columns};
        double y[11], b[8], unit[8];
        for (size_t r = 0; r < s.rows; r++) {
            y[r] = (double)rng_below(&rng, 100);
            s.weight[r] = 0.1 + rng_unit(&rng);
            for (size_t c = 0; c < columns; c++)
                s.x[r][c] = (double)rng_below(&rng, 30) * (c % 3 ? 1 : 7);
        }
        assert_int_equal(least_squares_solve(&s, y, b, unit), columns);
        check_normal(&s, y, b);
        for (size_t c = 0; c < columns; c++)
            check_deviation(&s, c, unit[c]);
    }
}

static void sixty_four_of_each_have_room(void **state)
{
    (void)state;
    static struct least_squares s;
    double y[LEAST_SQUARES_MAX], b[LEAST_SQUARES_MAX], unit[LEAST_SQUARES_MAX];
    s.rows = s.columns = LEAST_SQUARES_MAX;
    for (size_t r = 0; r < LEAST_SQUARES_MAX; r++) {
        y[r] = (double)(r + 1) * (double)(r + 1);
        s.weight[r] = 1;
        s.x[r][LEAST_SQUARES_MAX - 1 - r] = (double)r + 1;
    }
    assert_int_equal(least_squares_solve(&s, y, b, unit), LEAST_SQUARES_MAX);
    for (size_t r = 0; r < LEAST_SQUARES_MAX; r++) {
        assert_near(b[LEAST_SQUARES_MAX - 1 - r], (double)r + 1, 1e-9);
        assert_near(unit[LEAST_SQUARES_MAX - 1 - r], 1 / ((double)r + 1), 1e-12);
    }
}

/* Counts of a million, of behaviours of which some are seldom: whole numbers come out whole. */
static void whole_numbers_come_out_whole(void **state)
{
    (void)state;
    struct rng rng = {.state = 9};
    struct least_squares s = {.rows = 10, .columns = 5};
    static const double loses[5] = {3, 0, 28, 1, 7};
    double y[10] = {0}, b[5], unit[5];
    for (size_t r = 0; r < s.rows; r++) {
        s.weight[r] = 1 / (1 + (double)rng_below(&rng, 1000000));
        for (size_t c = 0; c < 5; c++) {
            s.x[r][c] = (double)rng_below(&rng, c == 2 ? 3 : 1000000);
            y[r] += loses[c] * s.x[r][c];
        }
    }
    assert_int_equal(least_squares_solve(&s, y, b, unit), 5);
    for (size_t c = 0; c < 5; c++)
        assert_near(b[c], loses[c], 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_through_four_points_is_the_textbooks),
        cmocka_unit_test(a_weight_of_two_is_the_point_twice),
        cmocka_unit_test(columns_that_depend_on_others_have_no_solution),
        cmocka_unit_test(columns_are_told_apart_by_their_angle),
        cmocka_unit_test(any_solution_leaves_nothing_along_a_column),
        cmocka_unit_test(sixty_four_of_each_have_room),
        cmocka_unit_test(whole_numbers_come_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

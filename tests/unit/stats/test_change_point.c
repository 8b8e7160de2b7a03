/* SPDX-License-Identifier: Apache-2.0 */
/* E-divisive on the examples of those who published it and of those who use it for nightly figures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/change_point.h"

enum { MOST = 8 };

/* The example of ?e.divisive in the authors' R package ecp: set.seed(100), then 100 values each of
 * the normal distributions (0, 1), (3, 1), (0, 2), by R's own generator. */
/* clang-format off */
static const double manual[] = {
    -0.502, 0.132, -0.079, 0.887, 0.117, 0.319, -0.582, 0.715, -0.825, -0.360, 0.090, 0.096,
    -0.202, 0.740, 0.123, -0.029, -0.389, 0.511, -0.914, 2.310, -0.438, 0.764, 0.262, 0.773,
    -0.814, -0.438, -0.720, 0.231, -1.158, 0.247, -0.091, 1.757, -0.138, -0.111, -0.690, -0.222,
    0.183, 0.417, 1.065, 0.970, -0.102, 1.403, -1.777, 0.623, -0.522, 1.322, -0.363, 1.319, 0.044,
    -1.879, -0.447, -1.739, 0.179, 1.897, -2.272, 0.980, -1.399, 1.825, 1.381, -0.839, -0.262,
    -0.069, -0.379, 2.582, 0.130, -0.713, 0.638, 0.202, -0.070, -0.092, 0.449, -1.064, -1.162,
    1.649, -2.062, 0.013, -1.088, 0.271, 1.008, -2.074, 0.897, -0.050, -1.345, -1.931, 0.710,
    -0.158, 0.216, 0.817, 1.727, -0.104, -0.557, 1.428, -0.893, -1.158, -0.530, 2.446, -0.832,
    0.414, -1.179, -1.174, 2.667, 4.363, 2.531, 3.843, 1.542, 2.600, 2.224, 2.631, 4.240, 2.893,
    3.173, 3.255, 2.385, 1.571, 2.669, 3.128, 4.018, 2.744, 2.697, 4.615, 2.226, 3.424, 2.416,
    3.415, 1.455, 2.481, 2.720, 4.007, 2.530, 3.298, 2.582, 2.150, 3.689, 2.540, 4.348, 3.443,
    2.849, 3.456, 2.960, 3.456, 2.592, 0.864, 3.157, 3.660, 2.018, 1.886, 2.563, 2.484, 3.419,
    3.134, 4.035, 4.654, 2.982, 2.976, 3.250, 2.663, 2.887, 2.901, 3.264, 3.139, 2.758, 3.059,
    2.823, 3.795, 3.007, 2.370, 2.748, 2.310, 3.203, 3.846, 3.632, 3.201, 2.909, 3.289, 2.945,
    0.958, 3.358, 2.627, 4.268, 5.169, 1.760, 3.590, 3.124, 2.476, 3.620, 3.708, 2.907, 2.705,
    1.914, 2.375, 2.767, 2.749, 3.954, 2.734, 4.895, 2.570, 4.576, 3.162, 1.915, 3.577, 0.056,
    -0.713, 1.705, 1.027, 2.036, -2.043, -1.123, -2.025, -6.042, 0.665, 2.481, 1.343, -2.660,
    -1.701, -3.578, 2.463, -0.669, -1.935, 1.759, -0.507, -3.036, -0.048, 0.053, 0.327, 0.820,
    -1.255, 1.274, -2.404, 2.693, -1.198, 0.884, 1.227, -0.598, -3.201, -0.679, -1.163, -0.781,
    1.691, 1.369, 0.475, -1.421, 5.227, -3.253, -3.215, 0.681, 5.456, -0.654, -2.514, -0.863,
    5.098, -1.543, -1.015, -0.540, 1.496, 1.337, -0.911, -3.856, 3.764, -2.499, -0.979, 0.431,
    0.844, -2.442, 0.624, 1.773, 0.950, 1.740, -1.773, -0.257, 2.193, 1.036, 0.796, 2.133, -0.899,
    1.252, -1.638, -0.527, 0.309, 1.137, -5.320, 2.273, 0.844, 2.700, 2.208, 1.294, 0.351, 1.307,
    -0.131, 1.291, 0.729, 1.687, -1.353, -0.783, 0.810, -2.214, -0.767, 0.588, 3.586, 1.628,
    -2.640,
};

/* The example of section 4.1 of "ecp: An R Package for Nonparametric Multiple Change Point Analysis
 * of Multivariate Data" (James and Matteson, Journal of Statistical Software 62, 2015):
 * set.seed(250), then 100 values each of (0, 1), (0, 3), (2, 1), (2, 4). The means of the first two
 * are the same, and of the last two: only what looks at more than means splits them. */
static const double vignette[] = {
    -0.627, -0.958, 0.841, 0.938, 0.001, -0.367, -0.384, 0.005, -0.524, -0.158, 0.574, 0.462,
    -0.155, -0.147, -0.214, 0.867, -1.198, -0.574, -0.051, 0.280, 0.572, -0.250, -0.413, 0.804,
    -1.899, 1.272, -1.129, 1.501, 0.542, -0.861, 0.146, -1.266, 0.759, 0.375, -0.171, -0.078,
    -0.652, -0.357, 0.139, -2.088, -1.268, 2.426, 0.743, 2.573, 0.033, -0.299, 0.083, -0.808,
    0.408, 1.285, -0.041, -0.924, 0.758, -1.459, -0.063, -0.326, 0.678, -0.359, 0.552, -1.136,
    -1.156, 0.128, -0.405, 1.525, 0.516, 0.606, 1.003, -0.430, -0.649, 0.959, 0.210, -2.144,
    0.357, 0.225, 1.333, 0.682, 0.778, 1.851, 1.219, -1.447, -0.306, 0.812, -0.195, -1.287, 0.578,
    -0.185, -1.611, -1.605, 1.421, -1.209, -0.905, 0.671, 0.358, -1.615, 0.796, 0.353, -0.041,
    1.525, 0.551, 1.069, 0.106, 0.437, -1.078, -3.904, 1.509, -0.330, -0.121, 6.370, -0.183,
    -6.747, -1.512, 1.780, -2.319, 2.857, 0.264, -2.456, -2.510, 5.436, 0.127, 1.738, -1.184,
    4.510, -2.792, -0.407, -0.560, -3.790, -1.518, -4.057, -1.399, 0.433, 1.582, -0.280, -1.191,
    1.639, -2.979, 3.634, 1.558, 4.132, -2.161, 2.188, 2.312, 0.055, 1.910, 2.204, 0.214, 0.343,
    1.728, 0.043, -1.919, -3.524, -5.840, -3.681, 7.245, -8.038, 0.037, 4.971, 2.330, 2.941,
    1.763, 1.922, -2.516, 6.281, -2.383, -1.536, -0.293, -2.635, 1.807, 0.614, -1.401, 8.112,
    0.111, 4.318, -0.342, 0.330, -0.906, 4.155, 7.101, 1.509, 0.484, -4.710, -0.678, 1.438,
    -1.693, -0.030, -2.283, 3.161, -6.939, -0.100, 2.684, -3.166, 2.728, -5.771, -2.700, -5.502,
    -1.398, -0.230, 2.187, 4.241, -5.641, -1.051, 1.379, 2.644, 2.233, 2.659, 2.215, 1.069, 1.778,
    2.443, 3.055, 2.261, 0.516, 1.488, 1.757, 2.467, 2.819, 1.186, 1.387, 3.311, 0.752, 1.205,
    2.616, 0.630, 1.035, 1.424, 2.281, 1.219, 2.862, 1.051, 1.379, 2.495, 1.902, 3.393, 1.119,
    1.932, 1.085, 3.238, 3.212, 1.645, 2.087, 1.562, 1.699, 2.276, 3.978, 0.434, 1.424, 3.251,
    1.666, 1.994, -0.402, 1.003, 1.155, 2.123, 0.786, 1.661, 2.063, 2.793, 1.308, 0.878, 2.481,
    2.994, 4.278, 1.446, 1.528, 1.873, 2.336, 2.243, 1.923, 2.244, 0.530, 4.352, 4.087, 3.219,
    2.113, 0.383, 1.336, 1.931, 1.407, 2.276, 0.742, 2.094, 2.525, 1.348, 2.464, 1.961, 2.627,
    0.163, 1.683, 0.775, 0.330, 2.749, 1.619, 3.760, 2.156, 3.324, 1.277, 1.574, 2.065, 1.059,
    1.720, 3.112, -2.794, -1.031, 0.202, -1.135, -3.142, -0.464, 1.115, 7.586, 8.565, 5.543,
    -5.063, 2.391, 4.337, 10.276, 3.365, 8.979, -0.601, 4.892, 7.690, 2.814, -3.834, 1.642,
    -4.912, 0.448, 4.209, -2.939, 6.993, 5.310, 5.488, -1.933, 2.746, 1.964, 4.425, -2.845,
    -4.450, 1.346, 4.591, -2.821, 3.924, 3.845, -2.344, 5.582, -0.377, 3.827, 2.653, 4.632, 2.908,
    -0.767, -2.981, 1.937, 2.115, 5.070, 6.770, 2.264, 2.638, 0.232, -0.240, 5.505, 9.353, 10.793,
    -1.956, 7.546, 2.805, 6.251, -1.940, -2.778, 5.130, 11.318, -0.629, 3.737, -0.836, 7.668,
    -0.825, 1.084, 6.007, 5.013, 2.814, 11.084, 5.665, 1.150, 5.277, 4.569, 2.223, 6.409, 1.239,
    3.618, 1.602, 6.200, 2.892, 1.623, 0.452, 0.657, 3.376, -0.200, 5.350, 3.568, -0.631, 9.003,
    2.807, 0.300,
};
/* clang-format on */

static void expect_near(size_t found, size_t truth, size_t distance)
{
    assert_in_range(found, truth - distance, truth + distance);
}

static void the_example_of_the_authors_manual_is_split_where_it_changes(void **state)
{
    (void)state;
    size_t at[MOST];
    struct change_question q = {manual, 300, 30, 199, 0.05, 1};
    assert_int_equal(change_points(&q, at, MOST), 2);
    expect_near(at[0], 100, 2);
    expect_near(at[1], 200, 2);
}

static void the_example_of_the_authors_article_is_split_where_it_changes(void **state)
{
    (void)state;
    size_t at[MOST];
    struct change_question q = {vignette, 400, 30, 499, 0.05, 1};
    assert_int_equal(change_points(&q, at, MOST), 3);
    expect_near(at[0], 100, 10);
    expect_near(at[1], 200, 10);
    expect_near(at[2], 300, 10);
}

/* test_default_implementation_sanity and test_absolute_certainty of MongoDB's
 * signal-processing-algorithms: as many zeros as ones are split between them, from four each on. */
static void zeros_and_ones_are_split_between_them(void **state)
{
    (void)state;
    double value[200];
    for (size_t half = 4; half <= 100; half += half < 20 ? 1 : 40) {
        size_t at[MOST];
        for (size_t i = 0; i < 2 * half; i++)
            value[i] = i >= half;
        struct change_question q = {value, 2 * half, 2, 999, 0.05, 1};
        assert_int_equal(change_points(&q, at, MOST), 1);
        assert_int_equal(at[0], half);
    }
}

static void what_never_changes_has_no_change_point(void **state)
{
    (void)state;
    double value[30];
    size_t at[MOST];
    for (size_t i = 0; i < 30; i++)
        value[i] = 0.1;
    for (size_t count = 0; count <= 30; count++) {
        struct change_question q = {value, count, 2, 999, 0.05, 1};
        assert_int_equal(change_points(&q, at, MOST), 0);
    }
}

/* With three values each 1 of 10 permutations does as well (both ways round): never certain. */
static void too_few_values_prove_nothing(void **state)
{
    (void)state;
    static const double value[] = {1, 1, 1, 2, 2, 2};
    size_t at[MOST];
    struct change_question q = {value, 6, 2, 999, 0.05, 1};
    assert_int_equal(change_points(&q, at, MOST), 0);
    q.chance = 0.2;
    assert_int_equal(change_points(&q, at, MOST), 1);
    assert_int_equal(at[0], 3);
}

static void no_more_are_found_than_there_is_room_for(void **state)
{
    (void)state;
    size_t at[2] = {7, 7};
    struct change_question q = {manual, 300, 30, 199, 0.05, 1};
    assert_int_equal(change_points(&q, at, 0), 0);
    assert_int_equal(at[0], 7);
    assert_int_equal(change_points(&q, at, 1), 1);
    assert_true(at[0] > 90 && at[0] < 210);
    assert_int_equal(at[1], 7);
}

/* Digits of pi, which another program split, with a generator of its own: so many permutations, the
 * series as it is counted with them, did as well. At that share of them a split is found, and just
 * below it isn't. */
static void a_split_takes_its_share_of_permutations_and_no_less(void **state)
{
    (void)state;
    static const double pi[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    double small[16];
    for (size_t i = 0; i < 16; i++)
        small[i] = pi[i] / 1024; /* whatever the unit */
    static const struct {
        size_t side;
        unsigned permutations;
        double chance;
        size_t found, at[2];
    } of[] = {{2, 99, 0.17, 1, {4, 0}},   {2, 99, 0.1699, 0, {0}},   {2, 57, 0.25863, 1, {4, 0}},
              {2, 57, 0.2586, 0, {0}},    {2, 99, 0.67, 2, {4, 11}}, {2, 99, 0.6699, 1, {4, 0}},
              {3, 99, 0.14, 1, {4, 0}},   {3, 99, 0.1399, 0, {0}},   {3, 99, 0.46, 2, {4, 11}},
              {3, 99, 0.4599, 1, {4, 0}}, {4, 99, 0.37, 2, {4, 11}}, {4, 99, 0.3699, 1, {4, 0}}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        size_t at[2] = {0, 0};
        struct change_question q = {pi, 16, of[i].side, of[i].permutations, of[i].chance, 1};
        assert_int_equal(change_points(&q, at, 2), of[i].found);
        assert_int_equal(at[0], of[i].at[0]);
        assert_int_equal(at[1], of[i].at[1]);
        q.value = small;
        assert_int_equal(change_points(&q, at, 2), of[i].found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_authors_manual_is_split_where_it_changes),
        cmocka_unit_test(the_example_of_the_authors_article_is_split_where_it_changes),
        cmocka_unit_test(zeros_and_ones_are_split_between_them),
        cmocka_unit_test(what_never_changes_has_no_change_point),
        cmocka_unit_test(too_few_values_prove_nothing),
        cmocka_unit_test(no_more_are_found_than_there_is_room_for),
        cmocka_unit_test(a_split_takes_its_share_of_permutations_and_no_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

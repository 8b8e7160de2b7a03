/* SPDX-License-Identifier: Apache-2.0 */
/* Which figure of a run a suite keeps, from where to where. */
#include "suite/suite_course.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS = 7 };
static const uint64_t closed[POINTS] = {10, 30, 70, 150, 310, 310, 400};
static const double blocks[POINTS] = {7000, 7300, 7390, 7390, 7390, 7390, 7400};
static const double heap[POINTS] = {100, 200, 300, 400, 500, 600, 700};
/* Two epochs of warm-up, the last of them the beginning; a hold within, one that confirms. */
static const struct judge_epoch epoch[POINTS] = {
    {.measured = false}, {.measured = false}, {.measured = true}, {.measured = true},
    {.measured = true},  {.measured = true},  {.measured = false}};
static const struct result_series series[] = {
    {"heap_allocated", "bytes", POINTS, closed, heap},
    {"openssl_blocks", "blocks", POINTS, closed, blocks},
};
static const struct judge_metric level[] = {{.id = "openssl_blocks", .state = METRIC_LEVEL},
                                            {.id = "heap_allocated", .state = METRIC_LEVEL}};
static const struct judge_metric grown[] = {{.id = "openssl_blocks", .state = METRIC_LEVEL},
                                            {.id = "heap_allocated", .state = METRIC_GROWS}};

/* The course of a run of one subject. */
static struct suite_course course_of(const struct result_subject *subject)
{
    static struct result r;
    struct suite s;
    struct suite_course course;
    r = (struct result){.subjects = 1};
    memcpy((void *)&r.subject[0], subject, sizeof *subject);
    suite_init(&s);
    struct suite_entry *entry = suite_add(&s, "x");
    *suite_subject_add(entry) = (struct suite_subject){"server", "PASS", "none"};
    suite_course_take(&s, entry, &r);
    course = entry->course;
    course.id = course.id && strcmp(course.id, "openssl_blocks") == 0 ? "openssl_blocks"
                : course.id                                           ? "heap_allocated"
                                                                      : NULL;
    suite_free(&s);
    return course;
}

static struct result_subject subject_with(const struct judge_metric metric[2])
{
    struct result_subject subject = {.name = "server",
                                     .series_count = sizeof series / sizeof *series,
                                     .series = series,
                                     .epochs = POINTS,
                                     .epoch = epoch};
    memcpy(subject.judgement.metric, metric, 2 * sizeof *metric);
    subject.judgement.metrics = 2;
    return subject;
}

static void it_begins_at_the_end_of_the_warm_up_and_ends_with_the_measuring(void **state)
{
    (void)state;
    struct result_subject subject = subject_with(level);
    struct suite_course course = course_of(&subject);
    assert_string_equal(course.id, "openssl_blocks");
    assert_int_equal(course.points, 5);
    assert_int_equal(course.closed[0], 30);
    assert_true(course.value[0] == 7300);
    assert_int_equal(course.closed[4], 310);
}

static void what_grows_goes_before_what_is_level(void **state)
{
    (void)state;
    struct result_subject subject = subject_with(grown);
    assert_string_equal(course_of(&subject).id, "heap_allocated");
}

static void without_epochs_all_checkpoints_count(void **state)
{
    (void)state;
    struct result_subject subject = subject_with(level);
    subject.epochs = 0;
    assert_int_equal(course_of(&subject).points, POINTS);
}

static void a_run_without_two_figures_has_none(void **state)
{
    (void)state;
    static const double unknown[POINTS] = {1, 2, NAN, NAN, 5, NAN, 7};
    static const struct result_series one[] = {{"rss", "bytes", 5, closed, unknown}};
    struct result_subject subject = {.name = "server"};
    assert_int_equal(course_of(&subject).points, 0);
    subject = (struct result_subject){.name = "server", .series_count = 1, .series = one};
    assert_int_equal(course_of(&subject).points, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_at_the_end_of_the_warm_up_and_ends_with_the_measuring),
        cmocka_unit_test(what_grows_goes_before_what_is_level),
        cmocka_unit_test(without_epochs_all_checkpoints_count),
        cmocka_unit_test(a_run_without_two_figures_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_course.h"

#include "report/document.h"
#include "report/figures.h"
#include "report/json_util.h"
#include "report/screen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BARS = 12 };

/* Growth that would be less than this part of the figure is drawn as level. */
static const double least_part = 0.01;

static const enum metric candidate[] = {METRIC_OPENSSL_BLOCKS, METRIC_HEAP_ALLOCATED, METRIC_RSS};

/* ---- of a run ---- */

static const struct result_series *find_series(const struct result_subject *subject, const char *id)
{
    for (size_t i = 0; i < subject->series_count; i++)
        if (subject->series[i].id && strcmp(subject->series[i].id, id) == 0)
            return &subject->series[i];
    return NULL;
}

static bool grows(const struct result_subject *subject, const char *id)
{
    const struct judgement *j = &subject->judgement;
    for (size_t i = 0; i < j->metrics; i++)
        if (strcmp(j->metric[i].id, id) == 0)
            return j->metric[i].state == METRIC_GROWS;
    return false;
}

static const struct result_series *choose(const struct result_subject *subject)
{
    const struct result_series *first = NULL;
    for (size_t i = 0; i < sizeof candidate / sizeof *candidate; i++) {
        const char *id = metric_name(candidate[i]);
        const struct result_series *series = find_series(subject, id);
        if (series && grows(subject, id))
            return series;
        first = first ? first : series;
    }
    return first;
}

/* The checkpoints [first, last] that were measured, with the one before them. A subject without
 * epochs has all. */
static void measured_range(const struct result_subject *subject, size_t count, size_t *first,
                           size_t *last)
{
    *first = 0;
    *last = count - 1;
    if (subject->epochs != count)
        return;
    size_t begin = 0, end = count;
    while (begin < count && !subject->epoch[begin].measured)
        begin++;
    while (end > begin && !subject->epoch[end - 1].measured)
        end--;
    if (begin == count)
        return;
    *first = begin ? begin - 1 : 0;
    *last = end - 1;
}

static void add_point(struct suite_course *course, const struct result_series *series, size_t i)
{
    if (!isfinite(series->value[i]))
        return;
    course->closed[course->points] = series->closed[i];
    course->value[course->points++] = series->value[i];
}

static void thin(struct suite_course *course, const struct result_series *series, size_t first,
                 size_t last)
{
    size_t count = last - first + 1, points = count < SUITE_COURSE ? count : SUITE_COURSE;
    for (size_t i = 0; i < points; i++)
        add_point(course, series, first + (points > 1 ? i * (count - 1) / (points - 1) : 0));
}

void suite_course_take(struct suite *s, struct suite_entry *entry, const struct result *r)
{
    size_t first, last;
    const struct suite_subject *lead = suite_lead(entry);
    const struct result_subject *subject = lead ? result_subject_find(r, lead->name) : NULL;
    const struct result_series *series = subject ? choose(subject) : NULL;
    struct suite_course *course = &entry->course;
    if (!series || series->count == 0)
        return;
    measured_range(subject, series->count, &first, &last);
    thin(course, series, first, last);
    course->subject = lead->name;
    course->id = suite_text(s, series->id);
    course->unit = suite_text(s, series->unit);
    if (course->points < 2)
        *course = (struct suite_course){.points = 0};
}

/* ---- as JSON ---- */

json_t *suite_course_json(const struct suite_course *course)
{
    json_t *closed = json_array(), *value = json_array();
    for (size_t i = 0; i < course->points; i++) {
        json_array_append_new(closed, json_from_count(course->closed[i]));
        json_array_append_new(value, json_from_number(course->value[i]));
    }
    json_t *made = json_pack("{s:o,s:o,s:o,s:o,s:o}", "subject", json_from_text(course->subject),
                             "id", json_from_text(course->id), "unit", json_from_text(course->unit),
                             "closed", closed, "value", value);
    if (course->points)
        return made;
    json_decref(made);
    return json_null();
}

static int read_point(struct suite_course *course, const json_t *closed, const json_t *value,
                      struct err *e)
{
    json_int_t at = json_integer_value(closed);
    size_t i = course->points;
    if (!json_is_integer(closed) || at < 0 || (i && (uint64_t)at < course->closed[i - 1]))
        return err_set(e, "'closed' of point %zu is not a count that follows", i + 1);
    if (!json_is_number(value))
        return err_set(e, "'value' of point %zu is not a number", i + 1);
    course->closed[i] = (uint64_t)at;
    course->value[i] = json_number_value(value);
    course->points++;
    return 0;
}

/* A text that is there. */
static const char *text_of(struct suite *s, const json_t *object, const char *key)
{
    return suite_text(s, json_string_value(json_object_get(object, key)));
}

int suite_course_read(struct suite *s, struct suite_entry *entry, const json_t *from, struct err *e)
{
    const json_t *closed = json_object_get(from, "closed"), *value = json_object_get(from, "value");
    struct suite_course course = {.subject = text_of(s, from, "subject"),
                                  .id = text_of(s, from, "id"),
                                  .unit = text_of(s, from, "unit")};
    size_t points = json_array_size(closed);
    if (!from || json_is_null(from))
        return 0;
    if (!course.subject || !suite_subject_find(entry, course.subject))
        return err_set(e, "'course' is of no subject that there is");
    if (!course.id || !course.unit)
        return err_set(e, "'course' has no 'id' or no 'unit'");
    if (points < 2 || points > SUITE_COURSE || json_array_size(value) != points)
        return err_set(e, "'course' is not of 2 to %d points", SUITE_COURSE);
    while (course.points < points)
        if (read_point(&course, json_array_get(closed, course.points),
                       json_array_get(value, course.points), e) != 0)
            return err_prefix(e, "'course'");
    entry->course = course;
    return 0;
}

/* ---- for people ---- */

/* The last checkpoint by so many connections. */
static double value_at(const struct suite_course *course, double closed)
{
    size_t i = 0;
    while (i + 1 < course->points && (double)course->closed[i + 1] <= closed)
        i++;
    return course->value[i];
}

static struct screen_bars bars_of(const struct suite_course *course, double bar[BARS])
{
    double first = (double)course->closed[0];
    double step = ((double)course->closed[course->points - 1] - first) / (BARS - 1);
    struct screen_bars bars = {
        .value = bar, .count = BARS, .low = course->value[0], .high = course->value[0]};
    for (size_t i = 0; i < course->points; i++) {
        bars.low = fmin(bars.low, course->value[i]);
        bars.high = fmax(bars.high, course->value[i]);
    }
    for (size_t i = 0; i < BARS; i++)
        bar[i] = value_at(course, first + step * (double)i + 0.5);
    bars.high = fmax(bars.high, bars.low + least_part * fabs(bars.low));
    return bars;
}

char *suite_course_text(const struct suite_course *course, char *buf, size_t size)
{
    double bar[BARS];
    char drawn[BARS * 4 + 1], grown[FIGURE_SIZE];
    enum metric metric;
    snprintf(buf, size, "%s", "");
    if (course->points < 2)
        return buf;
    const struct screen_bars bars = bars_of(course, bar);
    const char *word =
        metric_from_name(course->id, &metric) ? metric_info(metric)->word : course->id;
    double growth = course->value[course->points - 1] - course->value[0];
    figure_level(grown, sizeof grown, fabs(growth), course->unit);
    snprintf(buf, size, "%s %s%s %s", screen_bars(&bars, true, BARS, drawn, sizeof drawn),
             growth > 0   ? "+"
             : growth < 0 ? "-"
                          : "",
             grown, word);
    return buf;
}

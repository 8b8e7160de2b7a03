/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include "base/check.h"
#include "base/input.h"
#include "stats/thinning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

/* In the order of a result's subjects. */
static const char *const subjects[RESULT_SUBJECTS] = {"server", "client"};

static const struct {
    const char *part, *key;
} places[SAMPLE_FIGURES] = {
    [SAMPLE_CLOSED] = {"connections", "closed"}, [SAMPLE_OPENED] = {"connections", "opened"},
    [SAMPLE_FAILED] = {"connections", "failed"}, [SAMPLE_BLOCKS] = {"openssl", "blocks"},
    [SAMPLE_BYTES] = {"openssl", "bytes"},       [SAMPLE_ALLOCATED] = {"heap", "allocated"},
    [SAMPLE_RSS] = {"process", "rss"},
};

static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* As columns, which are the caller's to free. */
static double *columns_of(const struct samples *s, struct thinning *ret)
{
    double *column = calloc(s->count, (1 + RESULT_SUBJECTS) * sizeof *column);
    CHECK(column);
    for (size_t i = 0; i < s->count; i++) {
        column[i] = s->sample[i].seconds;
        for (size_t k = 0; k < RESULT_SUBJECTS; k++)
            column[(1 + k) * s->count + i] = s->sample[i].figure[k][SAMPLE_RSS];
    }
    *ret = (struct thinning){.count = s->count, .x = column, .figures = RESULT_SUBJECTS};
    for (size_t k = 0; k < RESULT_SUBJECTS; k++)
        ret->value[k] = column + (1 + k) * s->count;
    return column;
}

static void thin(struct samples *s)
{
    _Static_assert((int)RESULT_SUBJECTS <= (int)THINNING_FIGURES, "each has its RSS");
    struct thinning t;
    bool *keep = calloc(s->count, sizeof *keep);
    CHECK(keep);
    double *column = columns_of(s, &t);
    s->span = s->span > 0 ? s->span : 1;
    thinning_choose(&t, SAMPLES_MOST / 2, &s->span, keep);
    free(column);
    s->count = 0;
    for (size_t i = 0; i < t.count; i++) {
        if (keep[i])
            s->sample[s->count++] = s->sample[i];
    }
    free(keep);
}

static struct sample *add(struct samples *s)
{
    if (s->count == SAMPLES_MOST)
        thin(s);
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : FIRST_ROOM;
        struct sample *more = realloc(s->sample, s->room * sizeof *more);
        CHECK(more);
        s->sample = more;
    }
    return &s->sample[s->count++];
}

static bool is_before_the_drain(const char *kind)
{
    return kind && (strcmp(kind, "tick") == 0 || strcmp(kind, "checkpoint") == 0);
}

void samples_add(struct samples *s, const json_t *line)
{
    double seconds = number_of(json_object_get(line, "seconds"));
    if (!isfinite(seconds) ||
        !is_before_the_drain(json_string_value(json_object_get(line, "kind"))) ||
        (s->count && seconds < s->sample[s->count - 1].seconds))
        return;
    struct sample *to = add(s);
    to->seconds = seconds;
    for (size_t i = 0; i < RESULT_SUBJECTS; i++) {
        const json_t *subject = json_object_get(line, subjects[i]);
        for (size_t f = 0; f < SAMPLE_FIGURES; f++)
            to->figure[i][f] =
                number_of(json_object_get(json_object_get(subject, places[f].part), places[f].key));
    }
}

int samples_load(struct samples *ret, const char *path, struct err *e)
{
    char *text = NULL;
    size_t size = 0;
    *ret = (struct samples){.count = 0};
    FILE *in = input_open(path, e);
    if (!in)
        return err_prefix(e, "%.300s", path);
    for (ssize_t n; (n = getline(&text, &size, in)) > 0;) {
        json_t *line = json_loadb(text, (size_t)n, 0, NULL);
        samples_add(ret, line);
        json_decref(line);
    }
    free(text);
    fclose(in);
    return 0;
}

void samples_free(struct samples *s)
{
    free(s->sample);
    *s = (struct samples){.count = 0};
}

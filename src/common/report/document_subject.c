/* SPDX-License-Identifier: Apache-2.0 */
#include "document_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CENSUS_MAX = 64,
    SERIES_MAX = 64,
    PROCESSES_MAX = 64,
    POINTS_MAX = 4096,
    ALIVE_MAX = 256,
    STACKS_MAX = 4096,
    SIZES_MAX = 512
};
static const int64_t COUNT_MAX = INT64_MAX / POINTS_MAX;

static int read_reasons(const json_t *from, struct judgement *j, struct err *e)
{
    const json_t *reasons;
    if (json_read_list(from, "reasons", JUDGE_REASONS, &reasons, e) != 0)
        return -1;
    for (; j->reasons < json_array_size(reasons); j->reasons++) {
        const char *text = json_string_value(json_array_get(reasons, j->reasons));
        if (!text || strlen(text) >= sizeof j->reason[0])
            return err_set(e, "'reasons' is not a list of sentences");
        snprintf(j->reason[j->reasons], sizeof j->reason[0], "%s", text);
    }
    return 0;
}

/* A finding is what its site says. */
static void take_finding(struct judgement *j, const struct result_site *site)
{
    struct judge_finding *f = &j->finding[j->findings++];
    *f = (struct judge_finding){.site = SIZE_MAX, .row = site->row};
    snprintf(f->why, sizeof f->why, "%s", site->why ? site->why : "");
}

/* Each is small enough for the sum of as many as a list may have. */
static int read_counts(const json_t *array, const char *key, int64_t *to, struct err *e)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *count = json_array_get(array, i);
        int64_t value = json_integer_value(count);
        if (!json_is_integer(count) || value > COUNT_MAX || value < -COUNT_MAX)
            return err_set(e, "'%s' is not a list of counts", key);
        to[i] = value;
    }
    return 0;
}

static int read_born(struct document *d, const json_t *from, struct result_site *to, struct err *e)
{
    const json_t *array;
    if (json_read_list(from, "born", POINTS_MAX, &array, e) != 0)
        return -1;
    int64_t *born = document_own(d, json_array_size(array), sizeof *born);
    to->births = json_array_size(array);
    to->born = born;
    return read_counts(array, "born", born, e);
}

/* A list per checkpoint, each by one longer than the one before. */
static int read_alive(struct document *d, const json_t *from, struct result_site *to, struct err *e)
{
    const json_t *array, *list;
    if (json_read_list(from, "alive", ALIVE_MAX, &array, e) != 0)
        return -1;
    if (json_array_size(array) == 0)
        return 0;
    if (json_array_size(array) != to->births)
        return err_set(e, "'alive' hasn't as many checkpoints as 'born' has epochs");
    int64_t *alive = document_own(d, result_alive_count(to->births), sizeof *alive);
    to->alive = alive;
    for (size_t c = 0; c < to->births; c++) {
        list = json_array_get(array, c);
        if (!json_is_array(list) || json_array_size(list) != c + 1)
            return err_set(e, "'alive' hasn't %zu counts at checkpoint %zu", c + 1, c);
        if (read_counts(list, "alive", alive + result_alive(0, c), e) != 0)
            return -1;
    }
    return 0;
}

static int read_sites(struct document *d, const json_t *from, struct result_subject *to,
                      struct err *e)
{
    static const struct document_list list = {"sites", "site", &document_site_fields,
                                              JUDGE_FINDINGS, sizeof(struct result_site)};
    double dropped = 0;
    if (!(to->site = document_read_list(d, from, &list, &to->sites, e)) ||
        json_read_count(from, "sites_dropped", &dropped, e) != 0)
        return -1;
    const json_t *array = json_object_get(from, list.key);
    for (size_t i = 0; i < to->sites; i++) {
        struct result_site *site = (struct result_site *)&to->site[i];
        if (read_born(d, json_array_get(array, i), site, e) != 0 ||
            read_alive(d, json_array_get(array, i), site, e) != 0)
            return err_prefix(e, "site %zu", i + 1);
        take_finding(&to->judgement, &to->site[i]);
    }
    to->judgement.findings_total = to->sites + (size_t)dropped;
    return 0;
}

static int read_processes(struct document *d, const json_t *from, struct result_subject *to,
                          struct err *e)
{
    static const struct document_list list = {"processes", "process", &document_process_fields,
                                              PROCESSES_MAX, sizeof(struct result_process)};
    to->process = document_read_list(d, from, &list, &to->processes, e);
    return to->process ? 0 : -1;
}

static int read_epochs(struct document *d, const json_t *from, struct result_subject *to,
                       struct err *e)
{
    static const struct document_list epochs = {"epochs", "epoch", &document_epoch_fields,
                                                POINTS_MAX, sizeof(struct judge_epoch)};
    static const struct document_list sizes = {"size_classes", "size class",
                                               &document_size_class_fields, SIZES_MAX,
                                               sizeof(struct result_size_class)};
    return (to->epoch = document_read_list(d, from, &epochs, &to->epochs, e)) &&
                   (to->size_class = document_read_list(d, from, &sizes, &to->size_classes, e))
               ? 0
               : -1;
}

static int read_census(struct document *d, const json_t *from, struct result_subject *to,
                       struct err *e)
{
    json_t *census = json_object_get(from, "census"), *class_;
    const char *name;
    if (json_object_size(census) > CENSUS_MAX)
        return err_set(e, "'census' has more than %d classes", CENSUS_MAX);
    struct result_census *made = document_own(d, json_object_size(census), sizeof *made);
    json_object_foreach(census, name, class_)
    {
        struct result_census *c = &made[to->census_count++];
        c->class_ = name;
        if (json_read_fields(class_, &document_census_fields, c, e) != 0)
            return err_prefix(e, "census of %s", name);
    }
    to->census = made;
    return 0;
}

static int read_points(struct document *d, const json_t *from, struct result_series *to,
                       struct err *e)
{
    const json_t *closed, *value;
    if (json_read_list(from, "closed", POINTS_MAX, &closed, e) != 0 ||
        json_read_list(from, "value", POINTS_MAX, &value, e) != 0)
        return -1;
    to->count = json_array_size(closed);
    if (json_array_size(value) != to->count)
        return err_set(e, "'closed' and 'value' differ in length");
    uint64_t *at = document_own(d, to->count, sizeof *at);
    double *is = document_own(d, to->count, sizeof *is);
    for (size_t c = 0; c < to->count; c++) {
        const json_t *point = json_array_get(value, c);
        if (!json_is_integer(json_array_get(closed, c)) ||
            (!json_is_number(point) && !json_is_null(point)))
            return err_set(e, "point %zu is not a number", c + 1);
        at[c] = (uint64_t)json_integer_value(json_array_get(closed, c));
        is[c] = json_is_null(point) ? NAN : json_number_value(point);
    }
    to->closed = at;
    to->value = is;
    return 0;
}

static int read_series(struct document *d, const json_t *from, struct result_subject *to,
                       struct err *e)
{
    static const struct document_list list = {"series", "series", &document_series_fields,
                                              SERIES_MAX, sizeof(struct result_series)};
    const json_t *array = json_object_get(from, list.key);
    if (!(to->series = document_read_list(d, from, &list, &to->series_count, e)))
        return -1;
    for (size_t i = 0; i < to->series_count; i++)
        if (read_points(d, json_array_get(array, i), (struct result_series *)&to->series[i], e) !=
            0)
            return err_prefix(e, "series %zu", i + 1);
    return 0;
}

static int read_rest(const json_t *from, struct result_rest *to, struct err *e)
{
    const json_t *rest = json_object_get(from, "after_drain");
    to->known = json_is_object(rest);
    to->heap = json_is_number(json_object_get(rest, "heap_active_bytes"));
    return json_read_fields(rest, &document_rest_fields, to, e) == 0 &&
                   json_read_fields(rest, &document_heap_fields, to, e) == 0
               ? 0
               : err_prefix(e, "after_drain");
}

/* ---- its call stacks ---- */

static int read_frames(struct document *d, const json_t *from, struct result_stack *to,
                       struct err *e)
{
    static const struct document_list list = {"frames", "frame", &document_frame_fields,
                                              DOCUMENT_FRAMES, sizeof(struct symbol)};
    const json_t *array = json_object_get(from, list.key);
    if (!(to->frame = document_read_list(d, from, &list, &to->frames, e)))
        return -1;
    for (size_t f = 0; f < to->frames; f++) {
        const char *offset = NULL;
        if (json_read_text(json_array_get(array, f), "offset", &offset, e) != 0)
            return err_prefix(e, "frame %zu", f + 1);
        ((struct symbol *)&to->frame[f])->offset = offset ? strtoull(offset, NULL, 16) : 0;
    }
    return 0;
}

static int read_stacks(struct document *d, const json_t *from, struct result_capture *to,
                       struct err *e)
{
    static const struct document_list stacks = {"stacks", "stack", &document_stack_fields,
                                                STACKS_MAX, sizeof(struct result_stack)};
    static const struct document_list sites = {"sites", "site", &document_capture_site_fields,
                                               STACKS_MAX, sizeof(struct result_capture_site)};
    const json_t *array = json_object_get(from, stacks.key);
    const json_t *capture = json_object_get(from, "capture");
    if (!(to->stack = document_read_list(d, from, &stacks, &to->stacks, e)))
        return -1;
    for (size_t i = 0; i < to->stacks; i++)
        if (read_frames(d, json_array_get(array, i), (struct result_stack *)&to->stack[i], e) != 0)
            return err_prefix(e, "stack %zu", i + 1);
    return json_read_fields(capture, &document_capture_fields, to, e) == 0 &&
                   (to->site = document_read_list(d, capture, &sites, &to->sites, e))
               ? 0
               : err_prefix(e, "capture");
}

/* ---- what its behaviours lose, and its meter check ---- */

static int read_behaviours(const json_t *from, struct result_attribution *to, struct err *e)
{
    static const struct document_list names = {"behaviours", "behaviour",
                                               &document_behaviour_fields, BEHAVIOURS_MAX,
                                               sizeof(struct result_behaviour)};
    static const struct document_list losses = {"behaviours", "behaviour", &document_loss_fields,
                                                BEHAVIOURS_MAX, sizeof(struct result_behaviour)};
    const json_t *first = json_array_get(json_object_get(from, names.key), 0);
    return document_read_into(from, &names, to->behaviour, &to->behaviours, e) == 0 &&
                   document_read_into(from, &losses, to->behaviour, &to->behaviours, e) == 0
               ? json_read_bool(first, "exact", &to->exact, e)
               : -1;
}

static int read_confirmed(const json_t *when, struct result_attribution *to, struct err *e)
{
    const json_t *confirmed = json_object_get(when, "confirmed");
    to->tried = json_is_object(confirmed);
    return json_read_bool(confirmed, "too_rare", &to->too_rare, e) == 0 &&
                   json_read_bool(confirmed, "agrees", &to->confirmed, e) == 0 &&
                   json_read_fields(json_object_get(confirmed, "alone"), &document_confirm_fields,
                                    &to->alone, e) == 0
               ? json_read_fields(json_object_get(confirmed, "without"), &document_confirm_fields,
                                  &to->without, e)
               : -1;
}

static int read_attribution(struct document *d, const json_t *from, struct result_subject *to,
                            struct err *e)
{
    const json_t *when = json_object_get(from, "when");
    if (!json_is_object(when) && json_array_size(json_object_get(from, "behaviours")) == 0)
        return 0;
    struct result_attribution *made = document_own(d, 1, sizeof *made);
    to->attribution = made;
    return read_behaviours(from, made, e) == 0 &&
                   json_read_fields(when, &document_attribution_fields, made, e) == 0
               ? read_confirmed(when, made, e)
               : -1;
}

static int read_controls(const json_t *check, struct canary *to, struct err *e)
{
    const json_t *controls;
    if (json_read_list(check, "controls", CANARY_CONTROLS, &controls, e) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(controls); i++) {
        const json_t *control = json_array_get(controls, i);
        to->seen[i] = json_is_boolean(json_object_get(control, "quiet"));
        if (json_read_bool(control, "quiet", &to->quiet[i], e) != 0)
            return -1;
    }
    return 0;
}

static int read_canary(const json_t *from, struct canary *to, struct err *e)
{
    const json_t *check = json_object_get(from, "selfcheck"), *ok = json_object_get(check, "ok");
    const json_t *planted = json_object_get(check, "planted");
    const char *sentence = "";
    double epoch = NAN;
    if (!json_is_object(check))
        return 0;
    to->state = json_is_true(ok)    ? CANARY_OK
                : json_is_false(ok) ? CANARY_FAILED
                                    : CANARY_NOT_REACHED;
    if (json_read_count(planted, "epoch", &epoch, e) != 0 ||
        json_read_fields(planted, &document_planted_fields, to, e) != 0 ||
        json_read_text(check, "sentence", &sentence, e) != 0 || read_controls(check, to, e) != 0)
        return err_prefix(e, "selfcheck");
    to->reached = !isnan(epoch);
    to->epoch = to->reached ? (size_t)epoch : 0;
    to->gone = to->reached && to->state == CANARY_NOT_REACHED;
    snprintf(to->sentence, sizeof to->sentence, "%s", sentence);
    return 0;
}

/* What all its subjects have in common a document may say once, of the one under test. */
static const json_t *holder_of(const struct document *d, const json_t *from, const char *key)
{
    return json_object_get(from, key) || d->result.subjects > 1 ? from : d->root;
}

int document_read_costs(const json_t *sensitivity, const json_t *cost, struct result_subject *to,
                        struct err *e)
{
    return json_read_part(sensitivity, "sensitivity", &document_sensitivity_fields,
                          &to->judgement.sensitivity, e) == 0
               ? json_read_part(cost, "cost", &document_cost_fields, to, e)
               : -1;
}

int document_read_subject(struct document *d, const json_t *from, struct err *e)
{
    static const struct document_list metrics = {"metrics", "metric", &document_metric_fields,
                                                 JUDGE_METRICS, sizeof(struct judge_metric)};
    struct result_subject *to = &d->result.subject[d->result.subjects++];
    struct judgement *j = &to->judgement;
    if (!json_is_object(from))
        return err_set(e, "'subjects' is not a list of objects");
    j->class_ = SIZE_MAX;
    j->verdict = VERDICT_INVALID;
    j->unit = d->result.run.unit;
    if (json_read_fields(from, &document_subject_fields, to, e) != 0 ||
        document_check_verdict(from, j->verdict, e) != 0 || read_reasons(from, j, e) != 0 ||
        document_read_into(from, &metrics, j->metric, &j->metrics, e) != 0 ||
        document_read_costs(holder_of(d, from, "sensitivity"), holder_of(d, from, "cost"), to, e) !=
            0)
        return -1;
    if (read_sites(d, from, to, e) != 0 || read_processes(d, from, to, e) != 0 ||
        read_census(d, from, to, e) != 0 || read_series(d, from, to, e) != 0 ||
        read_epochs(d, from, to, e) != 0 || read_rest(from, &to->rest, e) != 0)
        return -1;
    return read_stacks(d, from, &to->capture, e) == 0 && read_attribution(d, from, to, e) == 0
               ? read_canary(from, &to->canary, e)
               : -1;
}

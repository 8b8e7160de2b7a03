/* SPDX-License-Identifier: Apache-2.0 */
#include "document_internal.h"

#include "report/footprint.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>

/* jansson takes ownership of what is set, and passes NULL (out of memory) up as a failure: one
 * check at the end is enough. */

/* An array of `count` structs, each `size` bytes. */
static json_t *array_of(const struct json_fields *fields, const void *from, size_t size,
                        size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_from_fields(fields, (const char *)from + i * size));
    return array;
}

/* A line without its file is none. */
static json_t *placed_json(const struct json_fields *fields, const void *from, const char *file)
{
    json_t *object = json_from_fields(fields, from);
    if (!file)
        json_object_set_new(object, "line", json_null());
    return object;
}

/* ---- a subject ---- */

static json_t *metrics_json(const struct judgement *j)
{
    json_t *array = json_array();
    for (size_t i = 0; i < j->metrics; i++) {
        json_t *metric = json_from_fields(&document_metric_fields, &j->metric[i]);
        json_object_set_new(metric, "verdict",
                            json_string(metric_state_verdict(j->metric[i].state)));
        json_array_append_new(array, metric);
    }
    return array;
}

static json_t *counts_json(const int64_t *count, size_t counts)
{
    json_t *array = json_array();
    for (size_t i = 0; i < counts; i++)
        json_array_append_new(array, json_integer(count[i]));
    return array;
}

/* A list per checkpoint. */
static json_t *alive_json(const struct result_site *site)
{
    json_t *array = json_array();
    for (size_t c = 0; site->alive && c < site->births; c++)
        json_array_append_new(array, counts_json(site->alive + result_alive(0, c), c + 1));
    return array;
}

static json_t *sites_json(const struct result_subject *subject)
{
    json_t *array = json_array();
    for (size_t i = 0; i < subject->sites; i++) {
        const struct result_site *site = &subject->site[i];
        json_t *object = placed_json(&document_site_fields, site, site->file);
        json_object_set_new(object, "born", counts_json(site->born, site->births));
        json_object_set_new(object, "alive", alive_json(site));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *census_json(const struct result_subject *subject)
{
    json_t *object = json_object();
    for (size_t i = 0; i < subject->census_count; i++)
        json_object_set_new(object, subject->census[i].class_,
                            json_from_fields(&document_census_fields, &subject->census[i]));
    return object;
}

static json_t *reasons_json(const struct judgement *j)
{
    json_t *array = json_array();
    for (size_t i = 0; i < j->reasons; i++)
        json_array_append_new(array, json_from_text(j->reason[i]));
    return array;
}

static json_t *sensitivity_json(const struct judge_sensitivity *sensitivity)
{
    json_t *object = json_from_fields(&document_sensitivity_fields, sensitivity);
    json_object_set_new(object, "confidence", json_from_number(JUDGE_CONFIDENCE_PERMILLE / 1000.0));
    return object;
}

static json_t *one_series_json(const struct result_series *s)
{
    json_t *closed = json_array(), *value = json_array();
    for (size_t c = 0; c < s->count; c++) {
        json_array_append_new(closed, json_from_count(s->closed[c]));
        json_array_append_new(value, json_from_number(s->value[c]));
    }
    json_t *object = json_from_fields(&document_series_fields, s);
    json_object_set_new(object, "closed", closed);
    json_object_set_new(object, "value", value);
    return object;
}

static json_t *series_json(const struct result_subject *subject)
{
    json_t *array = json_array();
    for (size_t i = 0; i < subject->series_count; i++)
        json_array_append_new(array, one_series_json(&subject->series[i]));
    return array;
}

/* null where a run didn't come to it. */
static json_t *rest_json(const struct result_rest *rest)
{
    if (!rest->known)
        return json_null();
    json_t *object = json_from_fields(&document_rest_fields, rest);
    json_set_fields(object, &document_heap_fields, rest);
    for (size_t i = 0; !rest->heap && i < document_heap_fields.count; i++)
        json_object_set_new(object, document_heap_fields.field[i].key, json_null());
    return object;
}

/* ---- its call stacks ---- */

/* An offset doesn't fit into the numbers of every reader of JSON: it is written as text. */
static json_t *frame_json(const struct symbol *frame)
{
    char offset[24];
    snprintf(offset, sizeof offset, "0x%" PRIx64, frame->offset);
    json_t *object = placed_json(&document_frame_fields, frame, frame->file);
    json_object_set_new(object, "offset", json_string(offset));
    json_object_set_new(object, "sure", json_boolean(frame->function != NULL));
    return object;
}

static json_t *stacks_json(const struct result_capture *capture)
{
    json_t *array = json_array();
    for (size_t i = 0; i < capture->stacks; i++) {
        const struct result_stack *stack = &capture->stack[i];
        json_t *frames = json_array();
        for (size_t f = 0; f < stack->frames; f++)
            json_array_append_new(frames, frame_json(&stack->frame[f]));
        json_t *object = placed_json(&document_stack_fields, stack, stack->file);
        json_object_set_new(object, "source", json_string(stack->file ? "ledger" : "heap"));
        json_object_set_new(object, "frames", frames);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *capture_json(const struct result_capture *capture)
{
    json_t *object = json_from_fields(&document_capture_fields, capture);
    json_object_set_new(object, "sites",
                        array_of(&document_capture_site_fields, capture->site,
                                 sizeof *capture->site, capture->sites));
    return object;
}

/* ---- what its behaviours lose ---- */

static json_t *behaviours_json(const struct result_attribution *w)
{
    json_t *array = json_array();
    bool solved = w && w->outcome != BEHAVIOURS_NONE && w->outcome != BEHAVIOURS_UNTOLD;
    for (size_t i = 0; w && i < w->behaviours; i++) {
        json_t *object = json_from_fields(&document_behaviour_fields, &w->behaviour[i]);
        json_set_fields(object, &document_loss_fields, &w->behaviour[i]);
        for (size_t f = 0; !solved && f < document_loss_fields.count; f++)
            json_object_set_new(object, document_loss_fields.field[f].key, json_null());
        json_object_set_new(object, "exact", json_boolean(w->exact));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *confirmed_json(const struct result_attribution *w)
{
    if (!w->tried)
        return json_null();
    return json_pack("{s:b,s:b,s:o,s:o}", "agrees", (int)w->confirmed, "too_rare", (int)w->too_rare,
                     "alone", json_from_fields(&document_confirm_fields, &w->alone), "without",
                     json_from_fields(&document_confirm_fields, &w->without));
}

/* null when nothing grows or nothing is known. */
static json_t *attribution_json(const struct result_attribution *w)
{
    if (!w || w->outcome == BEHAVIOURS_NONE)
        return json_null();
    bool separable = w->outcome == BEHAVIOURS_APART || w->outcome == BEHAVIOURS_ALIKE;
    json_t *object = json_from_fields(&document_attribution_fields, w);
    json_object_set_new(object, "separable", json_boolean(separable));
    json_object_set_new(object, "confirmed", confirmed_json(w));
    return object;
}

/* ---- its meter check ---- */

static json_t *controls_json(const struct canary *check)
{
    json_t *array = json_array();
    for (size_t i = 0; i < CANARY_CONTROLS; i++) {
        json_t *quiet = check->seen[i] ? json_boolean(check->quiet[i]) : json_null();
        json_array_append_new(array, json_pack("{s:s,s:o}", "name",
                                               canary_control_name((enum canary_control)i), "quiet",
                                               quiet));
    }
    return array;
}

/* null where a run didn't come to it. */
static json_t *canary_json(const struct canary *check)
{
    if (check->state == CANARY_NONE)
        return json_null();
    json_t *ok =
        check->state == CANARY_NOT_REACHED ? json_null() : json_boolean(check->state == CANARY_OK);
    json_t *planted = json_from_fields(&document_planted_fields, check);
    json_object_set_new(planted, "epoch",
                        check->reached ? json_from_count(check->epoch) : json_null());
    return json_pack("{s:o,s:o,s:o,s:o}", "ok", ok, "planted", planted, "controls",
                     controls_json(check), "sentence", json_from_text(check->sentence));
}

static json_t *subject_json(const struct result_subject *subject)
{
    const struct judgement *j = &subject->judgement;
    size_t dropped = j->findings_total > j->findings ? j->findings_total - j->findings : 0;
    json_t *object = json_from_fields(&document_subject_fields, subject);
    json_object_set_new(object, "reasons", reasons_json(j));
    json_object_set_new(object, "metrics", metrics_json(j));
    json_object_set_new(object, "series", series_json(subject));
    json_object_set_new(
        object, "epochs",
        array_of(&document_epoch_fields, subject->epoch, sizeof *subject->epoch, subject->epochs));
    json_object_set_new(object, "size_classes",
                        array_of(&document_size_class_fields, subject->size_class,
                                 sizeof *subject->size_class, subject->size_classes));
    json_object_set_new(object, "sites", sites_json(subject));
    json_object_set_new(object, "sites_dropped", json_from_count(dropped));
    json_object_set_new(object, "census", census_json(subject));
    json_object_set_new(object, "sensitivity", sensitivity_json(&j->sensitivity));
    json_object_set_new(object, "cost", json_from_fields(&document_cost_fields, subject));
    json_object_set_new(object, "after_drain", rest_json(&subject->rest));
    json_object_set_new(object, "processes",
                        array_of(&document_process_fields, subject->process,
                                 sizeof *subject->process, subject->processes));
    json_object_set_new(object, "stacks", stacks_json(&subject->capture));
    json_object_set_new(object, "capture", capture_json(&subject->capture));
    json_object_set_new(object, "behaviours", behaviours_json(subject->attribution));
    json_object_set_new(object, "when", attribution_json(subject->attribution));
    json_object_set_new(object, "selfcheck", canary_json(&subject->canary));
    return object;
}

/* ---- the run ---- */

json_t *document_mapped(const struct result_mapped *mapped, size_t count)
{
    return array_of(&document_mapped_fields, mapped, sizeof *mapped, count);
}

static json_t *subjects_json(const struct result *r)
{
    json_t *array = json_array();
    for (size_t i = 0; i < r->subjects; i++)
        json_array_append_new(array, subject_json(&r->subject[i]));
    return array;
}

static json_t *libs_json(const struct result *r)
{
    json_t *object = json_object();
    for (size_t i = 0; i < r->libs; i++)
        json_object_set_new(object, r->lib[i].name, json_from_text(r->lib[i].version));
    return object;
}

static json_t *next_json(const struct result *r)
{
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof r->next / sizeof *r->next && r->next[i]; i++)
        json_array_append_new(array, json_from_text(r->next[i]));
    return array;
}

/* What each of these takes or shows. */
static json_t *next_notes_json(const struct result *r)
{
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof r->next / sizeof *r->next && r->next[i]; i++)
        json_array_append_new(array, json_from_text(r->next_note[i]));
    return array;
}

static json_t *crash_json(const struct result_crash *c)
{
    char line[256];
    if (!c->subject)
        return json_null();
    json_t *stack = json_array();
    for (size_t i = 0; i < c->frames; i++)
        json_array_append_new(stack, json_from_text(symbol_text(&c->frame[i], line, sizeof line)));
    json_t *object = json_from_fields(&document_crash_fields, c);
    json_object_set_new(object, "stack", stack);
    return object;
}

static json_t *run_json(const struct result_run *run)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIx64, run->seed);
    json_t *object = json_from_fields(&document_run_fields, run);
    if (run->asked_per_s <= 0)
        json_object_set_new(object, "asked_per_s", json_null());
    json_object_set_new(object, "errors", json_from_fields(&document_errors_fields, &run->errors));
    json_object_set_new(object, "handshake_ns", document_times_json(run));
    json_object_set_new(object, "seed", json_string(seed));
    return object;
}

static json_t *failure_json(const struct result_failure *f)
{
    return f->text ? json_from_fields(&document_failure_fields, f) : json_null();
}

/* The sensitivity and cost of the run are those of its first subject, the one under test. */
static json_t *result_json(const struct result *r)
{
    static const struct result_subject none;
    char headline[REPORT_HEADLINE];
    const struct result_subject *first = r->subjects ? &r->subject[0] : &none;
    json_t *object = json_pack("{s:s}", "schema", DOCUMENT_SCHEMA);
    json_set_fields(object, &document_fields, r);
    if (!r->headline)
        json_object_set_new(object, "headline",
                            json_from_text(report_headline(r, headline, sizeof headline)));
    json_object_set_new(object, "libs", libs_json(r));
    json_object_set_new(object, "run", run_json(&r->run));
    json_object_set_new(object, "subjects", subjects_json(r));
    json_object_set_new(object, "sensitivity", sensitivity_json(&first->judgement.sensitivity));
    json_object_set_new(object, "cost", json_from_fields(&document_cost_fields, first));
    json_object_set_new(object, "next", next_json(r));
    json_object_set_new(object, "next_notes", next_notes_json(r));
    json_object_set_new(object, "footprint", footprint_json(r->footprint));
    json_object_set_new(object, "crash", crash_json(&r->crash));
    json_object_set_new(object, "first_failure", failure_json(&r->first_failure));
    json_object_set_new(
        object, "skipped",
        array_of(&document_skipped_fields, r->skipped, sizeof *r->skipped, r->skipped_count));
    json_object_set_new(object, "agents",
                        array_of(&document_agent_fields, r->agent, sizeof *r->agent, r->agents));
    json_object_set_new(object, "loop",
                        array_of(&document_loop_fields, r->loop, sizeof *r->loop, r->loops));
    json_object_set_new(object, "mapped", document_mapped(r->mapped, r->mapped_count));
    return object;
}

char *document_write(const struct result *r)
{
    return json_document(result_json(r));
}

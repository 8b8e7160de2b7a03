/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "report/document.h"
#include "report/footprint.h"
#include "report/report_stacks.h"
#include "report_json_internal.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson takes ownership of what is set, and passes NULL (out of memory) up as a failure; the
 * document is built as one expression per object, so that one check at the end is enough. */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* Text from a subject may be any bytes; what isn't UTF-8 is replaced by its bytes in hexadecimal.
 */
static json_t *text(const char *value)
{
    char hex[512];
    size_t used = 0;
    if (!value)
        return json_null();
    json_t *string = json_string(value);
    if (string)
        return string;
    for (; *value && used + 5 < sizeof hex; value++) {
        bool plain = (unsigned char)*value < 0x80;
        used += (size_t)snprintf(hex + used, sizeof hex - used, plain ? "%c" : "\\x%02x",
                                 (unsigned char)*value);
    }
    hex[used] = '\0';
    return json_string(hex);
}

static json_t *metric_json(const struct judge_metric *m)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:s,s:o,s:o}", "id", text(m->id), "unit",
                     text(m->unit), "start", number(m->start), "end", number(m->end), "per_conn",
                     number(m->per_conn), "half_width", number(m->half_width), "limit",
                     number(m->limit), "decides", number(m->decides), "state",
                     metric_state_name(m->state), "verdict", metric_state_verdict(m->state), "note",
                     text(m->note), "role", text(m->role));
}

static json_t *site_json(const struct result_site *site)
{
    json_t *line = site->file ? count(site->line) : json_null();
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:s,s:o,s:o}", "file", text(site->file), "line",
                     line, "blocks", json_integer(site->blocks), "bytes", json_integer(site->bytes),
                     "per_conn_blocks", number(site->per_conn_blocks), "per_conn_bytes",
                     number(site->per_conn_bytes), "kind", kind_name(site->kind), "verdict",
                     verdict_name(site->verdict), "note", text(site->why), "when",
                     text(site->attribution));
}

static json_t *census_json(const struct result_subject *subject)
{
    json_t *object = json_object();
    for (size_t i = 0; i < subject->census_count; i++) {
        const struct result_census *c = &subject->census[i];
        json_object_set_new(
            object, c->class_,
            json_pack("{s:I,s:I}", "start", (json_int_t)c->start, "end", (json_int_t)c->end));
    }
    return object;
}

static json_t *metrics_json(const struct judgement *j)
{
    json_t *array = json_array();
    for (size_t i = 0; i < j->metrics; i++)
        json_array_append_new(array, metric_json(&j->metric[i]));
    return array;
}

static json_t *sites_json(const struct result_subject *subject)
{
    json_t *array = json_array();
    for (size_t i = 0; i < subject->sites; i++)
        json_array_append_new(array, site_json(&subject->site[i]));
    return array;
}

static json_t *reasons_json(const struct judgement *j)
{
    json_t *array = json_array();
    for (size_t i = 0; i < j->reasons; i++)
        json_array_append_new(array, text(j->reason[i]));
    return array;
}

static json_t *sensitivity_json(const struct judge_sensitivity *sensitivity)
{
    return json_pack("{s:o,s:f,s:o,s:i,s:o,s:o}", "one_in", number(sensitivity->one_in),
                     "confidence", JUDGE_CONFIDENCE_PERMILLE / 1000.0, "closed",
                     count(sensitivity->closed), "epochs", sensitivity->epochs,
                     "heap_bytes_per_conn", number(sensitivity->heap_bytes), "page_bytes_per_conn",
                     number(sensitivity->page_bytes));
}

static json_t *cost_json(const struct result_subject *subject)
{
    return json_pack("{s:o,s:o}", "allocs_per_conn", number(subject->allocs_per_conn),
                     "cpu_us_per_conn", number(subject->cpu_us_per_conn));
}

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
    json_t *epoch = check->reached ? count(check->epoch) : json_null();
    json_t *planted = json_pack("{s:o,s:o,s:b}", "epoch", epoch, "bytes",
                                json_integer(check->bytes), "found", (int)check->found);
    return json_pack("{s:o,s:o,s:o,s:o}", "ok", ok, "planted", planted, "controls",
                     controls_json(check), "sentence", text(check->sentence));
}

static json_t *rest_json(const struct result_rest *rest)
{
    if (!rest->known)
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o}", "anon_bytes", count(rest->anon_bytes), "ledger_bytes",
                     json_integer((json_int_t)rest->ledger_bytes), "heap_allocated_bytes",
                     rest->heap ? count(rest->heap_allocated_bytes) : json_null(),
                     "heap_active_bytes",
                     rest->heap ? count(rest->heap_active_bytes) : json_null());
}

static json_t *subject_json(const struct result_subject *subject)
{
    const struct judgement *j = &subject->judgement;
    size_t dropped = j->findings_total > j->findings ? j->findings_total - j->findings : 0;
    json_t *object = json_pack(
        "{s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name", text(subject->name),
        "verdict", verdict_name(j->verdict), "kind", kind_name(j->kind), "class",
        text(subject->class_name), "per_conn_blocks", number(j->per_conn_blocks), "per_conn_bytes",
        number(j->per_conn_bytes), "reasons", reasons_json(j), "metrics", metrics_json(j), "sites",
        sites_json(subject), "sites_dropped", count(dropped), "census", census_json(subject),
        "sensitivity", sensitivity_json(&j->sensitivity), "cost", cost_json(subject),
        "drained_released_bytes", count(subject->drained_released_bytes));
    json_object_set_new(object, "why", subject->why[0] ? text(subject->why) : json_null());
    json_object_set_new(object, "after_drain", rest_json(&subject->rest));
    json_object_set_new(object, "stacks", report_stacks_json(subject));
    json_object_set_new(object, "capture", report_capture_json(subject));
    json_object_set_new(object, "behaviours", attribution_behaviours_json(subject->attribution));
    json_object_set_new(object, "when", attribution_json(subject->attribution));
    json_object_set_new(object, "selfcheck", canary_json(&subject->canary));
    return object;
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
        json_object_set_new(object, r->lib[i].name, text(r->lib[i].version));
    return object;
}

static json_t *mapped_json(const struct result *r)
{
    json_t *array = json_array();
    for (size_t i = 0; i < r->mapped_count; i++) {
        const struct result_mapped *m = &r->mapped[i];
        json_array_append_new(array, json_pack("{s:o,s:o,s:o,s:o}", "part", text(m->part), "file",
                                               text(m->file), "version", text(m->version), "origin",
                                               text(m->origin)));
    }
    return array;
}

static json_t *next_json(const struct result *r)
{
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof r->next / sizeof *r->next && r->next[i]; i++)
        json_array_append_new(array, text(r->next[i]));
    return array;
}

static json_t *errors_json(const struct result_errors *e)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "total", count(e->total), "connect",
                     count(e->connect), "handshake", count(e->handshake), "echo", count(e->echo),
                     "timeout", count(e->timeout), "lost", count(e->lost));
}

static json_t *failure_json(const struct result_failure *f)
{
    if (!f->text)
        return json_null();
    return json_pack("{s:o,s:o,s:o}", "kind", text(f->kind), "behaviour", text(f->behaviour),
                     "text", text(f->text));
}

static json_t *crash_json(const struct result_crash *c)
{
    char line[256];
    if (!c->subject)
        return json_null();
    json_t *stack = json_array();
    for (size_t i = 0; i < c->frames; i++)
        json_array_append_new(stack, text(symbol_text(&c->frame[i], line, sizeof line)));
    return json_pack("{s:s,s:i,s:o}", "subject", c->subject, "signal", c->signal, "stack", stack);
}

static json_t *run_json(const struct result *r)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llx", (unsigned long long)r->run.seed);
    json_t *asked = r->run.asked_per_s > 0 ? number(r->run.asked_per_s) : json_null();
    json_t *handshake =
        json_pack("{s:o,s:o,s:o,s:o}", "p50", count(r->run.p50_ns), "p90", count(r->run.p90_ns),
                  "p99", count(r->run.p99_ns), "max", count(r->run.max_ns));
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:i}", "unit",
                     r->run.unit ? r->run.unit : "connection", "conns", count(r->run.conns),
                     "closed", count(r->run.closed), "measured", count(r->run.measured), "seconds",
                     number(r->run.seconds), "rate_per_s", number(r->run.rate_per_s), "asked_per_s",
                     asked, "shortfall", number(r->run.shortfall), "errors",
                     errors_json(&r->run.errors), "foreign", count(r->run.foreign), "handshake_ns",
                     handshake, "seed", seed, "tls", text(r->run.tls), "key", text(r->run.key),
                     "epochs", r->run.epochs);
}

static json_t *skipped_json(const struct result *r)
{
    json_t *array = json_array();
    for (size_t i = 0; i < r->skipped_count; i++)
        json_array_append_new(array, json_pack("{s:o,s:o}", "name", text(r->skipped[i].name), "why",
                                               text(r->skipped[i].why)));
    return array;
}

/* The sensitivity and cost of the run are those of its first subject, the one under test. */
static json_t *document(const struct result *r)
{
    static const struct result_subject none;
    char headline[REPORT_HEADLINE];
    const struct result_subject *first = r->subjects ? &r->subject[0] : &none;
    json_t *object = json_pack(
        "{s:s,s:o,s:s,s:i,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "schema", "soak/1", "version",
        text(r->version), "verdict", verdict_name(r->verdict), "exit", r->exit_code, "interrupted",
        (int)r->interrupted, "broken", text(r->broken), "scenario", text(r->scenario), "libs",
        libs_json(r), "run", run_json(r), "subjects", subjects_json(r), "sensitivity",
        sensitivity_json(&first->judgement.sensitivity), "cost", cost_json(first), "run_dir",
        text(r->run_dir), "next", next_json(r));
    json_object_set_new(object, "headline", text(report_headline(r, headline, sizeof headline)));
    json_object_set_new(object, "time", text(r->time));
    json_object_set_new(object, "host", text(r->host));
    json_object_set_new(object, "kernel", text(r->kernel));
    json_object_set_new(object, "footprint", footprint_json(r->footprint));
    json_object_set_new(object, "missing", text(r->missing));
    json_object_set_new(object, "crash", crash_json(&r->crash));
    json_object_set_new(object, "first_failure", failure_json(&r->first_failure));
    json_object_set_new(object, "skipped", skipped_json(r));
    json_object_set_new(object, "mapped", mapped_json(r));
    return object;
}

char *report_json(const struct result *r)
{
    return document_text(document(r));
}

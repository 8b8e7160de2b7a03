/* SPDX-License-Identifier: Apache-2.0 */
#include "document_internal.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static const char *const verdicts[] = {VERDICT_LIST(ENUM_NAME)};
static const char *const units[] = {UNIT_LIST(ENUM_NAME)};
static const char *const kinds[] = {KIND_LIST(ENUM_NAME)};
static const char *const states[] = {METRIC_STATE_LIST(ENUM_NAME)};
static const char *const outcomes[] = {BEHAVIOURS_OUTCOME_LIST(ENUM_NAME)};
static const char *const behaviour_verdicts[] = {BEHAVIOUR_VERDICT_LIST(ENUM_NAME)};

/* ---- the run ---- */

static const struct json_field result_field[] = {
    JSON_FIELD(result, "version", TEXT, version),
    JSON_WORD_FIELD(result, "verdict", verdict, verdicts),
    JSON_FIELD(result, "exit", INT, exit_code),
    JSON_FIELD(result, "interrupted", BOOL, interrupted),
    JSON_FIELD(result, "not_kept", BOOL, not_kept),
    JSON_FIELD(result, "not_written", TEXT, not_written),
    JSON_FIELD(result, "broken", TEXT, broken),
    JSON_FIELD(result, "scenario", TEXT, scenario),
    JSON_FIELD(result, "run_dir", TEXT, run_dir),
    JSON_FIELD(result, "headline", TEXT, headline),
    JSON_FIELD(result, "time", TEXT, time),
    JSON_FIELD(result, "host", TEXT, host),
    JSON_FIELD(result, "kernel", TEXT, kernel),
    JSON_FIELD(result, "missing", TEXT, missing),
    JSON_FIELD(result, "ended", TEXT, ended),
    JSON_FIELD(result, "again", TEXT, again),
    JSON_FIELD(result, "alone", TEXT, alone),
};
const struct json_fields document_fields = JSON_FIELDS(result_field);

static const struct json_field run_field[] = {
    JSON_WORD_FIELD(result_run, "unit", unit, units),
    JSON_FIELD(result_run, "conns", COUNT, conns),
    JSON_FIELD(result_run, "closed", COUNT, closed),
    JSON_FIELD(result_run, "measured", COUNT, measured),
    JSON_FIELD(result_run, "seconds", NUMBER, seconds),
    JSON_FIELD(result_run, "rate_per_s", NUMBER, rate_per_s),
    JSON_FIELD(result_run, "asked_per_s", NUMBER, asked_per_s),
    JSON_FIELD(result_run, "shortfall", NUMBER, shortfall),
    JSON_FIELD(result_run, "foreign", COUNT, foreign),
    JSON_FIELD(result_run, "foreign_served", BOOL, foreign_served),
    JSON_FIELD(result_run, "asked_one_in", COUNT, want_one_in),
    JSON_FIELD(result_run, "tls", TEXT, tls),
    JSON_FIELD(result_run, "key", TEXT, key),
    JSON_FIELD(result_run, "epochs", INT, epochs),
};
const struct json_fields document_run_fields = JSON_FIELDS(run_field);

static const struct json_field errors_field[] = {
    JSON_FIELD(result_errors, "total", COUNT, total),
    JSON_FIELD(result_errors, "connect", COUNT, connect),
    JSON_FIELD(result_errors, "handshake", COUNT, handshake),
    JSON_FIELD(result_errors, "echo", COUNT, echo),
    JSON_FIELD(result_errors, "timeout", COUNT, timeout),
    JSON_FIELD(result_errors, "lost", COUNT, lost),
};
const struct json_fields document_errors_fields = JSON_FIELDS(errors_field);

static const struct json_field failure_field[] = {
    JSON_FIELD(result_failure, "kind", NAME, kind),
    JSON_FIELD(result_failure, "behaviour", NAME, behaviour),
    JSON_FIELD(result_failure, "text", NAME, text),
};
const struct json_fields document_failure_fields = JSON_FIELDS(failure_field);

static const struct json_field crash_field[] = {
    JSON_FIELD(result_crash, "subject", TEXT, subject),
    JSON_FIELD(result_crash, "signal", INT, signal),
};
const struct json_fields document_crash_fields = JSON_FIELDS(crash_field);

static const struct json_field mapped_field[] = {
    JSON_FIELD(result_mapped, "part", NAME, part),
    JSON_FIELD(result_mapped, "file", TEXT, file),
    JSON_FIELD(result_mapped, "version", TEXT, version),
    JSON_FIELD(result_mapped, "origin", TEXT, origin),
};
const struct json_fields document_mapped_fields = JSON_FIELDS(mapped_field);

static const struct json_field skipped_field[] = {
    JSON_FIELD(result_skipped, "name", NAME, name),
    JSON_FIELD(result_skipped, "why", NAME, why),
};
const struct json_fields document_skipped_fields = JSON_FIELDS(skipped_field);

static const struct json_field loop_field[] = {
    JSON_FIELD(result_loop, "asked", COUNT, asked),
    JSON_FIELD(result_loop, "connections", COUNT, connections),
    JSON_FIELD(result_loop, "status", COUNT, status),
    JSON_FIELD(result_loop, "seconds", NUMBER, seconds),
    JSON_FIELD(result_loop, "blocks", INTEGER, blocks),
    JSON_FIELD(result_loop, "bytes", INTEGER, bytes),
};
const struct json_fields document_loop_fields = JSON_FIELDS(loop_field);

static const struct json_field agent_field[] = {
    JSON_FIELD(result_agent, "name", NAME, name),
    JSON_FIELD(result_agent, "address", TEXT, address),
    JSON_FIELD(result_agent, "connections", COUNT, connections),
    JSON_FIELD(result_agent, "failed", COUNT, failed),
    JSON_FIELD(result_agent, "handshake_p50_ns", COUNT, p50_ns),
    JSON_FIELD(result_agent, "rtt_ns", COUNT, rtt_ns),
    JSON_FIELD(result_agent, "lost", TEXT, lost),
};
const struct json_fields document_agent_fields = JSON_FIELDS(agent_field);

/* ---- a subject ---- */

static const struct json_field subject_field[] = {
    JSON_FIELD(result_subject, "name", NAME, name),
    JSON_WORD_FIELD(result_subject, "verdict", judgement.verdict, verdicts),
    JSON_WORD_FIELD(result_subject, "kind", judgement.kind, kinds),
    JSON_FIELD(result_subject, "class", TEXT, class_name),
    JSON_FIELD(result_subject, "per_conn_blocks", NUMBER, judgement.per_conn_blocks),
    JSON_FIELD(result_subject, "per_conn_bytes", NUMBER, judgement.per_conn_bytes),
    JSON_FIELD(result_subject, "held", BOOL, judgement.held),
    JSON_FIELD(result_subject, "proportional", BOOL, judgement.proportional),
    JSON_FIELD(result_subject, "drained_released_bytes", COUNT, drained_released_bytes),
    JSON_FIELD(result_subject, "processes_total", COUNT, processes_total),
    JSON_FIELD(result_subject, "processes_judged", COUNT, processes_judged),
    JSON_FIELD(result_subject, "processes_chosen", TEXT, chosen),
    JSON_FIELD(result_subject, "counts_all", BOOL, counts_all),
    JSON_FIELD(result_subject, "ended", BOOL, ended),
    JSON_FIELD(result_subject, "why", CHARS, why),
};
const struct json_fields document_subject_fields = JSON_FIELDS(subject_field);

static const struct json_field process_field[] = {
    JSON_FIELD(result_process, "pid", COUNT, pid),
    JSON_FIELD(result_process, "name", TEXT, name),
    JSON_FIELD(result_process, "mode", TEXT, mode),
    JSON_FIELD(result_process, "flags", TEXT, flags),
    JSON_FIELD(result_process, "libcrypto", TEXT, libcrypto),
    JSON_WORD_FIELD(result_process, "verdict", verdict, verdicts),
    JSON_FIELD(result_process, "left_out", BOOL, left_out),
    JSON_FIELD(result_process, "heap", BOOL, heap),
    JSON_FIELD(result_process, "ssl_objects", INTEGER, ssl_objects),
    JSON_FIELD(result_process, "blocks_start", INTEGER, blocks_start),
    JSON_FIELD(result_process, "blocks_end", INTEGER, blocks_end),
    JSON_FIELD(result_process, "bytes_start", INTEGER, bytes_start),
    JSON_FIELD(result_process, "bytes_end", INTEGER, bytes_end),
    JSON_FIELD(result_process, "rss_start", COUNT, rss_start),
    JSON_FIELD(result_process, "rss_end", COUNT, rss_end),
    JSON_FIELD(result_process, "survivors", INTEGER, survivors),
};
const struct json_fields document_process_fields = JSON_FIELDS(process_field);

static const struct json_field metric_field[] = {
    JSON_FIELD(judge_metric, "id", CHARS, id),
    JSON_FIELD(judge_metric, "unit", CHARS, unit),
    JSON_FIELD(judge_metric, "start", NUMBER, start),
    JSON_FIELD(judge_metric, "end", NUMBER, end),
    JSON_FIELD(judge_metric, "per_conn", NUMBER, per_conn),
    JSON_FIELD(judge_metric, "half_width", NUMBER, half_width),
    JSON_FIELD(judge_metric, "limit", NUMBER, limit),
    JSON_FIELD(judge_metric, "decides", NUMBER, decides),
    JSON_WORD_FIELD(judge_metric, "state", state, states),
    JSON_FIELD(judge_metric, "note", TEXT, note),
    JSON_FIELD(judge_metric, "role", TEXT, role),
};
const struct json_fields document_metric_fields = JSON_FIELDS(metric_field);

static const struct json_field site_field[] = {
    JSON_FIELD(result_site, "file", TEXT, file),
    JSON_FIELD(result_site, "line", LINE, line),
    JSON_FIELD(result_site, "blocks", INTEGER, blocks),
    JSON_FIELD(result_site, "bytes", INTEGER, bytes),
    JSON_FIELD(result_site, "per_conn_blocks", NUMBER, per_conn_blocks),
    JSON_FIELD(result_site, "per_conn_bytes", NUMBER, per_conn_bytes),
    JSON_WORD_FIELD(result_site, "kind", kind, kinds),
    JSON_WORD_FIELD(result_site, "verdict", verdict, verdicts),
    JSON_FIELD(result_site, "note", TEXT, why),
    JSON_FIELD(result_site, "when", TEXT, attribution),
};
const struct json_fields document_site_fields = JSON_FIELDS(site_field);

static const struct json_field census_field[] = {
    JSON_FIELD(result_census, "start", INTEGER, start),
    JSON_FIELD(result_census, "end", INTEGER, end),
};
const struct json_fields document_census_fields = JSON_FIELDS(census_field);

static const struct json_field epoch_field[] = {
    JSON_FIELD(judge_epoch, "opened", COUNT, opened),
    JSON_FIELD(judge_epoch, "closed", COUNT, closed),
    JSON_FIELD(judge_epoch, "seconds", NUMBER, seconds),
    JSON_FIELD(judge_epoch, "measured", BOOL, measured),
    JSON_FIELD(judge_epoch, "hold", BOOL, hold),
    JSON_FIELD(judge_epoch, "all_closed", BOOL, all_closed),
};
const struct json_fields document_epoch_fields = JSON_FIELDS(epoch_field);

static const struct json_field size_class_field[] = {
    JSON_FIELD(result_size_class, "size", COUNT, size),
    JSON_FIELD(result_size_class, "start", INTEGER, start),
    JSON_FIELD(result_size_class, "end", INTEGER, end),
};
const struct json_fields document_size_class_fields = JSON_FIELDS(size_class_field);

static const struct json_field sensitivity_field[] = {
    JSON_FIELD(judge_sensitivity, "one_in", NUMBER, one_in),
    JSON_FIELD(judge_sensitivity, "malloc_one_in", NUMBER, malloc_one_in),
    JSON_FIELD(judge_sensitivity, "closed", COUNT, closed),
    JSON_FIELD(judge_sensitivity, "epochs", INT, epochs),
    JSON_FIELD(judge_sensitivity, "heap_bytes_per_conn", NUMBER, heap_bytes),
    JSON_FIELD(judge_sensitivity, "page_bytes_per_conn", NUMBER, page_bytes),
};
const struct json_fields document_sensitivity_fields = JSON_FIELDS(sensitivity_field);

static const struct json_field cost_field[] = {
    JSON_FIELD(result_subject, "allocs_per_conn", NUMBER, allocs_per_conn),
    JSON_FIELD(result_subject, "cpu_us_per_conn", NUMBER, cpu_us_per_conn),
};
const struct json_fields document_cost_fields = JSON_FIELDS(cost_field);

static const struct json_field rest_field[] = {
    JSON_FIELD(result_rest, "anon_bytes", COUNT, anon_bytes),
    JSON_FIELD(result_rest, "ledger_bytes", INTEGER, ledger_bytes),
};
const struct json_fields document_rest_fields = JSON_FIELDS(rest_field);

static const struct json_field heap_field[] = {
    JSON_FIELD(result_rest, "heap_allocated_bytes", COUNT, heap_allocated_bytes),
    JSON_FIELD(result_rest, "heap_active_bytes", COUNT, heap_active_bytes),
};
const struct json_fields document_heap_fields = JSON_FIELDS(heap_field);

static const struct json_field series_field[] = {
    JSON_FIELD(result_series, "id", TEXT, id),
    JSON_FIELD(result_series, "unit", TEXT, unit),
};
const struct json_fields document_series_fields = JSON_FIELDS(series_field);

/* ---- call stacks ---- */

static const struct json_field stack_field[] = {
    JSON_FIELD(result_stack, "file", TEXT, file),
    JSON_FIELD(result_stack, "line", LINE, line),
    JSON_FIELD(result_stack, "blocks", INTEGER, blocks),
    JSON_FIELD(result_stack, "bytes", INTEGER, bytes),
    JSON_FIELD(result_stack, "epoch", COUNT, epoch),
};
const struct json_fields document_stack_fields = JSON_FIELDS(stack_field);

static const struct json_field frame_field[] = {
    JSON_FIELD(symbol, "function", TEXT, function), JSON_FIELD(symbol, "module", TEXT, module),
    JSON_FIELD(symbol, "file", TEXT, file),         JSON_FIELD(symbol, "line", LINE, line),
    JSON_FIELD(symbol, "package", TEXT, package),
};
const struct json_fields document_frame_fields = JSON_FIELDS(frame_field);

static const struct json_field capture_field[] = {
    JSON_FIELD(result_capture, "taken", COUNT, taken),
    JSON_FIELD(result_capture, "lost", COUNT, lost),
    JSON_FIELD(result_capture, "stacks_dropped", COUNT, stacks_dropped),
    JSON_FIELD(result_capture, "heap_connections", COUNT, heap_connections),
    JSON_FIELD(result_capture, "cpu_us_per_conn", NUMBER, cpu_us_per_conn),
};
const struct json_fields document_capture_fields = JSON_FIELDS(capture_field);

static const struct json_field capture_site_field[] = {
    JSON_FIELD(result_capture_site, "file", TEXT, file),
    JSON_FIELD(result_capture_site, "line", LINE, line),
    JSON_FIELD(result_capture_site, "epochs", INT, epochs),
    JSON_FIELD(result_capture_site, "blocks", INTEGER, blocks),
    JSON_FIELD(result_capture_site, "bytes", INTEGER, bytes),
};
const struct json_fields document_capture_site_fields = JSON_FIELDS(capture_site_field);

/* ---- behaviours and the meter check ---- */

static const struct json_field behaviour_field[] = {
    JSON_FIELD(result_behaviour, "name", NAME, name),
    JSON_FIELD(result_behaviour, "connections", COUNT, share.connections),
    JSON_FIELD(result_behaviour, "one_in", NUMBER, one_in),
};
const struct json_fields document_behaviour_fields = JSON_FIELDS(behaviour_field);

/* null where nothing was solved. */
static const struct json_field loss_field[] = {
    JSON_FIELD(result_behaviour, "blocks", NUMBER, share.blocks),
    JSON_FIELD(result_behaviour, "bytes", NUMBER, share.bytes),
    JSON_FIELD(result_behaviour, "blocks_error", NUMBER, share.blocks_error),
    JSON_FIELD(result_behaviour, "bytes_error", NUMBER, share.bytes_error),
    JSON_WORD_FIELD(result_behaviour, "verdict", share.verdict, behaviour_verdicts),
};
const struct json_fields document_loss_fields = JSON_FIELDS(loss_field);

static const struct json_field attribution_field[] = {
    JSON_WORD_FIELD(result_attribution, "outcome", outcome, outcomes),
    JSON_FIELD(result_attribution, "exact", BOOL, exact),
    JSON_FIELD(result_attribution, "sparse", BOOL, sparse),
    JSON_FIELD(result_attribution, "by_end", BOOL, by_end),
    JSON_FIELD(result_attribution, "freedom", INT, freedom),
    JSON_FIELD(result_attribution, "residual_blocks", NUMBER, residual_blocks),
    JSON_FIELD(result_attribution, "residual_bytes", NUMBER, residual_bytes),
    JSON_FIELD(result_attribution, "chance", NUMBER, chance),
};
const struct json_fields document_attribution_fields = JSON_FIELDS(attribution_field);

static const struct json_field confirm_field[] = {
    JSON_FIELD(behaviours_confirm, "connections", COUNT, connections),
    JSON_FIELD(behaviours_confirm, "guilty", COUNT, guilty),
    JSON_FIELD(behaviours_confirm, "blocks", INTEGER, blocks),
    JSON_FIELD(behaviours_confirm, "bytes", INTEGER, bytes),
    JSON_FIELD(behaviours_confirm, "predicted_blocks", NUMBER, predicted.blocks),
    JSON_FIELD(behaviours_confirm, "predicted_bytes", NUMBER, predicted.bytes),
    JSON_FIELD(behaviours_confirm, "agrees", BOOL, agrees),
};
const struct json_fields document_confirm_fields = JSON_FIELDS(confirm_field);

static const struct json_field planted_field[] = {
    JSON_FIELD(canary, "bytes", INTEGER, bytes),
    JSON_FIELD(canary, "found", BOOL, found),
};
const struct json_fields document_planted_fields = JSON_FIELDS(planted_field);

/* ---- reading them ---- */

void *document_own(struct document *d, size_t count, size_t size)
{
    void **more = realloc(d->owned, (d->owned_count + 1) * sizeof *more);
    void *made = calloc(count ? count : 1, size);
    CHECK(more && made);
    d->owned = more;
    d->owned[d->owned_count++] = made;
    return made;
}

int document_read_into(const json_t *object, const struct document_list *l, void *to,
                       size_t *ret_count, struct err *e)
{
    const json_t *array;
    if (json_read_list(object, l->key, l->limit, &array, e) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(array); i++)
        if (json_read_fields(json_array_get(array, i), l->fields, (char *)to + i * l->size, e) != 0)
            return err_prefix(e, "%s %zu", l->word, i + 1);
    *ret_count = json_array_size(array);
    return 0;
}

const void *document_read_list(struct document *d, const json_t *object,
                               const struct document_list *l, size_t *ret_count, struct err *e)
{
    const json_t *array = json_object_get(object, l->key);
    void *made = document_own(d, json_array_size(array), l->size);
    return document_read_into(object, l, made, ret_count, e) == 0 ? made : NULL;
}

int document_check_verdict(const json_t *object, enum verdict read, struct err *e)
{
    const char *word = json_string_value(json_object_get(object, "verdict"));
    return word && strcmp(word, verdict_name(read)) == 0
               ? 0
               : err_set(e, "'verdict' is none of PASS, LEAK, INCONCLUSIVE and INVALID");
}

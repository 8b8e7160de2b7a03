/* SPDX-License-Identifier: Apache-2.0 */
#include "document_internal.h"

#include "base/check.h"
#include "base/input.h"
#include "report/footprint.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_subjects(struct document *d, struct err *e)
{
    const json_t *subjects;
    struct result_subject whole = {.name =
                                       NULL}; /* none of its subjects may ask for what it says */
    if (json_read_list(d->root, "subjects", RESULT_SUBJECTS, &subjects, e) != 0 ||
        document_read_costs(d->root, d->root, &whole, e) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(subjects); i++)
        if (document_read_subject(d, json_array_get(subjects, i), e) != 0)
            return -1;
    return 0;
}

/* ---- the run ---- */

static int read_run(struct document *d, struct err *e)
{
    const json_t *run = json_object_get(d->root, "run");
    struct result_run *to = &d->result.run;
    const char *seed = NULL;
    if (!json_is_object(run))
        return err_set(e, "'run' is missing");
    if (json_read_fields(run, &document_run_fields, to, e) != 0 ||
        json_read_part(run, "errors", &document_errors_fields, &to->errors, e) != 0 ||
        document_read_times(d, json_object_get(run, "handshake_ns"), to, e) != 0 ||
        json_read_text(run, "seed", &seed, e) != 0)
        return -1;
    to->seed = seed ? strtoull(seed, NULL, 16) : 0;
    if (isnan(to->asked_per_s))
        to->asked_per_s = 0;
    return 0;
}

static int read_libs(struct document *d, struct err *e)
{
    json_t *libs = json_object_get(d->root, "libs"), *version;
    const char *name;
    json_object_foreach(libs, name, version)
    {
        struct result_lib *lib = &d->result.lib[d->result.libs];
        if (d->result.libs == RESULT_LIBS)
            return err_set(e, "'libs' has more than %d", RESULT_LIBS);
        lib->name = name;
        if (!json_is_string(version) || json_read_text(libs, name, &lib->version, e) != 0)
            return err_set(e, "'libs' has no version of %.60s", name);
        d->result.libs++;
    }
    return 0;
}

static int read_next(struct document *d, struct err *e)
{
    const json_t *next, *notes;
    struct result *r = &d->result;
    if (json_read_list(d->root, "next", sizeof r->next / sizeof *r->next, &next, e) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(next); i++)
        r->next[i] = json_string_value(json_array_get(next, i));
    if (json_read_list(d->root, "next_notes", sizeof r->next / sizeof *r->next, &notes, e) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(notes); i++)
        r->next_note[i] = json_string_value(json_array_get(notes, i));
    return 0;
}

/* The functions come back as they were written, with their places. */
static int read_crash(struct document *d, struct err *e)
{
    const json_t *crash = json_object_get(d->root, "crash"), *stack;
    struct result_crash *to = &d->result.crash;
    if (json_read_fields(crash, &document_crash_fields, to, e) != 0 ||
        json_read_list(crash, "stack", DOCUMENT_FRAMES, &stack, e) != 0)
        return err_prefix(e, "crash");
    struct symbol *frame = document_own(d, json_array_size(stack), sizeof *frame);
    for (; to->frames < json_array_size(stack); to->frames++)
        frame[to->frames].function = json_string_value(json_array_get(stack, to->frames));
    to->frame = frame;
    return 0;
}

static int read_footprint(struct document *d, struct err *e)
{
    const json_t *value = json_object_get(d->root, "footprint");
    if (!value || json_is_null(value))
        return 0;
    struct footprint *made = document_own(d, 1, sizeof *made);
    d->result.footprint = made;
    return footprint_read(value, made, e);
}

/* Null where none has failed; one that has says all. */
static int read_failure(struct document *d, struct err *e)
{
    const json_t *failure = json_object_get(d->root, "first_failure");
    return !failure || json_is_null(failure)
               ? 0
               : json_read_part(d->root, "first_failure", &document_failure_fields,
                                &d->result.first_failure, e);
}

static int read_lists(struct document *d, struct err *e)
{
    static const struct document_list mapped = {"mapped", "mapped library", &document_mapped_fields,
                                                RESULT_LIBS, sizeof(struct result_mapped)};
    static const struct document_list skipped = {"skipped", "skipped behaviour",
                                                 &document_skipped_fields, RESULT_SKIPPED,
                                                 sizeof(struct result_skipped)};
    static const struct document_list loop = {"loop", "run of --loop", &document_loop_fields,
                                              RESULT_LOOPS, sizeof(struct result_loop)};
    static const struct document_list agents = {"agents", "agent", &document_agent_fields,
                                                RESULT_AGENTS, sizeof(struct result_agent)};
    struct result *r = &d->result;
    return document_read_into(d->root, &agents, r->agent, &r->agents, e) == 0 &&
                   document_read_into(d->root, &mapped, r->mapped, &r->mapped_count, e) == 0 &&
                   document_read_into(d->root, &loop, r->loop, &r->loops, e) == 0 &&
                   document_read_into(d->root, &skipped, r->skipped, &r->skipped_count, e) == 0
               ? read_failure(d, e)
               : -1;
}

static int read_head(struct document *d, struct err *e)
{
    struct result *r = &d->result;
    const char *schema = json_string_value(json_object_get(d->root, "schema"));
    d->torture = schema && strcmp(schema, DOCUMENT_TORTURE_SCHEMA) == 0;
    if (!d->torture && (!schema || strcmp(schema, DOCUMENT_SCHEMA) != 0))
        return err_set(e, "not the result of a run (" DOCUMENT_SCHEMA ")");
    r->verdict = VERDICT_INVALID;
    if (json_read_fields(d->root, &document_fields, r, e) != 0 ||
        json_read_text(d->root, "verdict", &d->verdict, e) != 0)
        return -1;
    return d->torture || document_check_verdict(d->root, r->verdict, e) == 0 ? read_libs(d, e) : -1;
}

static int read_all(struct document *d, struct err *e)
{
    if (read_head(d, e) != 0)
        return -1;
    if (d->torture)
        return 0;
    if (read_run(d, e) != 0 || read_subjects(d, e) != 0 || read_lists(d, e) != 0)
        return -1;
    return read_next(d, e) == 0 && read_crash(d, e) == 0 ? read_footprint(d, e) : -1;
}

struct document *document_read(const json_t *root, struct err *e)
{
    struct document *d = calloc(1, sizeof *d);
    CHECK(d);
    d->root = json_incref((json_t *)(uintptr_t)root);
    if (read_all(d, e) == 0)
        return d;
    document_free(d);
    return NULL;
}

/* Writes the path of `name` in `folder`. Whether there is such a file. */
static bool find_in(const char *folder, const char *name, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s", folder, name);
    return n > 0 && (size_t)n < size && access(path, F_OK) == 0;
}

/* Of a folder, the result; of a run that was ended with its soak what there is of it. Returns 0 or
 * -1. */
static int find_document(const char *path, char *ret, size_t size, struct err *e)
{
    int n = snprintf(ret, size, "%s%s", path, input_is_folder(path) ? "/result.json" : "");
    if (n < 0 || (size_t)n >= size)
        return err_set(e, "%.60s...: the path is too long", path);
    if (!input_is_folder(path) || find_in(path, "result.json", ret, size) ||
        find_in(path, DOCUMENT_UNFINISHED, ret, size))
        return 0;
    if (find_in(path, "samples.jsonl", ret, size))
        return err_set(e, "%.300s: soak was ended before it had measured anything", path);
    bool runs = find_in(path, "last", ret, size);
    return err_set(e, "%.300s: there is no result.json in it%s%.300s%s", path,
                   runs ? "; did you mean its newest run, " : "", runs ? ret : "", runs ? "?" : "");
}

struct document *document_load(const char *path, struct err *e)
{
    uid_t owner = 0;
    char inside[PATH_MAX];
    if (find_document(path, inside, sizeof inside, e) != 0)
        return NULL;
    json_t *root = json_load_owned(inside, &owner, e);
    struct document *d = root ? document_read(root, e) : NULL;
    if (d)
        d->owner = owner;
    else if (root)
        err_prefix(e, "%.300s", path);
    json_decref(root);
    return d;
}

void document_free(struct document *d)
{
    if (!d)
        return;
    if (d->result.footprint)
        footprint_free((struct footprint *)(uintptr_t)d->result.footprint);
    for (size_t i = 0; i < d->owned_count; i++)
        free(d->owned[i]);
    free(d->owned);
    json_decref(d->root);
    free(d);
}

const struct result_subject *result_subject_find(const struct result *r, const char *name)
{
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].name && strcmp(r->subject[i].name, name) == 0)
            return &r->subject[i];
    return NULL;
}

bool result_others_have(const struct result *r, const struct result_subject *except,
                        enum verdict verdict)
{
    for (size_t i = 0; i < r->subjects; i++)
        if (&r->subject[i] != except && r->subject[i].judgement.verdict == verdict)
            return true;
    return false;
}

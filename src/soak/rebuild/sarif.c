/* SPDX-License-Identifier: Apache-2.0 */
#include "sarif.h"

#include "finished.h"
#include "report/figures.h"
#include "report/json_util.h"
#include "report/sections.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { URI_BYTES = 1024, TEXT_BYTES = 768 };

/* A path as a reference of a URI. */
static char *uri_of(const char *path, char *buf, size_t size)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~/";
    size_t used = (size_t)snprintf(buf, size, "%s", path[0] == '/' ? "file://" : "");
    for (const char *p = path; *p && used + 4 < size; p++) {
        bool as_is = strchr(plain, *p) != NULL;
        used += (size_t)snprintf(buf + used, size - used, as_is ? "%c" : "%%%02X",
                                 as_is ? *p : (unsigned char)*p);
    }
    return buf;
}

static json_t *message_json(const char *text)
{
    return json_pack("{s:o}", "text", json_from_text(text));
}

/* Where it is in a file, of the sources that were built; NULL without a file. */
static json_t *place_json(const char *file, uint32_t line)
{
    char uri[URI_BYTES];
    if (!file)
        return NULL;
    json_t *artifact = json_pack("{s:o}", "uri", json_from_text(uri_of(file, uri, sizeof uri)));
    if (file[0] != '/')
        json_object_set_new(artifact, "uriBaseId", json_string("%SRCROOT%"));
    json_t *place = json_pack("{s:o}", "artifactLocation", artifact);
    if (line)
        json_object_set_new(place, "region", json_pack("{s:I}", "startLine", (json_int_t)line));
    return place;
}

static json_t *location_json(const char *file, uint32_t line, const char *name, const char *kind)
{
    json_t *location = json_object();
    if (file)
        json_object_set_new(location, "physicalLocation", place_json(file, line));
    if (name)
        json_object_set_new(
            location, "logicalLocations",
            json_pack("[{s:o,s:s}]", "fullyQualifiedName", json_from_text(name), "kind", kind));
    return location;
}

/* ---- the call stacks ---- */

static json_t *frame_json(const struct symbol *s)
{
    char text[TEXT_BYTES];
    symbol_text(s, text, sizeof text);
    json_t *location =
        location_json(s->file, s->line, s->function ? s->function : text, "function");
    json_t *frame = json_pack("{s:o}", "location", location);
    if (s->module)
        json_object_set_new(frame, "module", json_from_text(s->module));
    return frame;
}

static json_t *stacks_json(const struct result_subject *subject, const struct result_site *site)
{
    json_t *stacks = json_array();
    for (size_t i = 0; i < subject->capture.stacks; i++) {
        const struct result_stack *stack = &subject->capture.stack[i];
        char text[64];
        json_t *frames = json_array();
        if (!parts_is_of(stack, site)) {
            json_decref(frames);
            continue;
        }
        for (size_t f = 0; f < stack->frames; f++)
            json_array_append_new(frames, frame_json(&stack->frame[f]));
        snprintf(text, sizeof text, "%" PRId64 " blocks, %" PRId64 " B", stack->blocks,
                 stack->bytes);
        json_array_append_new(
            stacks, json_pack("{s:o,s:o}", "message", message_json(text), "frames", frames));
    }
    return stacks;
}

/* ---- a result ---- */

/* What it is, how much, and the evidence. */
static json_t *said_json(const struct result_subject *subject, const struct result_site *site)
{
    char text[TEXT_BYTES], bytes[FIGURE_SIZE];
    snprintf(text, sizeof text, "%.40s: %s, %s B per %s%s%.60s%s%.300s", subject->name,
             kind_text(site->kind), figure_plain(bytes, sizeof bytes, site->per_conn_bytes),
             judgement_unit(&subject->judgement), site->attribution ? "; left by: " : "",
             site->attribution ? site->attribution : "", site->why && site->why[0] ? ". " : "",
             site->why ? site->why : "");
    return message_json(text);
}

struct place {
    const char *file; /* NULL: not known */
    uint32_t line;
};

/* A site without a line is named for the allocator's function that was called: no file. It is where
 * its first stack begins, as far as that is known. */
static struct place place_of(const struct result_subject *subject, const struct result_site *site)
{
    if (site->line)
        return (struct place){site->file, site->line};
    const struct result_stack *stack = parts_stack_of(subject, site);
    for (size_t i = 0; stack && i < stack->frames; i++)
        if (stack->frame[i].file)
            return (struct place){stack->frame[i].file, stack->frame[i].line};
    return (struct place){0};
}

/* GitHub takes no document with a result that has no file, and shows none without a line: what is
 * in no file, such as descriptors, is in the scenario, as `soak suite` annotates it. */
static json_t *locations_json(const struct result *r, const struct result_subject *subject,
                              const struct result_site *site)
{
    char scenario[URI_BYTES];
    struct place place = place_of(subject, site);
    if (!place.file || !place.file[0])
        place = (struct place){finished_scenario(r, scenario, sizeof scenario), 0};
    uint32_t line = place.line ? place.line : 1;
    return json_pack("[o]", location_json(place.file, line, subject->name, "module"));
}

static bool is_told(const struct result_site *site)
{
    return site->kind != KIND_NONE &&
           (site->verdict == VERDICT_LEAK || site->verdict == VERDICT_INCONCLUSIVE);
}

/* How many results of the same kind are in the same file and above. */
static size_t count_above(const struct result_subject *subject, const struct result_site *site)
{
    struct place place = place_of(subject, site);
    size_t above = 0;
    for (size_t i = 0; place.file && i < subject->sites; i++) {
        const struct result_site *other = &subject->site[i];
        struct place at = place_of(subject, other);
        bool is_above = at.line < place.line || (at.line == place.line && other < site);
        above += is_told(other) && other->kind == site->kind && at.file && is_above &&
                 strcmp(at.file, place.file) == 0;
    }
    return above;
}

/* So that the next run's result is known to be the same: by what doesn't change with a line. Of
 * several in one file all but the first have their number. */
static json_t *fingerprint_json(const struct result_subject *subject,
                                const struct result_site *site)
{
    char text[TEXT_BYTES], number[32] = "";
    struct place place = place_of(subject, site);
    const char *file = place.file ? place.file : site->file;
    size_t above = count_above(subject, site);
    if (above > 0)
        snprintf(number, sizeof number, "|%zu", above + 1);
    snprintf(text, sizeof text, "%.40s|%s|%.500s%s", subject->name, kind_name(site->kind),
             file ? file : "", number);
    return json_pack("{s:o}", "soakSite/v1", json_from_text(text));
}

static json_t *result_json(const struct result *r, const struct result_subject *subject,
                           const struct result_site *site)
{
    json_t *properties = json_pack(
        "{s:o,s:I,s:I,s:o,s:o,s:o}", "subject", json_from_text(subject->name), "blocks",
        (json_int_t)site->blocks, "bytes", (json_int_t)site->bytes, "per_conn_blocks",
        json_from_number(site->per_conn_blocks), "per_conn_bytes",
        json_from_number(site->per_conn_bytes), "when", json_from_text(site->attribution));
    json_t *result =
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "ruleId", kind_name(site->kind), "level",
                  site->verdict == VERDICT_LEAK ? "error" : "warning", "message",
                  said_json(subject, site), "locations", locations_json(r, subject, site),
                  "partialFingerprints", fingerprint_json(subject, site), "properties", properties);
    json_t *stacks = stacks_json(subject, site);
    if (json_array_size(stacks))
        json_object_set(result, "stacks", stacks);
    json_decref(stacks);
    return result;
}

static json_t *results_json(const struct result *r)
{
    json_t *results = json_array();
    for (size_t i = 0; i < r->subjects; i++)
        for (size_t k = 0; r->subject[i].name && k < r->subject[i].sites; k++)
            if (is_told(&r->subject[i].site[k]))
                json_array_append_new(results,
                                      result_json(r, &r->subject[i], &r->subject[i].site[k]));
    return results;
}

/* ---- the run ---- */

static json_t *rules_json(void)
{
    json_t *rules = json_array();
    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        json_array_append_new(rules, json_pack("{s:s,s:o}", "id", kind_name((enum kind)kind),
                                               "shortDescription",
                                               message_json(kind_text((enum kind)kind))));
    return rules;
}

static json_t *invocation_json(const struct result *r)
{
    json_t *i =
        json_pack("{s:b,s:i}", "executionSuccessful",
                  r->verdict != VERDICT_INVALID && !r->interrupted, "exitCode", r->exit_code);
    if (r->again)
        json_object_set_new(i, "commandLine", json_from_text(r->again));
    if (r->time)
        json_object_set_new(i, "startTimeUtc", json_from_text(r->time));
    return i;
}

char *sarif_document(const struct result *r)
{
    char id[256];
    snprintf(id, sizeof id, "soak/%.200s/", r->scenario ? r->scenario : "run");
    json_t *driver = json_pack("{s:s,s:o,s:o}", "name", "soak", "version",
                               json_from_text(r->version ? r->version : ""), "rules", rules_json());
    json_t *run =
        json_pack("{s:{s:o},s:{s:o},s:[o],s:o,s:s}", "tool", "driver", driver, "automationDetails",
                  "id", json_from_text(id), "invocations", invocation_json(r), "results",
                  results_json(r), "columnKind", "utf16CodeUnits");
    return json_document(
        json_pack("{s:s,s:s,s:[o]}", "$schema",
                  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                  "sarif-schema-2.1.0.json",
                  "version", "2.1.0", "runs", run));
}

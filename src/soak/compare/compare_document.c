/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_document.h"

#include "base/check.h"
#include "base/input.h"
#include "compare_footprint.h"
#include "compare_parts.h"
#include "report/json_read.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SUBJECTS = 8, BLAMED = 256 };

/* ---- the verdict ---- */

static int read_verdict(const json_t *object, enum verdict *ret, struct err *e)
{
    if (verdict_from_name(json_string_value(json_object_get(object, "verdict")), ret))
        return 0;
    return err_set(e, "'verdict' is none of PASS, LEAK, INCONCLUSIVE and INVALID");
}

static enum kind kind_of(const char *word)
{
    enum kind kind;
    if (kind_from_name(word, &kind))
        return kind;
    return KIND_NONE; /* a later version's: readers ignore what they don't know */
}

/* The growth of the subject to blame, and the place: the first of its sites. */
static int read_blame(struct compare_set *s, const json_t *subject, struct compare_run *run,
                      struct err *e)
{
    const char *kind = NULL, *file = NULL;
    double line = NAN;
    if (json_read_number(subject, "per_conn_bytes", &run->row[COMPARE_GROWTH_BYTES], e) != 0 ||
        json_read_number(subject, "per_conn_blocks", &run->row[COMPARE_GROWTH_BLOCKS], e) != 0 ||
        json_read_text(subject, "kind", &kind, e) != 0)
        return -1;
    run->kind = kind_of(kind);
    const json_t *site = json_array_get(json_object_get(subject, "sites"), 0);
    if (run->verdict != VERDICT_LEAK || !site)
        return 0;
    if (json_read_text(site, "file", &file, e) != 0 ||
        json_read_number(site, "line", &line, e) != 0)
        return err_prefix(e, "site 1");
    if (file && strlen(file) > BLAMED)
        return err_set(e, "site 1: 'file' is longer than %d bytes", BLAMED);
    run->file = file ? compare_file(compare_set_text(s, file)) : NULL;
    run->line = line >= 1 && line <= UINT32_MAX ? (uint32_t)line : 0;
    return 0;
}

/* The subject with the run's own verdict; the server comes first. */
static const json_t *blamed(const json_t *subjects, const char *verdict)
{
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *subject = json_array_get(subjects, i);
        const char *word = json_string_value(json_object_get(subject, "verdict"));
        if (word && strcmp(word, verdict) == 0)
            return subject;
    }
    return json_array_get(subjects, 0);
}

/* The subject that is judged; NULL: the run as a whole. */
static const json_t *judged_subject(const struct compare_set *s, const json_t *subjects)
{
    const char *side = compare_side_name(s->side);
    for (size_t i = 0; s->side != COMPARE_SIDE_BOTH && i < json_array_size(subjects); i++) {
        const json_t *subject = json_array_get(subjects, i);
        const char *name = json_string_value(json_object_get(subject, "name"));
        if (name && strcmp(name, side) == 0)
            return subject;
    }
    return NULL;
}

/* Whether a subject, but not `except`, has that verdict. */
static bool others_say(const json_t *subjects, const json_t *except, enum verdict verdict)
{
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *subject = json_array_get(subjects, i);
        const char *word = json_string_value(json_object_get(subject, "verdict"));
        if (subject != except && word && strcmp(word, verdict_name(verdict)) == 0)
            return true;
    }
    return false;
}

/* A verdict of the run that is another program's isn't that of the one judged; one that nobody has
 * by itself, or that the run can't be trusted, is everybody's. */
static int take_side(const json_t *subjects, const json_t *subject, struct compare_run *run,
                     bool *ret_other_leaks, struct err *e)
{
    enum verdict own = VERDICT_INVALID;
    if (read_verdict(subject, &own, e) != 0)
        return -1;
    *ret_other_leaks = others_say(subjects, subject, VERDICT_LEAK);
    bool others = run->verdict != own && others_say(subjects, subject, run->verdict);
    if (others && run->verdict != VERDICT_INVALID)
        run->verdict = own;
    return 0;
}

/* A run that broke proves a leak if it saw one, and nothing else. */
static int read_judgement(struct compare_set *s, const json_t *document, struct compare_run *run,
                          bool *ret_other_leaks, struct err *e)
{
    const json_t *subjects = json_object_get(document, "subjects");
    const char *broken = NULL;
    if (read_verdict(document, &run->verdict, e) != 0 ||
        json_read_text(document, "broken", &broken, e) != 0)
        return -1;
    if (broken && run->verdict != VERDICT_LEAK)
        run->verdict = VERDICT_INVALID;
    if (!json_is_array(subjects) || json_array_size(subjects) > SUBJECTS)
        return err_set(e, "'subjects' is no list of at most %d", SUBJECTS);
    const json_t *subject = judged_subject(s, subjects);
    if (subject && take_side(subjects, subject, run, ret_other_leaks, e) != 0)
        return -1;
    if (!subject)
        subject = blamed(subjects, verdict_name(run->verdict));
    if (!subject)
        return 0; /* it broke before there was one */
    if (!json_is_object(subject))
        return err_set(e, "'subjects' is no list of objects");
    return read_blame(s, subject, run, e);
}

/* ---- figures of the server ---- */

static const struct {
    const char *class_;
    enum compare_row row;
} classes[] = {{"SSL", COMPARE_CENSUS_SSL},
               {"SSL_SESSION", COMPARE_CENSUS_SESSION},
               {"X509", COMPARE_CENSUS_X509},
               {"EVP_PKEY", COMPARE_CENSUS_PKEY},
               {"BIO", COMPARE_CENSUS_BIO}};

/* Objects at the last checkpoint, by open connection. They are exact when they were as many at the
 * first. */
static int read_census(const json_t *subject, double conns, struct compare_run *run, struct err *e)
{
    const json_t *census = json_object_get(subject, "census");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const json_t *class_ = json_object_get(census, classes[i].class_);
        double start = NAN, end = NAN;
        if (!class_)
            continue;
        if (json_read_number(class_, "start", &start, e) != 0 ||
            json_read_number(class_, "end", &end, e) != 0)
            return err_prefix(e, "census of %s", classes[i].class_);
        run->row[classes[i].row] = conns > 0 ? end / conns : NAN;
        run->inexact[classes[i].row] = start != end;
    }
    return 0;
}

/* Anonymous memory less what OpenSSL still holds; the heap's pages by what is allocated. */
static int read_after_drain(const json_t *subject, struct compare_run *run, struct err *e)
{
    const json_t *after = json_object_get(subject, "after_drain");
    double anon = NAN, ledger = NAN, allocated = NAN, active = NAN;
    if (!after || json_is_null(after))
        return 0;
    if (json_read_number(after, "anon_bytes", &anon, e) != 0 ||
        json_read_number(after, "ledger_bytes", &ledger, e) != 0 ||
        json_read_number(after, "heap_allocated_bytes", &allocated, e) != 0 ||
        json_read_number(after, "heap_active_bytes", &active, e) != 0)
        return err_prefix(e, "after_drain");
    run->row[COMPARE_KEPT] = anon - ledger;
    run->row[COMPARE_HEAP_RATIO] = allocated > 0 ? active / allocated : NAN;
    return 0;
}

static double known(double value)
{
    return value > 0 ? value : NAN;
}

static int read_figures(const json_t *document, struct compare_run *run, struct err *e)
{
    const json_t *server = json_array_get(json_object_get(document, "subjects"), 0);
    const json_t *load = json_object_get(document, "run");
    const json_t *handshake = json_object_get(load, "handshake_ns");
    double conns = NAN, cpu = NAN, p50 = NAN, p99 = NAN;
    if (!json_is_object(load))
        return err_set(e, "'run' is missing");
    if (json_read_number(load, "conns", &conns, e) != 0 ||
        json_read_number(handshake, "p50", &p50, e) != 0 ||
        json_read_number(handshake, "p99", &p99, e) != 0 ||
        json_read_number(json_object_get(document, "cost"), "cpu_us_per_conn", &cpu, e) != 0 ||
        json_read_number(json_object_get(document, "sensitivity"), "one_in", &run->sensitivity,
                         e) != 0)
        return -1;
    run->row[COMPARE_CPU] = known(cpu);
    run->row[COMPARE_P50] = known(p50);
    run->row[COMPARE_P99] = known(p99);
    if (isnan(run->sensitivity))
        run->sensitivity = 0;
    return read_census(server, conns, run, e) == 0 ? read_after_drain(server, run, e) : -1;
}

/* ---- libraries ---- */

struct mapping {
    struct compare_mapped mapped[COMPARE_MAPPED];
    size_t count;
};

static struct compare_mapped *find_mapped(struct mapping *m, const char *part)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->mapped[i].part, part) == 0)
            return &m->mapped[i];
    return NULL;
}

static int refuse_two(const char *part, const char *a, const char *b, struct err *e)
{
    return err_set(e, "it ran with two versions of %.60s: %.60s and %.60s", part, a, b);
}

/* libcrypto comes beside libssl: both are of one version, or the run is of none. */
static int add_mapped(struct mapping *m, const struct compare_mapped *one, struct err *e)
{
    const struct compare_mapped *there = find_mapped(m, one->part);
    if (there && there->version && one->version && strcmp(there->version, one->version) != 0)
        return refuse_two(one->part, there->version, one->version, e);
    if (there)
        return 0;
    if (m->count == COMPARE_MAPPED)
        return err_set(e, "more than %d libraries", COMPARE_MAPPED);
    m->mapped[m->count++] = *one;
    return 0;
}

static int read_one_mapped(struct compare_set *s, const json_t *object, struct mapping *m,
                           struct err *e)
{
    const char *part = NULL, *file = NULL, *version = NULL, *origin = NULL;
    if (json_read_text(object, "part", &part, e) != 0 ||
        json_read_text(object, "file", &file, e) != 0 ||
        json_read_text(object, "version", &version, e) != 0 ||
        json_read_text(object, "origin", &origin, e) != 0)
        return -1;
    if (!part)
        return err_set(e, "'part' is no text");
    version = version && version[0] ? version : NULL;
    origin = origin && origin[0] ? origin : NULL;
    struct compare_mapped one = {.part = compare_set_text(s, part),
                                 .file = compare_set_text(s, file),
                                 .version = compare_set_text(s, version),
                                 .origin = compare_set_text(s, origin)};
    return add_mapped(m, &one, e);
}

/* The numbers of a version without what a packager or a release adds: Debian calls 4.0.0-beta1
 * 4.0.0~beta1-1. */
static bool contradicts(const char *mapped, const char *said)
{
    char numbers[64];
    size_t length = strcspn(said, "-~+ ");
    snprintf(numbers, sizeof numbers, "%.*s", (int)length, said);
    return isdigit((unsigned char)mapped[0]) && !compare_version_is(mapped, numbers);
}

/* What the server says of itself stands where no file says it, and must not contradict one. */
static int add_said(struct compare_set *s, struct mapping *m, const char *part, const char *version,
                    struct err *e)
{
    struct compare_mapped *there = find_mapped(m, part);
    const struct compare_mapped one = {.part = compare_set_text(s, part),
                                       .version = compare_set_text(s, version)};
    if (!there)
        return add_mapped(m, &one, e);
    if (there->version && contradicts(there->version, version))
        return refuse_two(part, there->version, version, e);
    if (!there->version)
        there->version = one.version;
    return 0;
}

/* `mapped` is proof; `libs` is what the server itself says. */
static int read_mapped(struct compare_set *s, const json_t *document, struct mapping *m,
                       struct err *e)
{
    json_t *mapped = json_object_get(document, "mapped"), *libs = json_object_get(document, "libs");
    const char *name;
    json_t *version;
    for (size_t i = 0; i < json_array_size(mapped); i++)
        if (read_one_mapped(s, json_array_get(mapped, i), m, e) != 0)
            return err_prefix(e, "mapped library %zu", i + 1);
    json_object_foreach(libs, name, version)
    {
        if (!json_is_string(version) || json_string_length(version) > JSON_READ_TEXT)
            return err_set(e, "'libs' has no version of %.60s", name);
        if (add_said(s, m, name, json_string_value(version), e) != 0)
            return -1;
    }
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Runs of one version are of one version. A run that broke early may not say. */
static int take_mapped(struct compare_entry *entry, const struct mapping *m, struct err *e)
{
    if (m->count == 0)
        return 0;
    if (entry->mapped_count == 0) {
        memcpy(entry->mapped, m->mapped, sizeof m->mapped);
        entry->mapped_count = m->count;
        return 0;
    }
    for (size_t i = 0; i < m->count; i++) {
        const char *part = m->mapped[i].part, *before = compare_entry_version(entry, part);
        if (!same_text(before, m->mapped[i].version))
            return err_set(e, "%s: it ran with %s %s, an earlier run with %s", entry->name, part,
                           m->mapped[i].version ? m->mapped[i].version : "of no version",
                           before ? before : "none");
    }
    return 0;
}

/* ---- the whole ---- */

static void take_run(struct compare_set *s, struct compare_entry *entry, const json_t *document,
                     const struct compare_run *run)
{
    const char *folder = json_string_value(json_object_get(document, "run_dir"));
    const char *seed = json_string_value(json_object_get(json_object_get(document, "run"), "seed"));
    CHECK(entry->runs < COMPARE_RUNS);
    entry->folder[entry->runs] = compare_set_text(s, folder);
    entry->seed[entry->runs] = compare_set_text(s, seed);
    entry->run[entry->runs++] = *run;
}

int compare_document_add(struct compare_set *s, struct compare_entry *entry, const json_t *document,
                         uint64_t round, struct err *e)
{
    struct compare_run run = {.round = round};
    struct mapping mapping = {.count = 0};
    struct compare_footprint footprint = {.site = NULL};
    bool other_leaks = false;
    const char *schema = json_string_value(json_object_get(document, "schema"));
    for (int row = 0; row < COMPARE_ROWS; row++)
        run.row[row] = NAN;
    if (!schema || strcmp(schema, "soak/1") != 0)
        return err_set(e, "it is no result of a run (soak/1)");
    if (read_judgement(s, document, &run, &other_leaks, e) != 0 ||
        read_figures(document, &run, e) != 0 || read_mapped(s, document, &mapping, e) != 0 ||
        compare_footprint_read(s, json_object_get(document, "footprint"), &run, &footprint, e) != 0)
        return -1;
    if (take_mapped(entry, &mapping, e) != 0) {
        free(footprint.site);
        return -1;
    }
    take_run(s, entry, document, &run);
    entry->other_leaks |= other_leaks;
    if (footprint.conns && !entry->footprint_conns) {
        entry->site = footprint.site;
        entry->sites = footprint.sites;
        entry->server_sites = footprint.server_sites;
        entry->footprint_conns = footprint.conns;
        entry->group = footprint.group;
    } else {
        free(footprint.site);
    }
    return 0;
}

bool compare_document_interrupted(const json_t *document)
{
    return json_is_true(json_object_get(document, "interrupted"));
}

json_t *compare_document_load(const char *path, struct err *e)
{
    char inside[PATH_MAX];
    struct stat stat_of;
    json_error_t why;
    bool folder = stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
    int n = snprintf(inside, sizeof inside, "%s%s", path, folder ? "/result.json" : "");
    if (n < 0 || (size_t)n >= sizeof inside) {
        err_set(e, "%.60s...: the path is too long", path);
        return NULL;
    }
    FILE *in = input_open(inside, e);
    if (!in) {
        err_prefix(e, "%.300s", inside);
        return NULL;
    }
    json_t *root = json_loadf(in, JSON_REJECT_DUPLICATES, &why);
    fclose(in);
    if (!root)
        err_set(e, "%.300s:%d: it is no JSON: %.120s", inside, why.line, why.text);
    return root;
}

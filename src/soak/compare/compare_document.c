/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_document.h"

#include "base/check.h"
#include "compare_parts.h"
#include "report/footprint.h"
#include "report/sections.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLAMED = 256 };

/* ---- the verdict ---- */

/* The function that allocates at a site, without what a compiler adds to a part of one. */
static const char *function_at(struct compare_set *s, const struct result_subject *subject,
                               const struct result_site *site)
{
    char name[BLAMED];
    const struct result_stack *stack = site->file ? parts_stack_of(subject, site) : NULL;
    const char *function = stack && stack->frames ? stack->frame[0].function : NULL;
    if (!function)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(function, "."), function);
    return name[0] ? compare_set_text(s, name) : NULL;
}

static int take_place(struct compare_set *s, const struct result_subject *subject, size_t i,
                      struct compare_run *run, struct err *e)
{
    const struct result_site *site = &subject->site[i];
    if (site->file && strlen(site->file) > BLAMED)
        return err_set(e, "site %zu: 'file' is longer than %d bytes", i + 1, BLAMED);
    run->place[run->places++] = (struct compare_place){
        .file = site->file ? compare_file(compare_set_text(s, site->file)) : NULL,
        .function = function_at(s, subject, site),
        .line = site->line,
        .kind = site->kind,
        .bytes = site->per_conn_bytes};
    return 0;
}

/* Where it leaks. What has no site, such as descriptors, is known by its kind alone. */
static int take_places(struct compare_set *s, const struct result_subject *subject,
                       struct compare_run *run, struct err *e)
{
    for (size_t i = 0; i < subject->sites && run->places < COMPARE_PLACES; i++)
        if (subject->site[i].verdict == VERDICT_LEAK && take_place(s, subject, i, run, e) != 0)
            return -1;
    if (!run->places)
        run->place[run->places++] =
            (struct compare_place){.kind = run->kind, .bytes = subject->judgement.per_conn_bytes};
    if (subject->class_name && subject->class_name[0])
        run->place[0].object = compare_set_text(s, subject->class_name);
    return 0;
}

/* The growth of the subject to blame, and where. */
static int take_blame(struct compare_set *s, const struct result_subject *subject,
                      struct compare_run *run, struct err *e)
{
    run->row[COMPARE_GROWTH_BYTES] = subject->judgement.per_conn_bytes;
    run->row[COMPARE_GROWTH_BLOCKS] = subject->judgement.per_conn_blocks;
    run->kind = subject->judgement.kind;
    return run->verdict == VERDICT_LEAK ? take_places(s, subject, run, e) : 0;
}

/* The subject with the run's own verdict; the program under test comes first. */
static const struct result_subject *blamed(const struct result *r, enum verdict verdict)
{
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].judgement.verdict == verdict)
            return &r->subject[i];
    return r->subjects ? &r->subject[0] : NULL;
}

/* Of a run that broke, a program's LEAK stands, and nothing else. */
static enum verdict standing(const struct result *r, enum verdict verdict)
{
    return r->broken && verdict != VERDICT_LEAK ? VERDICT_INVALID : verdict;
}

/* A verdict of the run that is another program's isn't that of the one judged; one that nobody has
 * by itself, or that the run can't be trusted, is everybody's. */
static void take_side(const struct result *r, const struct result_subject *subject,
                      struct compare_run *run, bool *ret_other_leaks)
{
    enum verdict own = standing(r, subject->judgement.verdict);
    *ret_other_leaks = result_others_have(r, subject, VERDICT_LEAK);
    bool others = run->verdict != own && result_others_have(r, subject, run->verdict);
    if (others && run->verdict != VERDICT_INVALID)
        run->verdict = own;
}

static int take_judgement(struct compare_set *s, const struct result *r, struct compare_run *run,
                          bool *ret_other_leaks, struct err *e)
{
    run->verdict = standing(r, r->verdict);
    const struct result_subject *subject = NULL; /* NULL: the run as a whole is judged */
    enum compare_side judged = compare_set_judged(s);
    if (judged != COMPARE_SIDE_BOTH)
        subject = result_subject_find(r, compare_set_side_name(s, judged));
    if (subject)
        take_side(r, subject, run, ret_other_leaks);
    else
        subject = blamed(r, run->verdict);
    return subject ? take_blame(s, subject, run, e) : 0; /* it broke before there was one */
}

/* ---- figures of the program under test ---- */

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
static void take_census(const struct result_census *census, double conns, struct compare_run *run)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strcmp(classes[i].class_, census->class_) != 0)
            continue;
        run->row[classes[i].row] = conns > 0 ? (double)census->end / conns : NAN;
        run->inexact[classes[i].row] = census->start != census->end;
    }
}

static double known(double value)
{
    return value > 0 ? value : NAN;
}

/* What is kept is anonymous memory less what OpenSSL still holds; the heap's pages stand beside
 * what is allocated in them. */
static void take_figures(const struct result *r, struct compare_run *run)
{
    const struct result_subject *program = &r->subject[0];
    const struct result_rest *rest = &program->rest;
    run->row[COMPARE_P50] = known((double)r->run.p50_ns);
    run->row[COMPARE_P99] = known((double)r->run.p99_ns);
    if (!r->subjects)
        return;
    run->row[COMPARE_CPU] = known(program->cpu_us_per_conn);
    run->sensitivity = program->judgement.sensitivity.one_in;
    if (isnan(run->sensitivity))
        run->sensitivity = 0;
    for (size_t i = 0; i < program->census_count; i++)
        take_census(&program->census[i], (double)r->run.conns, run);
    if (rest->known)
        run->row[COMPARE_KEPT] = (double)rest->anon_bytes - (double)rest->ledger_bytes;
    if (rest->heap && rest->heap_allocated_bytes)
        run->row[COMPARE_HEAP_RATIO] =
            (double)rest->heap_active_bytes / (double)rest->heap_allocated_bytes;
}

/* ---- the footprint: allocations of one handshake and bytes held, exact ---- */

struct kept_footprint {
    uint64_t conns;             /* 0: there is none */
    struct compare_site *site;  /* owned */
    size_t sites, server_sites; /* those of the server come first */
    const char *group;          /* of the key exchange; NULL: not known */
};

static const struct {
    enum compare_row bytes, blocks;
} stages[FOOTPRINT_STAGE_COUNT] = {
    [FOOTPRINT_NEW] = {COMPARE_HELD_NEW, COMPARE_BLOCKS_NEW},
    [FOOTPRINT_HANDSHAKE] = {COMPARE_HELD_HANDSHAKE, COMPARE_BLOCKS_HANDSHAKE},
    [FOOTPRINT_DATA] = {COMPARE_HELD_DATA, COMPARE_BLOCKS_DATA},
    [FOOTPRINT_IDLE] = {COMPARE_HELD_IDLE, COMPARE_BLOCKS_IDLE}};

static void set_row(struct compare_run *run, enum compare_row row, double value, bool exact)
{
    run->row[row] = value;
    run->inexact[row] = !exact;
}

static void take_rows(const struct footprint *f, struct compare_run *run)
{
    const struct footprint_side *server = &f->end[FOOTPRINT_SERVER],
                                *client = &f->end[FOOTPRINT_CLIENT];
    bool both = server->exact && client->exact;
    set_row(run, COMPARE_ALLOCS, server->allocs + client->allocs, both);
    set_row(run, COMPARE_ALLOCS_SERVER, server->allocs, server->exact);
    set_row(run, COMPARE_ALLOCS_CLIENT, client->allocs, client->exact);
    set_row(run, COMPARE_REALLOCS, server->reallocs + client->reallocs, both);
    set_row(run, COMPARE_ALLOC_BYTES, server->alloc_bytes + client->alloc_bytes, both);
    set_row(run, COMPARE_REALLOCS_SERVER, server->reallocs, server->exact);
    set_row(run, COMPARE_REALLOCS_CLIENT, client->reallocs, client->exact);
    set_row(run, COMPARE_ALLOC_BYTES_SERVER, server->alloc_bytes, server->exact);
    set_row(run, COMPARE_ALLOC_BYTES_CLIENT, client->alloc_bytes, client->exact);
    set_row(run, COMPARE_PEAK, server->peak_bytes, server->exact);
    for (int s = 0; s < FOOTPRINT_STAGE_COUNT; s++) {
        set_row(run, stages[s].bytes, server->held[s].bytes, server->exact);
        set_row(run, stages[s].blocks, server->held[s].blocks, server->exact);
    }
    run->row[COMPARE_RSS] = f->rss_bytes_per_conn;
}

/* Allocations count at both ends, held bytes at the server's. */
static void take_sites(struct compare_set *s, const struct footprint *f, struct kept_footprint *ret)
{
    _Static_assert(FOOTPRINT_SERVER == 0, "the server's sites come first");
    ret->server_sites = f->end[FOOTPRINT_SERVER].sites;
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        for (size_t i = 0; i < f->end[end].sites; i++) {
            const struct footprint_site *from = &f->end[end].site[i];
            ret->site[ret->sites++] =
                (struct compare_site){.file = compare_file(compare_set_text(s, from->file)),
                                      .function = compare_set_text(s, from->function),
                                      .line = from->line,
                                      .allocs = from->allocs,
                                      .held_bytes = end == FOOTPRINT_SERVER ? from->held_bytes : 0};
        }
    }
}

static int read_footprint(struct compare_set *s, const struct footprint *f, struct compare_run *run,
                          struct kept_footprint *ret, struct err *e)
{
    *ret = (struct kept_footprint){.site = NULL};
    if (!f)
        return 0;
    size_t total = f->end[FOOTPRINT_SERVER].sites + f->end[FOOTPRINT_CLIENT].sites;
    if (total > COMPARE_SITES)
        return err_set(e, "footprint: it has more than %d sites", COMPARE_SITES);
    ret->site = calloc(total + 1, sizeof *ret->site);
    CHECK(ret->site);
    take_rows(f, run);
    take_sites(s, f, ret);
    ret->conns = f->connections;
    ret->group = f->group[0] ? compare_set_text(s, f->group) : NULL;
    return 0;
}

/* ---- libraries ---- */

struct mapping {
    struct result_mapped mapped[RESULT_LIBS];
    size_t count;
};

static struct result_mapped *find_mapped(struct mapping *m, const char *part)
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
static int add_mapped(struct mapping *m, const struct result_mapped *one, struct err *e)
{
    struct result_mapped *there = find_mapped(m, one->part);
    if (there && there->version && one->version && strcmp(there->version, one->version) != 0)
        return refuse_two(one->part, there->version, one->version, e);
    if (there && !there->version && one->version)
        *there = *one;
    if (there)
        return 0;
    if (m->count == RESULT_LIBS)
        return err_set(e, "more than %d libraries", RESULT_LIBS);
    m->mapped[m->count++] = *one;
    return 0;
}

static const char *text_or_null(struct compare_set *s, const char *text)
{
    return text && *text ? compare_set_text(s, text) : NULL;
}

static int take_one_mapped(struct compare_set *s, const struct result_mapped *from,
                           struct mapping *m, struct err *e)
{
    struct result_mapped one = {.part = compare_set_text(s, from->part),
                                .file = compare_set_text(s, from->file),
                                .version = text_or_null(s, from->version),
                                .origin = text_or_null(s, from->origin)};
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
    struct result_mapped *there = find_mapped(m, part);
    const struct result_mapped one = {.part = compare_set_text(s, part),
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
static int read_mapped(struct compare_set *s, const struct result *r, struct mapping *m,
                       struct err *e)
{
    for (size_t i = 0; i < r->mapped_count; i++)
        if (take_one_mapped(s, &r->mapped[i], m, e) != 0)
            return err_prefix(e, "mapped library %zu", i + 1);
    for (size_t i = 0; i < r->libs; i++)
        if (add_said(s, m, r->lib[i].name, r->lib[i].version, e) != 0)
            return -1;
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

static void take_run(struct compare_set *s, struct compare_entry *entry, const struct result *r,
                     const struct compare_run *run)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIx64, r->run.seed);
    CHECK(entry->runs < COMPARE_RUNS);
    entry->folder[entry->runs] = compare_set_text(s, r->run_dir);
    entry->seed[entry->runs] = compare_set_text(s, r->run.seed ? seed : NULL);
    entry->run[entry->runs++] = *run;
}

/* The sites of the first run that has a footprint are kept. */
static void take_footprint(struct compare_entry *entry, struct kept_footprint *footprint)
{
    if (!footprint->conns || entry->footprint_conns) {
        free(footprint->site);
        return;
    }
    entry->site = footprint->site;
    entry->sites = footprint->sites;
    entry->server_sites = footprint->server_sites;
    entry->footprint_conns = footprint->conns;
    entry->group = footprint->group;
}

/* Figures per connection and per reload can't stand in one row. */
static int take_unit(struct compare_set *s, const struct result *r, struct err *e)
{
    bool first = true;
    for (size_t i = 0; i < s->entries; i++)
        first &= s->entry[i].runs == 0;
    if (!first && s->unit != r->run.unit)
        return err_set(e, "it counted %s, an earlier run %s", unit_plural(r->run.unit),
                       unit_plural(s->unit));
    s->unit = r->run.unit;
    return 0;
}

/* The program under test comes first. Those of one comparison are all servers or all clients. */
static int take_program(struct compare_set *s, const struct result *r, struct err *e)
{
    enum compare_side program = COMPARE_SIDE_RUN;
    if (!r->subjects || !compare_side_from_name(r->subject[0].name, &program))
        return 0;
    if (s->program != COMPARE_SIDE_RUN && s->program != program)
        return err_set(e, "it is of a %s, an earlier run of a %s", compare_side_name(program),
                       compare_side_name(s->program));
    s->program = program;
    return 0;
}

int compare_document_add(struct compare_set *s, struct compare_entry *entry,
                         const struct document *document, uint64_t round, struct err *e)
{
    const struct result *r = &document->result;
    struct compare_run run = {.round = round};
    struct mapping mapping = {.count = 0};
    struct kept_footprint footprint = {.site = NULL};
    bool other_leaks = false;
    for (int row = 0; row < COMPARE_ROWS; row++)
        run.row[row] = NAN;
    if (document->torture)
        return err_set(e, "not the result of a run (soak/1)");
    if (take_unit(s, r, e) != 0 || take_program(s, r, e) != 0 ||
        take_judgement(s, r, &run, &other_leaks, e) != 0)
        return -1;
    take_figures(r, &run);
    if (read_mapped(s, r, &mapping, e) != 0 ||
        read_footprint(s, r->footprint, &run, &footprint, e) != 0)
        return -1;
    if (take_mapped(entry, &mapping, e) != 0) {
        free(footprint.site);
        return -1;
    }
    if (entry->runs == 0) {
        entry->host = compare_set_text(s, r->host);
        entry->time = compare_set_text(s, r->time);
    }
    take_run(s, entry, r, &run);
    entry->other_leaks |= other_leaks;
    take_footprint(entry, &footprint);
    return 0;
}

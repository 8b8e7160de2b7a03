/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include "base/exit_codes.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reading a run's document ---- */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static uint64_t count_of(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static void take_metrics(struct suite *s, struct suite_entry *entry, const json_t *subject)
{
    const json_t *metrics = json_object_get(subject, "metrics");
    for (size_t i = 0; i < json_array_size(metrics); i++) {
        const json_t *metric = json_array_get(metrics, i);
        struct suite_metric *m = suite_metric_add(entry);
        if (!m)
            return;
        m->subject = suite_text(s, text_of(subject, "name"));
        m->id = suite_text(s, text_of(metric, "id"));
        m->unit = suite_text(s, text_of(metric, "unit"));
        m->verdict = suite_text(s, text_of(metric, "verdict"));
        m->per_conn = number_of(metric, "per_conn");
        m->limit = number_of(metric, "limit");
    }
}

static void take_findings(struct suite *s, struct suite_entry *entry, const json_t *subject)
{
    const json_t *sites = json_object_get(subject, "sites");
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *site = json_array_get(sites, i);
        const char *verdict = text_of(site, "verdict"), *kind = text_of(site, "kind");
        struct suite_finding *f = verdict && kind ? suite_finding_add(entry) : NULL;
        if (!f)
            continue;
        f->subject = suite_text(s, text_of(subject, "name"));
        f->verdict = suite_text(s, verdict);
        f->kind = suite_text(s, kind);
        f->file = suite_text(s, text_of(site, "file"));
        f->line = f->file ? count_of(site, "line") : 0;
    }
}

static void take_subject(struct suite *s, struct suite_entry *entry, const json_t *from)
{
    const char *name = text_of(from, "name"), *verdict = text_of(from, "verdict");
    struct suite_subject *subject = name && verdict ? suite_subject_add(entry) : NULL;
    if (!subject)
        return;
    subject->name = suite_text(s, name);
    subject->verdict = suite_text(s, verdict);
    subject->kind = suite_text(s, text_of(from, "kind"));
    take_findings(s, entry, from);
    take_metrics(s, entry, from);
}

/* `openssl 3.0.19, libuv 1.44.2` */
static const char *libs_text(struct suite *s, const json_t *document)
{
    const char *name;
    json_t *version, *libs = json_object_get(document, "libs");
    char text[1024];
    struct text list = text_list(text, sizeof text, ", ");
    json_object_foreach(libs, name, version)
    {
        const char *word = json_string_value(version);
        if (word)
            text_item(&list, "%s %s", name, word);
    }
    return list.used ? suite_text(s, text) : NULL;
}

/* ---- judging ---- */

bool suite_is(const struct suite_entry *entry, enum verdict v)
{
    return entry->verdict && strcmp(entry->verdict, verdict_name(v)) == 0;
}

static bool is_leak(const char *verdict)
{
    return strcmp(verdict, verdict_name(VERDICT_LEAK)) == 0;
}

/* The kind and the place of the first leak; a subject's findings begin with the one to blame. */
static void take_blame(struct suite *s, struct suite_entry *entry)
{
    char place[EXPECT_SITE + 32];
    for (size_t i = 0; i < entry->subjects && !entry->kind; i++) {
        const struct suite_subject *subject = &entry->subject[i];
        if (!is_leak(subject->verdict))
            continue;
        entry->kind = subject->kind;
        for (size_t j = 0; j < entry->findings; j++) {
            const struct suite_finding *f = &entry->finding[j];
            if (strcmp(f->subject, subject->name) != 0)
                continue;
            snprintf(place, sizeof place, "%.*s:%llu", EXPECT_SITE, f->file ? f->file : "",
                     (unsigned long long)f->line);
            entry->site = f->file ? suite_text(s, place) : NULL;
            break;
        }
    }
}

/* Whether the findings of all subjects meet what was expected. */
static bool meets(const struct suite_entry *entry, const struct expect *expect)
{
    struct expect_finding finding[SUITE_FINDINGS];
    const struct suite_subject *server = suite_subject_find(entry, "server"),
                               *client = suite_subject_find(entry, "client");
    struct expect_run run = {.verdict = entry->verdict,
                             .server = server ? server->verdict : NULL,
                             .client = client ? client->verdict : NULL,
                             .finding = finding,
                             .count = entry->findings};
    for (size_t i = 0; i < entry->findings; i++) {
        const struct suite_finding *f = &entry->finding[i];
        finding[i] = (struct expect_finding){.subject = expect_subject_of(f->subject),
                                             .verdict = f->verdict,
                                             .kind = f->kind,
                                             .file = f->file,
                                             .line = (uint32_t)f->line};
    }
    return expect_met(expect, &run);
}

/* A run that says one thing and exits with another, such as one that couldn't write its result, is
 * broken, whatever was expected. */
static bool consistent(const struct suite_entry *entry)
{
    for (int v = VERDICT_PASS; v <= VERDICT_INVALID; v++) {
        if (suite_is(entry, (enum verdict)v))
            return verdict_exit_code((enum verdict)v) == entry->exit;
    }
    return false;
}

enum suite_outcome suite_outcome_of(const struct suite_entry *entry)
{
    struct expect expect;
    if (!entry->said)
        return SUITE_NOT_RUN;
    if (expect_parse(entry->expect, &expect, NULL) != 0)
        return SUITE_BROKEN;
    bool met = meets(entry, &expect);
    if (!met && suite_is(entry, VERDICT_LEAK))
        return SUITE_UNMET; /* an interrupt doesn't take a leak back */
    if (entry->exit == EXIT_INTERRUPTED)
        return SUITE_INTERRUPTED;
    if (met)
        return consistent(entry) ? SUITE_MET : SUITE_BROKEN;
    if (!consistent(entry) || suite_is(entry, VERDICT_INVALID))
        return SUITE_BROKEN;
    return suite_is(entry, VERDICT_INCONCLUSIVE) ? SUITE_UNSURE : SUITE_UNMET;
}

void suite_judge(struct suite *s, struct suite_entry *entry, const struct suite_run *run)
{
    const json_t *load = json_object_get(run->document, "run");
    const json_t *subjects = json_object_get(run->document, "subjects");
    entry->verdict = suite_text(s, text_of(run->document, "verdict"));
    entry->said = suite_text(s, run->said[0] ? run->said : "it left no result and said nothing");
    entry->exit = run->exit_code;
    entry->seed = suite_text(s, text_of(load, "seed"));
    entry->run_dir = suite_text(s, text_of(run->document, "run_dir"));
    entry->started = suite_text(s, run->started);
    entry->libs = libs_text(s, run->document);
    entry->closed = count_of(load, "closed");
    entry->measured = count_of(load, "measured");
    entry->seconds = run->seconds;
    for (size_t i = 0; i < json_array_size(subjects); i++)
        take_subject(s, entry, json_array_get(subjects, i));
    take_blame(s, entry);
    entry->outcome = suite_outcome_of(entry);
}

/* ---- what could be expected instead ---- */

static unsigned leaking(const struct suite_entry *entry)
{
    unsigned subjects = 0;
    for (size_t i = 0; i < entry->subjects; i++) {
        if (is_leak(entry->subject[i].verdict))
            subjects |= (unsigned)expect_subject_of(entry->subject[i].name);
    }
    return subjects;
}

char *suite_expectation(const struct suite_entry *entry, char *buf, size_t size)
{
    char text[EXPECT_SITE + 128] = "pass";
    struct expect expect;
    unsigned of = leaking(entry);
    if (!suite_is(entry, VERDICT_PASS) && !suite_is(entry, VERDICT_LEAK))
        return NULL;
    if (suite_is(entry, VERDICT_LEAK))
        snprintf(text, sizeof text, "leak%s%s%s%s%.*s",
                 of == EXPECT_CLIENT ? " subject=client"
                 : of == EXPECT_BOTH ? " subject=both"
                                     : "",
                 entry->kind ? " kind=" : "", entry->kind ? entry->kind : "",
                 entry->site ? " site=" : "",
                 entry->site ? (int)(strrchr(entry->site, ':') - entry->site) : 0,
                 entry->site ? entry->site : "");
    bool right =
        consistent(entry) && expect_parse(text, &expect, NULL) == 0 && meets(entry, &expect);
    return right ? expect_print(&expect, buf, size) : NULL;
}

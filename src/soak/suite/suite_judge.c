/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_course.h"

#include "base/exit_codes.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what a run left ---- */

static void take_metrics(struct suite *s, struct suite_entry *entry,
                         const struct result_subject *subject)
{
    const struct judgement *j = &subject->judgement;
    for (size_t i = 0; i < j->metrics; i++) {
        const struct judge_metric *from = &j->metric[i];
        struct suite_metric *m = suite_metric_add(entry);
        if (!m)
            return;
        m->subject = suite_text(s, subject->name);
        m->id = suite_text(s, from->id);
        m->unit = suite_text(s, from->unit);
        m->verdict = metric_state_verdict(from->state);
        m->per_conn = from->per_conn;
        m->limit = from->limit;
    }
}

static void take_findings(struct suite *s, struct suite_entry *entry,
                          const struct result_subject *subject)
{
    for (size_t i = 0; i < subject->sites; i++) {
        const struct result_site *site = &subject->site[i];
        struct suite_finding *f = suite_finding_add(entry);
        if (!f)
            return;
        f->subject = suite_text(s, subject->name);
        f->verdict = verdict_name(site->verdict);
        f->kind = kind_name(site->kind);
        f->file = suite_text(s, site->file);
        f->line = f->file ? site->line : 0;
    }
}

static void take_subject(struct suite *s, struct suite_entry *entry,
                         const struct result_subject *from)
{
    struct suite_subject *subject = from->name ? suite_subject_add(entry) : NULL;
    if (!subject)
        return;
    subject->name = suite_text(s, from->name);
    subject->verdict = verdict_name(from->judgement.verdict);
    subject->kind = kind_name(from->judgement.kind);
    take_findings(s, entry, from);
    take_metrics(s, entry, from);
}

/* `openssl 3.0.19, libuv 1.44.2` */
static const char *libs_text(struct suite *s, const struct result *r)
{
    char text[1024];
    struct text list = text_list(text, sizeof text, ", ");
    for (size_t i = 0; i < r->libs; i++)
        text_item(&list, "%s %s", r->lib[i].name, r->lib[i].version);
    return list.used ? suite_text(s, text) : NULL;
}

static void take_result(struct suite *s, struct suite_entry *entry, const struct suite_run *run)
{
    const struct result *r = run->result;
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIx64, r->run.seed);
    entry->verdict = suite_text(s, run->verdict);
    entry->seed = r->run.seed ? suite_text(s, seed) : NULL;
    entry->run_dir = suite_text(s, r->run_dir);
    entry->libs = libs_text(s, r);
    entry->unit = unit_name(r->run.unit);
    entry->closed = r->run.closed;
    entry->measured = r->run.measured;
    for (size_t i = 0; i < r->subjects; i++)
        take_subject(s, entry, &r->subject[i]);
    suite_course_take(s, entry, r);
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
                             .tested = suite_tested(entry),
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
    if (entry->exit == EXIT_GONE && !entry->verdict)
        return SUITE_SKIPPED;
    if (met)
        return consistent(entry) ? SUITE_MET : SUITE_BROKEN;
    if (!consistent(entry) || suite_is(entry, VERDICT_INVALID))
        return SUITE_BROKEN;
    return suite_is(entry, VERDICT_INCONCLUSIVE) ? SUITE_UNSURE : SUITE_UNMET;
}

void suite_judge(struct suite *s, struct suite_entry *entry, const struct suite_run *run)
{
    entry->said = suite_text(s, run->said[0] ? run->said : "it left no result and said nothing");
    entry->exit = run->exit_code;
    entry->started = suite_text(s, run->started);
    entry->seconds = run->seconds;
    if (run->result)
        take_result(s, entry, run);
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
    bool usual = of == (unsigned)suite_tested(entry);
    if (!suite_is(entry, VERDICT_PASS) && !suite_is(entry, VERDICT_LEAK))
        return NULL;
    if (suite_is(entry, VERDICT_LEAK))
        snprintf(text, sizeof text, "leak%s%s%s%s%s%.*s", usual ? "" : " subject=",
                 usual ? "" : expect_subject_name((enum expect_subject)of),
                 entry->kind ? " kind=" : "", entry->kind ? entry->kind : "",
                 entry->site ? " site=" : "",
                 entry->site ? (int)(strrchr(entry->site, ':') - entry->site) : 0,
                 entry->site ? entry->site : "");
    bool right =
        consistent(entry) && expect_parse(text, &expect, NULL) == 0 && meets(entry, &expect);
    return right ? expect_print(&expect, buf, size) : NULL;
}

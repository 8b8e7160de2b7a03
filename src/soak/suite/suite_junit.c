/* SPDX-License-Identifier: Apache-2.0 */
#include "base/markup.h"
#include "base/text.h"
#include "suite_text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What a testcase came to. */
enum state { PASSED, FAILED, ERROR, SKIPPED, STATES };

/* A line of text between tags; there `"` is itself, and a line's end stays one. */
static void put_lines(const char *text, FILE *out)
{
    for (const char *end; *text; text = end + (*end == '\n')) {
        char line[SUITE_BLOCK];
        end = strchrnul(text, '\n');
        snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
        markup_put(line, SIZE_MAX, out);
        fputc('\n', out);
    }
}

/* ---- what a testcase came to ---- */

/* Whose verdicts they are: the same testcases for every scenario, so that a history of them has no
 * gaps. A subject that a run didn't have is skipped. */
static const char *const subjects[] = {"server", "client"};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static const char *verdict_of(const struct suite_entry *entry, size_t i)
{
    const struct suite_subject *subject = suite_subject_find(entry, subjects[i]);
    return subject ? subject->verdict : NULL;
}

static bool is_verdict(const char *verdict, enum verdict v)
{
    return verdict && strcmp(verdict, verdict_name(v)) == 0;
}

/* Whether what is expected of the subject isn't what came. */
static bool contradicts(const struct suite_entry *entry, size_t i)
{
    struct expect expect;
    const char *verdict = verdict_of(entry, i);
    if (!verdict || expect_parse(entry->expect, &expect, NULL) != 0)
        return false;
    unsigned named = expect_named(&expect, suite_tested(entry));
    if (named && !(named & (unsigned)expect_subject_of(subjects[i])))
        return is_verdict(verdict, VERDICT_LEAK);
    return !is_verdict(verdict, expect.verdict) &&
           (expect.verdict == VERDICT_LEAK || is_verdict(verdict, VERDICT_LEAK));
}

static bool is_tested(const struct suite_entry *entry, size_t i)
{
    return expect_subject_of(subjects[i]) == suite_tested(entry);
}

/* The subject that fails: those that contradict what was expected; where none does by its verdict
 * (another kind, another site), the program under test. */
static bool fails(const struct suite_entry *entry, size_t i)
{
    bool any = false;
    for (size_t k = 0; k < SUBJECTS; k++)
        any |= contradicts(entry, k);
    return any ? contradicts(entry, i) : is_tested(entry, i);
}

static enum state state_of(const struct suite_entry *entry, size_t i)
{
    switch (entry->outcome) {
    case SUITE_MET:
        return verdict_of(entry, i) || is_tested(entry, i) ? PASSED : SKIPPED;
    case SUITE_UNMET:
        return fails(entry, i) ? FAILED : verdict_of(entry, i) ? PASSED : SKIPPED;
    case SUITE_BROKEN:
        return is_tested(entry, i) ? ERROR : SKIPPED;
    case SUITE_UNSURE:
        return is_verdict(verdict_of(entry, i), VERDICT_PASS) && !contradicts(entry, i) ? PASSED
                                                                                        : SKIPPED;
    case SUITE_INTERRUPTED:
    case SUITE_SKIPPED:
    case SUITE_NOT_RUN:
    case SUITE_OUTCOMES:
        break;
    }
    return SKIPPED;
}

static void count(const struct suite_entry *entry, size_t *n)
{
    for (size_t i = 0; i < SUBJECTS; i++)
        n[state_of(entry, i)]++;
}

/* ---- writing ---- */

static const char *tag_of(enum state state)
{
    static const char *const tags[STATES] = {
        [FAILED] = "failure", [ERROR] = "error", [SKIPPED] = "skipped"};
    return tags[state];
}

static void put_growing(const struct suite_entry *entry, size_t i, FILE *out)
{
    char line[256];
    for (size_t k = 0; k < entry->metrics; k++) {
        const struct suite_metric *m = &entry->metric[k];
        if (strcmp(m->subject, subjects[i]) != 0 || strcmp(m->verdict, "grows") != 0)
            continue;
        struct text t = text_into(line, sizeof line);
        text_add(&t, "%s grows", m->id);
        if (isfinite(m->per_conn))
            text_add(&t, ": %+.4f %s per %s", m->per_conn, m->unit ? m->unit : "",
                     suite_unit(entry));
        put_lines(line, out);
    }
}

/* Its type is the verdict; its message what the run said; its body the rest, as the suite prints
 * it. */
static void put_state(const struct suite *s, const struct suite_entry *entry, size_t i, FILE *out)
{
    char block[SUITE_BLOCK];
    enum state state = state_of(entry, i);
    const char *verdict = verdict_of(entry, i);
    fprintf(out, ">\n      <%s", tag_of(state));
    markup_attribute("type", verdict ? verdict : suite_outcome_name(entry->outcome), out);
    markup_attribute("message", entry->said ? entry->said : "nothing was measured", out);
    fputc('>', out);
    fprintf(out, "%s; expected ", suite_outcome_name(entry->outcome));
    put_lines(entry->expect, out);
    put_lines(suite_text_block(s, entry, 0, block, sizeof block), out);
    put_growing(entry, i, out);
    fprintf(out, "</%s>\n    </testcase>\n", tag_of(state));
}

static void put_case(const struct suite *s, const struct suite_entry *entry, size_t i, FILE *out)
{
    fputs("    <testcase", out);
    markup_attribute("name", subjects[i], out);
    markup_attribute("classname", entry->name, out);
    fprintf(out, " time=\"%.3f\"", i == 0 ? entry->seconds : 0.0);
    if (tag_of(state_of(entry, i)))
        put_state(s, entry, i, out);
    else
        fputs("/>\n", out);
}

static void property(const char *name, const char *value, FILE *out)
{
    if (!value)
        return;
    fputs("      <property", out);
    markup_attribute("name", name, out);
    markup_attribute("value", value, out);
    fputs("/>\n", out);
}

/* `openssl 3.0.19, libuv 1.44.2` as a property each. */
static void put_versions(const char *libs, FILE *out)
{
    char text[1024], *rest = NULL;
    snprintf(text, sizeof text, "%s", libs ? libs : "");
    for (char *lib = strtok_r(text, ",", &rest); lib; lib = strtok_r(NULL, ",", &rest)) {
        char *name = lib + strspn(lib, " "), *version = strchr(name, ' ');
        if (!version)
            continue;
        *version = '\0';
        property(name, version + 1, out);
    }
}

static void put_properties(const struct suite_entry *entry, const struct suite_shard *shard,
                           FILE *out)
{
    fputs("    <properties>\n", out);
    property("seed", entry->seed, out);
    property("soak", shard ? shard->version : NULL, out);
    put_versions(entry->libs, out);
    property("scenario", entry->file, out);
    property("expect", entry->expect, out);
    property("verdict", entry->verdict, out);
    property("run", entry->run_dir, out);
    fputs("    </properties>\n", out);
}

/* As both schemas have it that are about: without the zone, which is UTC. */
static void put_timestamp(const char *started, FILE *out)
{
    char text[32];
    snprintf(text, sizeof text, "%s", started);
    text[strcspn(text, "Z")] = '\0';
    markup_attribute("timestamp", text, out);
}

static void put_counts(const size_t *n, double seconds, FILE *out)
{
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"",
            n[PASSED] + n[FAILED] + n[ERROR] + n[SKIPPED], n[FAILED], n[ERROR], seconds);
}

static void put_scenario(const struct suite *s, const struct suite_entry *entry, FILE *out)
{
    size_t n[STATES] = {0};
    const struct suite_shard *shard = suite_shard_find(s, entry->shard);
    count(entry, n);
    fputs("  <testsuite", out);
    markup_attribute("name", entry->name, out);
    put_counts(n, entry->seconds, out);
    fprintf(out, " skipped=\"%zu\"", n[SKIPPED]);
    if (entry->started)
        put_timestamp(entry->started, out);
    if (shard && shard->host)
        markup_attribute("hostname", shard->host, out);
    fputs(">\n", out);
    put_properties(entry, shard, out);
    for (size_t i = 0; i < SUBJECTS; i++)
        put_case(s, entry, i, out);
    fputs("  </testsuite>\n", out);
}

void suite_junit(const struct suite *s, FILE *out)
{
    size_t n[STATES] = {0};
    struct suite_totals t;
    suite_count(s, &t);
    for (size_t i = 0; i < s->entries; i++)
        count(&s->entry[i], n);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"soak\"", out);
    put_counts(n, t.seconds, out);
    fputs(">\n", out);
    for (size_t i = 0; i < s->entries; i++)
        put_scenario(s, &s->entry[i], out);
    fputs("</testsuites>\n", out);
}

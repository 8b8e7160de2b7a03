/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"

#include <math.h>
#include <string.h>

enum { FIRST_FRAMES = 3 };

ENUM_NAMES(selftest_outcome, SELFTEST_OUTCOME_LIST)

bool selftest_as_expected(enum selftest_outcome o)
{
    return o == SELFTEST_CAUGHT || o == SELFTEST_QUIET;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The server: the subject that has the bug. */
static const json_t *server_of(const json_t *document)
{
    const json_t *subjects = json_object_get(document, "subjects");
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *subject = json_array_get(subjects, i);
        if (strcmp(text_of(subject, "name"), "server") == 0)
            return subject;
    }
    return NULL;
}

/* The finding to compare: the first of a leak; of a PASS the one at the expected file. */
static const json_t *finding_of(const struct selftest_case *c, const json_t *server)
{
    const json_t *sites = json_object_get(server, "sites");
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *site = json_array_get(sites, i);
        if (c->verdict == VERDICT_LEAK || (c->file && strstr(text_of(site, "file"), c->file)))
            return site;
    }
    return NULL;
}

static bool kind_fits(const struct selftest_case *c, const char *kind)
{
    if (strcmp(kind, kind_name(c->kind)) == 0)
        return true;
    /* Whether a bounded table was still filling at the end depends on the run's length alone. */
    return c->kind == KIND_CACHE_BOUNDED && strcmp(kind, kind_name(KIND_CACHE_FILLING)) == 0;
}

/* One connection of each N in a row is hit, wherever among them: at both ends of what was measured
 * one more or less is right. */
static bool count_fits(const struct selftest_case *c, const struct selftest_said *said)
{
    double apart = fabs(said->blocks - c->blocks);
    if (c->blocks == 0 || apart < 0.00005 * c->blocks)
        return true;
    double connections = said->blocks > 0 ? (double)said->count / said->blocks : 0;
    return c->one_in > 1 && connections > 0 && apart * connections < 2.5;
}

static bool site_fits(const struct selftest_case *c, const struct selftest_said *said)
{
    return (!c->file || strstr(said->file, c->file)) && count_fits(c, said);
}

/* ---- the stack ---- */

/* Frames of the allocator itself: malloc's, OpenSSL's wrappers, and the probe between them. */
static bool is_allocator(const json_t *frame)
{
    static const char *const own[] = {"malloc",         "calloc",        "realloc",
                                      "CRYPTO_malloc",  "CRYPTO_zalloc", "CRYPTO_calloc",
                                      "CRYPTO_realloc", "CRYPTO_strdup", "CRYPTO_memdup"};
    const char *function = text_of(frame, "function");
    if (strstr(text_of(frame, "file"), "common/probe/") ||
        strstr(text_of(frame, "module"), "jemalloc"))
        return true;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(function, own[i]) == 0)
            return true;
    }
    return false;
}

/* The stack to compare: that of most survivors; of a PASS the one at the expected file. */
static const json_t *stack_of(const struct selftest_case *c, const json_t *stacks)
{
    for (size_t i = 0; i < json_array_size(stacks); i++) {
        const json_t *stack = json_array_get(stacks, i);
        if (c->verdict == VERDICT_LEAK || (c->file && strstr(text_of(stack, "site"), c->file)))
            return stack;
    }
    return NULL;
}

/* Whether the expected function is where it must be. Says it, or the first one there. */
static bool function_found(const struct selftest_case *c, const json_t *stack,
                           struct selftest_said *said)
{
    const json_t *frames = json_object_get(stack, "frames");
    size_t count = json_array_size(frames), first = 0;
    while (first < count && is_allocator(json_array_get(frames, first)))
        first++;
    for (size_t i = first; i < count && (c->anywhere || i < first + FIRST_FRAMES); i++) {
        const char *function = text_of(json_array_get(frames, i), "function");
        if (i == first)
            said->function = function;
        if (strcmp(function, c->function) == 0) {
            said->function = function;
            return true;
        }
    }
    return false;
}

static bool stack_fits(const struct selftest_case *c, const json_t *server,
                       struct selftest_said *said)
{
    const json_t *stacks = json_object_get(server, "stacks");
    if (!c->function || !stacks)
        return true;
    const json_t *stack = stack_of(c, stacks);
    if (!stack) /* what isn't called a leak needn't be traced */
        return c->verdict == VERDICT_PASS;
    return function_found(c, stack, said);
}

/* ---- the whole ---- */

static void say(const json_t *server, const json_t *finding, struct selftest_said *said)
{
    said->verdict = text_of(server, "verdict");
    said->kind = finding ? text_of(finding, "kind") : text_of(server, "kind");
    said->file = text_of(finding, "file");
    said->line = (long)json_integer_value(json_object_get(finding, "line"));
    said->blocks = json_number_value(json_object_get(finding, "per_conn_blocks"));
    said->count = json_integer_value(json_object_get(finding, "blocks"));
}

static bool is_verdict(const char *word, enum verdict v)
{
    return strcmp(word, verdict_name(v)) == 0;
}

static enum selftest_outcome judge_verdict(const struct selftest_case *c, const char *server,
                                           const char *whole)
{
    if (c->verdict == VERDICT_LEAK && is_verdict(server, VERDICT_PASS))
        return SELFTEST_MISSED;
    if (c->verdict == VERDICT_PASS && is_verdict(server, VERDICT_LEAK))
        return SELFTEST_FALSE_ALARM;
    if (is_verdict(server, VERDICT_INCONCLUSIVE))
        return SELFTEST_UNDECIDED;
    if (is_verdict(server, VERDICT_LEAK))
        return SELFTEST_CAUGHT;
    return is_verdict(server, VERDICT_PASS) && is_verdict(whole, VERDICT_PASS) ? SELFTEST_QUIET
                                                                               : SELFTEST_BROKEN;
}

enum selftest_outcome selftest_judge(const struct selftest_case *c, const json_t *document,
                                     struct selftest_said *said)
{
    *said = (struct selftest_said){.verdict = "", .kind = "", .file = "", .function = ""};
    const json_t *server = server_of(document);
    if (!server)
        return SELFTEST_BROKEN;
    say(server, finding_of(c, server), said);
    enum selftest_outcome o = judge_verdict(c, said->verdict, text_of(document, "verdict"));
    bool traced = stack_fits(c, server, said);
    if (!selftest_as_expected(o))
        return o;
    if (c->kind != KIND_NONE && !kind_fits(c, said->kind))
        return SELFTEST_WRONG_KIND;
    if (!site_fits(c, said))
        return SELFTEST_WRONG_SITE;
    return traced ? o : SELFTEST_WRONG_STACK;
}

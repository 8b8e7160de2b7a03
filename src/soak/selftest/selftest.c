/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"

#include "report/document.h"
#include "scenario/scenario.h"

#include <math.h>
#include <string.h>

/* The table of bugs, rates and right answers. docs/decision.md says what each rate can demand. */

#define DEFECTS "server/defect.c"
#define SELDOM  UINT64_C(10000)

/* The ledger's leaks end by themselves; the allocator's figures need a length to be beyond doubt.
 * One loss in 10,000 is beyond doubt after five losses, in both halves: near certain after 18 times
 * as many connections, and what warms up isn't measured. */
#define SHORT  "--closed", "6000"
#define MEDIUM "--closed", "12000"
#define LONG   "--closed", "200k"
/* Nine in ten resume, at TLS 1.2: a quarter of the work for the same objects of the server's. */
#define RESUMED "--tls", "1.2", "--resume", "90%"
#define MUTUAL  "--client-auth", "require"
#define ABORTS  "--mix", "mid-handshake=9,clean=1"
#define HELD    "--operate", "request"
#define RESETS  "--mix", "reset=1"

#define LEAKS(defect_, one_in_, kind_, file_, ...)                                                 \
    {                                                                                              \
        .defect = defect_, .one_in = one_in_, .verdict = VERDICT_LEAK, .kind = kind_,              \
        .file = file_, __VA_ARGS__                                                                 \
    }
#define QUIET(defect_, one_in_, kind_, file_, ...)                                                 \
    {                                                                                              \
        .defect = defect_, .one_in = one_in_, .verdict = VERDICT_PASS, .kind = kind_,              \
        .file = file_, __VA_ARGS__                                                                 \
    }
/* What shows in jemalloc's figures alone is asked of a build that has it. */
#define HEAP_LEAKS(defect_, one_in_, kind_, ...)                                                   \
    {                                                                                              \
        .defect = defect_, .one_in = one_in_,                                                      \
        .verdict = SCENARIO_JEMALLOC ? VERDICT_LEAK : VERDICT_PASS, .kind = kind_,                 \
        .not_asked = SCENARIO_JEMALLOC ? NULL : no_jemalloc, __VA_ARGS__                           \
    }
#define NOT_ASKED(defect_, one_in_, why)                                                           \
    {                                                                                              \
        .defect = defect_, .one_in = one_in_, .not_asked = why                                     \
    }

static const char below_limit[] = "pins less than the 16 B of pages per connection that a run "
                                  "accepts";
static const char too_few[] = "100 regions in 3 epochs of 30 or more take 2.4M connections";

static const char no_jemalloc[] = "it shows in jemalloc's figures alone, and this build has none";

static const char few_steps[] = "an array that grows in steps takes too few of them";

static const char no_failure[] = "no allocation fails in a run";

static const struct selftest_case cases[] = {
    QUIET(NULL, 1, KIND_NONE, NULL, .options = {"--closed", "4000"}, .quick = true),

    LEAKS("lost-state", 1, KIND_SIDE, DEFECTS, .blocks = 1.0, .function = "lost_state_accept",
          .quick = true),
    LEAKS("lost-state", 100, KIND_SIDE, DEFECTS, .blocks = 0.01, .function = "lost_state_accept",
          .options = {MEDIUM}),
    LEAKS("lost-state", SELDOM, KIND_SIDE, DEFECTS, .blocks = 0.0001,
          .function = "lost_state_accept", .options = {RESUMED, LONG}),

    LEAKS("peer-cert-ref", 1, KIND_OBJECT, "crypto/asn1/", .function = "conn_handshake",
          .anywhere = true, .options = {MUTUAL, "--closed", "3000"}, .quick = true),
    LEAKS("peer-cert-ref", 100, KIND_OBJECT, "crypto/asn1/", .function = "conn_handshake",
          .anywhere = true, .options = {MUTUAL, MEDIUM}),
    LEAKS("peer-cert-ref", SELDOM, KIND_OBJECT, "crypto/asn1/", .function = "conn_handshake",
          .anywhere = true, .options = {MUTUAL, RESUMED, LONG}),

    LEAKS("ssl-retained", 1, KIND_OBJECT, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .quick = true),
    LEAKS("ssl-retained", 100, KIND_OBJECT, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {MEDIUM}),
    LEAKS("ssl-retained", SELDOM, KIND_OBJECT, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {RESUMED, LONG}),

    LEAKS("free-deferred", 1, KIND_DEFERRED, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .quick = true),
    LEAKS("free-deferred", 100, KIND_DEFERRED, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {MEDIUM}),
    LEAKS("free-deferred", SELDOM, KIND_DEFERRED, "ssl/ssl_lib.c", .function = "conn_tls_open",
          .anywhere = true, .options = {RESUMED, LONG}),

    LEAKS("session-ref", 1, KIND_OBJECT, "ssl/ssl_sess.c", .function = "conn_handshake",
          .anywhere = true, .quick = true),
    LEAKS("session-ref", 100, KIND_OBJECT, "ssl/ssl_sess.c", .function = "conn_handshake",
          .anywhere = true, .options = {MEDIUM}),
    LEAKS("session-ref", SELDOM, KIND_OBJECT, "ssl/ssl_sess.c", .function = "conn_handshake",
          .anywhere = true, .options = {RESUMED, LONG}),

    /* The rate is of the connections that fail or reset: at low rates nearly all do. */
    LEAKS("error-path", 1, KIND_SIDE, DEFECTS, .function = "error_state_accept", .options = {SHORT},
          .quick = true),
    LEAKS("error-path", 100, KIND_SIDE, DEFECTS, .function = "error_state_accept",
          .options = {ABORTS, MEDIUM}),
    LEAKS("error-path", SELDOM, KIND_SIDE, DEFECTS, .function = "error_state_accept",
          .options = {ABORTS, "--closed", "220k"}),

    LEAKS("reset-path", 1, KIND_SIDE, DEFECTS, .function = "reset_state_accept", .quick = true),
    LEAKS("reset-path", 100, KIND_SIDE, DEFECTS, .function = "reset_state_accept",
          .options = {RESETS, MEDIUM}),
    LEAKS("reset-path", SELDOM, KIND_SIDE, DEFECTS, .function = "reset_state_accept",
          .options = {RESETS, RESUMED, LONG}),

    HEAP_LEAKS("outside", 1, KIND_OUTSIDE, .blocks = 1.0, .function = "outside_accept",
               .options = {MEDIUM}, .quick = true),
    HEAP_LEAKS("outside", 100, KIND_OUTSIDE, .function = "outside_accept",
               .options = {"--closed", "40k"}),
    NOT_ASKED("outside", SELDOM, too_few),

    HEAP_LEAKS("fragment", 1, KIND_FRAGMENTATION, .options = {MEDIUM}, .quick = true),
    NOT_ASKED("fragment", 100, below_limit),
    NOT_ASKED("fragment", SELDOM, below_limit),

    LEAKS("per-time", 1, KIND_TIME, DEFECTS, .function = "on_tick", .options = {SHORT},
          .quick = true),

    LEAKS("fd", 1, KIND_DESCRIPTORS, NULL, .blocks = 1.0, .options = {SHORT}, .quick = true),
    LEAKS("fd", 100, KIND_DESCRIPTORS, NULL, .options = {MEDIUM}),
    LEAKS("fd", SELDOM, KIND_DESCRIPTORS, NULL, .options = {RESUMED, LONG}),

    LEAKS("table", 1, KIND_TABLE, "server/defect_stores.c", .options = {SHORT}, .quick = true),
    NOT_ASKED("table", 100, few_steps),
    NOT_ASKED("table", SELDOM, few_steps),

    LEAKS("per-operation", 1, KIND_HELD, "server/defect_stores.c", .blocks = 1.0,
          .function = "notes_add", .options = {HELD, SHORT}, .quick = true),
    LEAKS("per-operation", 100, KIND_HELD, "server/defect_stores.c", .blocks = 0.01,
          .function = "notes_add", .options = {HELD, MEDIUM}),
    LEAKS("per-operation", SELDOM, KIND_HELD, "server/defect_stores.c", .blocks = 0.0001,
          .function = "notes_add", .options = {HELD, RESUMED, LONG}),
    QUIET("per-operation", 1, KIND_NONE, NULL, .options = {SHORT}),

    LEAKS("operation-lost", 1, KIND_SIDE, DEFECTS, .blocks = 1.0, .function = "operation_lose",
          .options = {HELD, SHORT}, .quick = true),
    LEAKS("operation-lost", 100, KIND_SIDE, DEFECTS, .blocks = 0.01, .function = "operation_lose",
          .options = {HELD, MEDIUM}),
    LEAKS("operation-lost", SELDOM, KIND_SIDE, DEFECTS, .blocks = 0.0001,
          .function = "operation_lose", .options = {HELD, RESUMED, LONG}),

    /* No allocation fails in a run: torture alone reaches it (tests/integration/test_torture.py).
     */
    QUIET("alloc-fail-path", 1, KIND_NONE, NULL, .options = {"--closed", "4000"}, .quick = true),
    NOT_ASKED("alloc-fail-path", 100, no_failure),
    NOT_ASKED("alloc-fail-path", SELDOM, no_failure),

    QUIET("one-time", 1, KIND_ONE_TIME, DEFECTS, .function = "table_accept", .options = {SHORT},
          .quick = true),

    QUIET("cache", 1, KIND_CACHE_BOUNDED, DEFECTS, .function = "peers_accept", .options = {SHORT},
          .quick = true),
    QUIET("cache", 100, KIND_CACHE_BOUNDED, DEFECTS, .function = "peers_accept",
          .options = {MEDIUM}),
    QUIET("cache", SELDOM, KIND_CACHE_BOUNDED, DEFECTS, .function = "peers_accept",
          .options = {LONG}),
};

const struct selftest_case *selftest_cases(size_t *ret_count)
{
    *ret_count = sizeof cases / sizeof cases[0];
    return cases;
}

enum { FIRST_FRAMES = 3 };

ENUM_NAMES(selftest_outcome, SELFTEST_OUTCOME_LIST)

bool selftest_as_expected(enum selftest_outcome o)
{
    return o == SELFTEST_CAUGHT || o == SELFTEST_QUIET;
}

static const char *or_none(const char *text)
{
    return text ? text : "";
}

/* The finding to compare: the first of a leak; of a PASS the one at the expected file. */
static const struct result_site *finding_of(const struct selftest_case *c,
                                            const struct result_subject *server)
{
    for (size_t i = 0; i < server->sites; i++) {
        const struct result_site *site = &server->site[i];
        if (c->verdict == VERDICT_LEAK || (c->file && strstr(or_none(site->file), c->file)))
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

/* The stack to compare: that of most survivors; of a PASS the one at the expected file. */
static const struct result_stack *stack_of(const struct selftest_case *c,
                                           const struct result_capture *capture)
{
    for (size_t i = 0; i < capture->stacks; i++) {
        const struct result_stack *stack = &capture->stack[i];
        if (c->verdict == VERDICT_LEAK || (c->file && strstr(or_none(stack->file), c->file)))
            return stack;
    }
    return NULL;
}

/* Whether the expected function is where it must be. Says it, or the first one there. */
static bool function_found(const struct selftest_case *c, const struct result_stack *stack,
                           struct selftest_said *said)
{
    size_t first = 0;
    while (first < stack->frames && symbol_is_allocator(&stack->frame[first]))
        first++;
    for (size_t i = first; i < stack->frames && (c->anywhere || i < first + FIRST_FRAMES); i++) {
        const char *function = or_none(stack->frame[i].function);
        if (i == first)
            said->function = function;
        if (strcmp(function, c->function) == 0) {
            said->function = function;
            return true;
        }
    }
    return false;
}

static bool stack_fits(const struct selftest_case *c, const struct result_subject *server,
                       struct selftest_said *said)
{
    if (!c->function)
        return true;
    const struct result_stack *stack = stack_of(c, &server->capture);
    if (!stack) /* what isn't called a leak needn't be traced */
        return c->verdict == VERDICT_PASS;
    return function_found(c, stack, said);
}

/* ---- the whole ---- */

static void say(const struct result_subject *server, const struct result_site *finding,
                struct selftest_said *said)
{
    said->verdict = verdict_name(server->judgement.verdict);
    said->kind = kind_name(finding ? finding->kind : server->judgement.kind);
    if (!finding)
        return;
    said->file = or_none(finding->file);
    said->line = finding->line;
    said->blocks = finding->per_conn_blocks;
    said->count = finding->blocks;
}

static enum selftest_outcome judge_verdict(const struct selftest_case *c, enum verdict server,
                                           enum verdict whole)
{
    if (c->verdict == VERDICT_LEAK && server == VERDICT_PASS)
        return SELFTEST_MISSED;
    if (c->verdict == VERDICT_PASS && server == VERDICT_LEAK)
        return SELFTEST_FALSE_ALARM;
    if (server == VERDICT_INCONCLUSIVE)
        return SELFTEST_UNDECIDED;
    if (server == VERDICT_LEAK)
        return SELFTEST_CAUGHT;
    return server == VERDICT_PASS && whole == VERDICT_PASS ? SELFTEST_QUIET : SELFTEST_BROKEN;
}

enum selftest_outcome selftest_judge(const struct selftest_case *c, const struct result *r,
                                     struct selftest_said *said)
{
    *said = (struct selftest_said){.verdict = "", .kind = "", .file = "", .function = ""};
    /* The server is the subject that has the bug. */
    const struct result_subject *server = r ? result_subject_find(r, "server") : NULL;
    if (!server)
        return SELFTEST_BROKEN;
    say(server, finding_of(c, server), said);
    /* The bug is the server's: of the client nothing may be said. */
    if (c->verdict == VERDICT_LEAK && result_others_have(r, server, VERDICT_LEAK))
        return SELFTEST_FALSE_ALARM;
    if (c->verdict == VERDICT_LEAK && result_others_have(r, server, VERDICT_INVALID))
        return SELFTEST_BROKEN;
    enum selftest_outcome o = judge_verdict(c, server->judgement.verdict, r->verdict);
    bool traced = stack_fits(c, server, said);
    if (!selftest_as_expected(o))
        return o;
    if (c->kind != KIND_NONE && !kind_fits(c, said->kind))
        return SELFTEST_WRONG_KIND;
    if (!site_fits(c, said))
        return SELFTEST_WRONG_SITE;
    return traced ? o : SELFTEST_WRONG_STACK;
}

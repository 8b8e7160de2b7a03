/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"

#include "report/document.h"

#include <math.h>
#include <string.h>

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

/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict as a whole: the findings, and whether the run was fit to give one. */
#include "judge_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void reason(struct judgement *j, const char *format,
                                                         ...)
{
    if (j->reasons == JUDGE_REASONS)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(j->reason[j->reasons++], sizeof *j->reason, format, args);
    va_end(args);
}

/* Figures that mean nothing: no finding may be drawn from them. */
static bool meaningless(const struct judge_context *h, struct judgement *j)
{
    if (rule_on(h, RULE_UNHOOKED) && !h->e->hooked && !h->e->outside) {
        reason(j, "the allocation hooks were not active: the ledger counted nothing");
        return true;
    }
    if (rule_on(h, RULE_NO_HANDSHAKE) && h->e->handshakes == 0) {
        reason(j, "no handshake succeeded: nothing was measured");
        return true;
    }
    return false;
}

static void leak_reasons(const struct judge_context *h, struct judgement *j)
{
    for (size_t i = 0; i < j->findings && j->finding[i].verdict == VERDICT_LEAK; i++) {
        const struct judge_finding *f = &j->finding[i];
        if (f->site == SIZE_MAX)
            reason(j, "%s: %.150s", kind_text(f->kind), f->why);
        else
            reason(j, "%s: %.2f bytes in %.4f blocks per %s at %.80s:%" PRIu32, kind_text(f->kind),
                   f->per_conn_bytes, f->per_conn_blocks,
                   h->e->unit == UNIT_CONNECTION ? "closed connection" : unit_of(h),
                   h->e->site[f->site].file, h->e->site[f->site].line);
    }
}

uint64_t judge_tried(const struct judge_load *load)
{
    uint64_t all =
        load->by_operation ? load->failed + load->operations : load->closed + load->established;
    return all > load->failed ? all : load->failed;
}

bool judge_many(uint64_t failed, uint64_t tried)
{
    enum { MANY = 100 };
    return failed * MANY > tried;
}

bool judge_hopeless(uint64_t failed, uint64_t tried, uint64_t expected)
{
    enum { DECIDE_MIN = 50 };
    uint64_t all = expected > tried ? expected : tried;
    return failed >= DECIDE_MIN && failed * 2 > tried && judge_many(failed, all);
}

/* What a run is to show that isn't asked for anything is its own matter. */
static char *asked_text(const struct judge_context *h, char *buf, size_t size)
{
    snprintf(buf, size,
             h->e->unasked ? "a whole run without a bound shows 1 in %" PRIu64
                           : "asked: 1 in %" PRIu64,
             h->e->want_one_in);
    return buf;
}

/* Nothing is shown by a run in which a block that every connection loses might not have been seen.
 */
static void doubt_without_figure(const struct judge_context *h, struct judgement *j)
{
    char text[64], asked[72] = "";
    if (h->e->want_one_in && !h->e->unasked)
        snprintf(asked, sizeof asked, "; %s", asked_text(h, text, sizeof text));
    if (runs_alike(h))
        reason(j,
               "the %zu runs made %s connections, so that no lost block would surely have shown%s",
               h->e->epochs, h->epochs ? "only two numbers of" : "the same number of", asked);
    else if (h->epochs < JUDGE_MIN_EPOCHS)
        reason(j,
               "%d of %d epochs could be judged: the run was too short, no lost block would surely "
               "have shown%s",
               h->epochs, JUDGE_MIN_EPOCHS, asked);
    else
        reason(j,
               "no lost block would surely have shown in %" PRIu64 " and %" PRIu64
               " %ss, the halves of what could be judged%s",
               h->half[0], h->half[1], unit_of(h), asked);
}

static void doubt_of_sensitivity(const struct judge_context *h, struct judgement *j)
{
    double seen = j->sensitivity.one_in, want = (double)h->e->want_one_in;
    if (rule_on(h, RULE_FROM_OUTSIDE) && h->e->outside)
        return; /* it has no sensitivity, however long it takes */
    if (seen < 1) {
        if (rule_on(h, RULE_NO_FIGURE))
            doubt_without_figure(h, j);
    } else if (rule_on(h, RULE_INSENSITIVE) && seen < want) {
        char asked[64];
        reason(j, "one lost block in %.0f %ss would have shown; %s", seen, unit_of(h),
               asked_text(h, asked, sizeof asked));
    }
}

static void doubts_of_run(const struct judge_context *h, struct judgement *j)
{
    const struct evidence *e = h->e;
    if (rule_on(h, RULE_FROM_OUTSIDE) && e->outside)
        reason(j, "%s", e->outside);
    if (rule_on(h, RULE_FAILED_SOME) && e->failed)
        reason(j, "%" PRIu64 " connections failed that were meant to succeed", e->failed);
    if (rule_on(h, RULE_OVERFLOWED) && e->overflowed)
        reason(j, "the probe's tables were too small: some allocations have no place or epoch");
    if (rule_on(h, RULE_UNSTEADY) && e->moving)
        reason(j, "NO STEADY STATE: %.170s", e->moving);
    doubt_of_sensitivity(h, j);
}

static void doubts_of_findings(const struct judge_context *h, struct judgement *j)
{
    for (size_t i = 0; i < j->findings; i++) {
        const struct judge_finding *f = &j->finding[i];
        if (f->verdict != VERDICT_INCONCLUSIVE)
            continue;
        if (f->site == SIZE_MAX)
            reason(j, "%s: %.150s", kind_text(f->kind), f->why);
        else
            reason(j, "%.60s:%" PRIu32 ": %.110s", h->e->site[f->site].file,
                   h->e->site[f->site].line, f->why);
    }
}

/* What grows as seen from outside alone is no more than a doubt, and what doesn't shows nothing. */
static void doubt_from_outside(struct judgement *j)
{
    for (size_t i = 0; i < j->findings; i++)
        if (j->finding[i].verdict == VERDICT_LEAK)
            j->finding[i].verdict = VERDICT_INCONCLUSIVE;
    j->sensitivity = (struct judge_sensitivity){0};
    j->wants_hold = j->wants_more = false;
}

void verdict_decide(const struct judge_context *h, struct judgement *j)
{
    const struct evidence *e = h->e;
    if (rule_on(h, RULE_FROM_OUTSIDE) && h->e->outside)
        doubt_from_outside(j);
    j->kind = j->findings ? j->finding[0].kind : KIND_NONE;
    if (meaningless(h, j)) {
        j->verdict = VERDICT_INVALID;
        j->kind = KIND_NONE;
    } else if (j->findings && j->finding[0].verdict == VERDICT_LEAK) {
        j->verdict = VERDICT_LEAK;
        leak_reasons(h, j);
    } else if (rule_on(h, RULE_FAILED_MANY) && judge_many(h->e->failed, h->e->tried)) {
        j->verdict = VERDICT_INVALID;
        reason(j, "%" PRIu64 " of %" PRIu64 " connections failed: more than one in a hundred",
               h->e->failed, h->e->tried);
    } else if (rule_on(h, RULE_FOREIGN_MANY) && judge_many(h->e->foreign, h->e->tried)) {
        j->verdict = VERDICT_INVALID;
        reason(j,
               /* Over IPv4 nothing of theirs is in the figures, but they take the port and the
                * processors. */
               "%" PRIu64 " connections from elsewhere to the server's port, beside %" PRIu64
               " of the run's own: more than one in a hundred",
               h->e->foreign, h->e->tried);
    } else {
        doubts_of_findings(h, j);
        doubts_of_run(h, j);
        j->verdict = j->reasons ? VERDICT_INCONCLUSIVE : VERDICT_PASS;
        if (!j->reasons && e->ended)
            reason(j, "runs with up to %" PRIu64 " %ss more end with no more blocks", h->opened,
                   unit_of(h));
        else if (!j->reasons)
            reason(j, "nothing grows over %" PRIu64 " %ss in %d epochs", h->opened, unit_of(h),
                   h->epochs);
    }
}

static void forget_leaks(struct judgement *j)
{
    for (size_t i = 0; i < j->findings; i++)
        if (j->finding[i].verdict == VERDICT_LEAK)
            j->finding[i].verdict = VERDICT_INCONCLUSIVE;
    for (size_t i = 0; i < j->metrics; i++)
        if (j->metric[i].state == METRIC_GROWS)
            j->metric[i].state = METRIC_UNSURE;
    memset(j->leaks, 0, sizeof j->leaks);
    memset(j->emptied, 0, sizeof j->emptied);
    j->per_conn_blocks = j->per_conn_bytes = 0;
}

void judgement_doubt_leak(struct judgement *j, const char *why)
{
    if (j->verdict != VERDICT_LEAK || j->finding[0].gauge == METRIC_THREADS)
        return;
    forget_leaks(j);
    j->verdict = VERDICT_INCONCLUSIVE;
    j->certain = j->held = j->proportional = j->wants_hold = j->wants_more = false;
    j->hold_ms = 0;
    j->reasons = 0;
    reason(j, "%s", why);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "canary.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ENUM_NAMES(canary_control, CANARY_CONTROL_LIST)
ENUM_TEXTS(canary_control, CANARY_CONTROL_LIST)

/* The first failure is the one to tell. */
__attribute__((format(printf, 2, 3))) static void fail(struct canary *s, const char *format, ...)
{
    if (s->state == CANARY_FAILED)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(s->sentence, sizeof s->sentence, format, args);
    va_end(args);
    s->state = CANARY_FAILED;
}

/* Connections begun up to the end of `epoch`. */
static uint64_t opened_until(const struct canary_evidence *e, size_t epoch)
{
    uint64_t sum = 0;
    for (size_t c = 0; c <= epoch; c++)
        sum += e->epoch[c].opened;
    return sum;
}

/* The epoch of a connection; false when the run hasn't come to it. */
static bool epoch_of(const struct canary_evidence *e, uint64_t connection, size_t *ret)
{
    for (size_t c = 0; c < e->epochs; c++) {
        if (opened_until(e, c) <= connection)
            continue;
        *ret = c;
        return true;
    }
    return false;
}

/* ---- the planted block ---- */

/* Where the block is looked for: a late one may be the next epoch's. Returns false when it may
 * still come. */
static bool late_epoch(const struct canary_evidence *e, int64_t blocks, size_t *epoch)
{
    bool next = *epoch + 1 < e->epochs;
    if (e->plan.late && e->lost.born_blocks[*epoch] == 0 && next)
        ++*epoch;
    return next || !e->plan.late || blocks != 0;
}

/* A process of one connection is there at a checkpoint, or before and after a hold; one that was to
 * be measured is there at more. */
static bool was_to_stay(const struct canary_evidence *e)
{
    enum { CHECKPOINTS = 2 };
    size_t alive = 0;
    for (size_t c = 0; c < e->epochs; c++)
        alive += e->lost.blocks[c] > 0;
    return alive > CHECKPOINTS;
}

static void check_lost(const struct canary_evidence *e, struct canary *s)
{
    const struct judge_site *site = &e->lost;
    int64_t blocks = 0, bytes = 0;
    s->bytes = e->plan.lost_bytes;
    s->reached = e->plan.armed && epoch_of(e, e->plan.lost_at, &s->epoch);
    for (size_t c = 0; c < e->epochs; c++) {
        blocks += site->born_blocks[c];
        bytes += site->born_bytes[c];
    }
    s->reached = s->reached && late_epoch(e, blocks, &s->epoch);
    if (!s->reached) {
        if (blocks != 0 || bytes != 0)
            fail(s, "the planted block is there before its connection was opened");
        s->unproven = e->shared && e->plan.armed;
        return;
    }
    size_t at = s->epoch;
    s->found = blocks == 1 && bytes == s->bytes && site->born_blocks[at] == 1 &&
               site->born_bytes[at] == s->bytes;
    s->gone = e->gone && blocks == 0 && bytes == 0;
    s->unproven = s->gone && (e->one_process || was_to_stay(e));
    if (s->found || s->gone)
        return;
    if (blocks == 1 && bytes == s->bytes)
        fail(s, "the planted block belongs to epoch %zu, and the ledger has it in another", at);
    else
        fail(s,
             "1 block of %" PRId64 " bytes was planted in epoch %zu; the ledger has %" PRId64
             " of %" PRId64 " bytes in all",
             s->bytes, at, blocks, bytes);
}

/* ---- the quiet controls ---- */

static size_t base_of(const struct canary_evidence *e)
{
    size_t base = SIZE_MAX;
    for (size_t c = 0; c < e->epochs && !e->epoch[c].measured; c++)
        base = c;
    return base;
}

/* What must be alive of a control at checkpoint c: no control is quiet because it never happened.
 */
static int64_t expected_blocks(const struct canary_evidence *e, enum canary_control which, size_t c)
{
    uint64_t opened = opened_until(e, c);
    int64_t made;
    switch (which) {
    case CANARY_ONE_TIME:
        return e->plan.armed && opened > e->plan.one_time_at;
    case CANARY_CACHE:
        made = (int64_t)opened;
        return made < e->plan.cache_entries ? made : e->plan.cache_entries;
    case CANARY_DEFERRED:
        made = (int64_t)((opened + e->plan.every - 2) / e->plan.every);
        return opened < 2 ? 0 : made < e->plan.waiting ? made : e->plan.waiting;
    case CANARY_CONTROLS:
        break;
    }
    CHECK(false);
    return 0;
}

/* The cache is a control only when it was full before the measuring began. */
static bool is_seen(const struct canary_evidence *e, enum canary_control which)
{
    size_t base = base_of(e), last = e->epochs - 1;
    if (base == SIZE_MAX || base == last)
        return false;
    if (which == CANARY_CACHE)
        return (e->shared ? e->control[which].blocks[base] : expected_blocks(e, which, base)) ==
               e->plan.cache_entries;
    return expected_blocks(e, which, last) > 0;
}

static void check_amount(const struct canary_evidence *e, enum canary_control which,
                         struct canary *s)
{
    for (size_t c = 0; c < e->epochs; c++) {
        int64_t expected = expected_blocks(e, which, c), found = e->control[which].blocks[c];
        if (expected == found || (e->shared && found >= 0 && found < expected))
            continue;
        fail(s, "%s: %" PRId64 " of its blocks must be alive after epoch %zu, found %" PRId64,
             canary_control_text(which), expected, c, found);
        return;
    }
    if (which == CANARY_DEFERRED && e->drained && e->control[which].drained_blocks != 0)
        fail(s, "%s: the drain freed them, and the ledger still has %" PRId64,
             canary_control_text(which), e->control[which].drained_blocks);
}

static void check_quiet(const struct canary_evidence *e, struct canary *s)
{
    /* Of the judgement only the findings are asked for. */
    struct evidence evidence = {.epochs = e->epochs,
                                .epoch = e->epoch,
                                .sites = CANARY_CONTROLS,
                                .site = e->control,
                                .drained = e->drained};
    struct judgement j;
    judge(&evidence, &j);
    for (size_t i = 0; i < CANARY_CONTROLS; i++)
        s->quiet[i] = true;
    for (size_t i = 0; i < j.findings; i++) {
        const struct judge_finding *f = &j.finding[i];
        CHECK(f->site < CANARY_CONTROLS);
        if (f->verdict == VERDICT_PASS || !s->seen[f->site])
            continue;
        s->quiet[f->site] = false;
        fail(s, "%s must stay quiet and was called %s, %s",
             canary_control_text((enum canary_control)f->site), verdict_name(f->verdict),
             kind_text(f->kind));
    }
}

static void check_controls(const struct canary_evidence *e, struct canary *s)
{
    for (size_t i = 0; i < CANARY_CONTROLS; i++) {
        s->seen[i] = is_seen(e, (enum canary_control)i);
        check_amount(e, (enum canary_control)i, s);
    }
    check_quiet(e, s);
}

static void conclude(struct canary *s)
{
    int quiet = 0;
    for (size_t i = 0; i < CANARY_CONTROLS; i++)
        quiet += s->seen[i] && s->quiet[i];
    if (s->state == CANARY_FAILED)
        return;
    s->state = s->reached && !s->gone ? CANARY_OK : CANARY_NOT_REACHED;
    if (s->gone)
        snprintf(s->sentence, sizeof s->sentence,
                 "the process that lost a block on purpose has ended since%s",
                 s->unproven ? "; one process has to stay" : "");
    else if (s->unproven)
        snprintf(s->sentence, sizeof s->sentence,
                 "too few SSL objects were made for the block that was to be lost on purpose");
    else if (!s->reached)
        snprintf(s->sentence, sizeof s->sentence,
                 "the run ended before the connection that plants the block");
    else if (quiet)
        snprintf(s->sentence, sizeof s->sentence,
                 "found the block lost on purpose; no alarm at %d harmless one%s", quiet,
                 quiet == 1 ? "" : "s");
    else
        snprintf(s->sentence, sizeof s->sentence, "found the block lost on purpose");
}

void canary_judge(const struct canary_evidence *e, struct canary *ret)
{
    *ret = (struct canary){.state = CANARY_NONE};
    if (!e->plan.planned)
        return;
    if (e->epochs) {
        check_lost(e, ret);
        check_controls(e, ret);
    }
    conclude(ret);
}

static void tell(const struct canary *s, struct judgement *j)
{
    size_t kept = j->reasons < JUDGE_REASONS ? j->reasons : JUDGE_REASONS - 1;
    memmove(j->reason + 1, j->reason, kept * sizeof *j->reason);
    snprintf(*j->reason, sizeof *j->reason, "meter check: %.170s", s->sentence);
    j->reasons = kept + 1;
}

void canary_apply(const struct canary *s, struct judgement *j)
{
    if (s->unproven && j->verdict == VERDICT_PASS) {
        tell(s, j);
        j->verdict = VERDICT_INCONCLUSIVE;
    }
    if (s->state != CANARY_FAILED)
        return;
    tell(s, j);
    j->verdict = VERDICT_INVALID;
    j->certain = j->wants_hold = j->wants_more = false;
    judgement_distrust(j, "not to be trusted");
}

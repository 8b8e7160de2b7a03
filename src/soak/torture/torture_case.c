/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation that fails: what it leads to, looked at as often as it takes to be sure. */
#include "base/clock.h"
#include "terminal.h"
#include "torture_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WARM_UP = 20,  /* connections of each behaviour: what is made once has been made */
    STARTS = 1000, /* of the pair, at most: each crash takes one */
    WARM_MS = 60000,
    SETTLE_MS = 30000,
    LIVE_NS = 250000000
};

/* OpenSSL keeps up to 16 errors per thread, and some of their texts' memory with them: what fills
 * such a ring stays up to 16 times. */
enum { REPEATS = 20, CLEAN_IN_A_ROW = 3 };

/* ---- the pair ---- */

/* The client's page tells what there is and what has a weight: known from the first start on. */
static void learn_behaviours(struct torture *t)
{
    const struct page *page = t->bench.pair.subjects.subject[PAIR_CLIENT].child.page;
    size_t count = atomic_load(&page->behaviours);
    if (t->behaviours)
        return;
    for (size_t i = 0; i + 1 < count && i < TORTURE_BEHAVIOURS; i++) {
        _Static_assert(sizeof t->behaviour[i] == sizeof page->behaviour[i].name, "one is copied");
        memcpy(t->behaviour[i], page->behaviour[i].name, sizeof t->behaviour[i]);
        t->behaviour[i][sizeof t->behaviour[i] - 1] = '\0';
        if (page->behaviour[i].weight)
            t->chosen[t->behaviours++] = i;
    }
}

static const char *end_text(enum pair_end end)
{
    static const char *const texts[] = {[PAIR_DONE] = "completed",
                                        [PAIR_LATE] = "timed out",
                                        [PAIR_DIED] = "crashed one side",
                                        [PAIR_INTERRUPTED] = "was interrupted"};
    return texts[end];
}

static bool warm_up(struct torture *t)
{
    struct pair *p = &t->bench.pair;
    enum pair_end end = PAIR_DONE;
    for (size_t i = 0; i < t->behaviours && end == PAIR_DONE; i++)
        end = pair_connections(p, t->chosen[i], WARM_UP, WARM_MS);
    if (end == PAIR_DONE && t->scenario->session == SESSION_CACHE)
        end = pair_flush(p, SETTLE_MS);
    if (end == PAIR_DONE)
        end = pair_settle(p, SETTLE_MS);
    return end == PAIR_DONE || end == PAIR_INTERRUPTED
               ? end == PAIR_DONE
               : torture_break(t, "the warm-up, in which no allocation fails, %s", end_text(end));
}

bool torture_start(struct torture *t)
{
    struct err e = {{0}};
    struct pair *p = &t->bench.pair;
    if (++t->starts > STARTS)
        return torture_break(t, "a side died %d times", STARTS);
    if (pair_start(p, &e) != 0)
        return p->interrupted ? false : torture_break(t, "%s", e.text);
    learn_behaviours(t);
    return warm_up(t) && (bench_begin(&t->bench, &e) == 0 || torture_break(t, "%s", e.text));
}

static bool restart(struct torture *t)
{
    pair_stop(&t->bench.pair);
    return !t->bench.pair.interrupted && torture_start(t);
}

/* ---- a step ---- */

static void tell(struct torture *t, const struct attempt *a)
{
    const struct torture_sweep *w = a->sweep;
    uint64_t now_ns = clock_now_ns();
    if (t->scenario->quiet || !terminal_is(STDERR_FILENO) || now_ns - t->told_ns < LIVE_NS)
        return;
    t->told_ns = now_ns;
    fprintf(stderr, "\r\033[K%s, %s: allocation %" PRIu64 " of %" PRIu64 ", %" PRIu64 " found",
            w->side == PAIR_SERVER ? "server" : "client", t->behaviour[w->behaviour], a->number,
            w->most, torture_found(t));
}

static bool write_step(struct torture *t, const struct attempt *a)
{
    struct err e = {{0}};
    char *line = torture_step_json(t, a);
    int rc = line ? run_dir_sample(t->dir, line, &e) : err_set(&e, "out of memory");
    free(line);
    return rc == 0 || torture_break(t, "%s", e.text);
}

bool torture_step(struct torture *t, struct attempt *a)
{
    struct err e = {{0}};
    struct step *s = &a->step;
    const struct step_plan plan = {a->sweep->side, a->sweep->behaviour, a->number};
    tell(t, a);
    if (step_run(&t->bench, &plan, s, &e) != 0)
        return torture_break(t, "%s", e.text);
    if (s->outcome == STEP_INTERRUPTED || !write_step(t, a))
        return false;
    if (s->outcome != STEP_CRASHED && s->outcome != STEP_STUCK)
        return true;
    if (s->outcome == STEP_CRASHED || t->confirms)
        torture_find_end(t, a);
    return !t->broken[0] && restart(t);
}

/* ---- who asked for what stays ---- */

static void want(struct page *page, size_t site, bool wanted)
{
    uint64_t bit = UINT64_C(1) << site % 64;
    if (wanted) {
        atomic_fetch_or(&page->capture.wanted[site / 64], bit);
        atomic_fetch_or(&page->epoch, PAGE_EPOCH_CAPTURES);
    } else {
        atomic_fetch_and(&page->capture.wanted[site / 64], ~bit);
        atomic_fetch_and(&page->epoch, ~PAGE_EPOCH_CAPTURES);
    }
}

static int64_t live_on(const struct snapshot_stack *stack)
{
    int64_t blocks = 0;
    for (size_t i = 0; i < PAGE_EPOCHS; i++)
        blocks += stack->born_blocks[i];
    return blocks;
}

/* Blocks that lay on the stack before. */
static int64_t lay_on(const struct snapshot_stacks *before, const struct snapshot_stack *stack)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct snapshot_stack *s = &before->stack[i];
        if (s->site == stack->site && s->frames == stack->frames &&
            memcmp(s->frame, stack->frame, s->frames * sizeof s->frame[0]) == 0)
            return live_on(s);
    }
    return 0;
}

static void name_grown(struct torture *t, struct torture_finding *f,
                       const struct snapshot_stacks *before, const struct snapshot_stacks *after)
{
    for (size_t i = 0; i < after->count; i++) {
        const struct snapshot_stack *s = &after->stack[i];
        if (s->site != f->step.kept[f->kept_side].site[0].site || live_on(s) <= lay_on(before, s))
            continue;
        struct step_stack stack = {.frames = s->frames};
        memcpy(stack.frame, s->frame, s->frames * sizeof s->frame[0]);
        torture_trace(t, f->kept_side, &stack, false, &f->stays);
        return;
    }
}

/* Once more, with the call stacks taken at the site that keeps most. */
static bool trace_kept(struct torture *t, const struct attempt *first, struct torture_finding *f)
{
    struct attempt again = {first->sweep, first->number, {0}};
    struct snapshot_stacks before = {0}, after = {0};
    const struct kept *kept = &f->step.kept[f->kept_side];
    struct page *page = t->bench.pair.subjects.subject[f->kept_side].child.page;
    if (kept->sites == 0 || snapshot_stacks_read(page, &before, NULL) != 0)
        return true;
    want(page, kept->site[0].site, true);
    bool goes_on = torture_step(t, &again);
    /* A pair that was started anew has other pages. */
    if (goes_on && again.step.outcome != STEP_STUCK && again.step.outcome != STEP_CRASHED) {
        want(page, kept->site[0].site, false);
        if (snapshot_stacks_read(page, &after, NULL) == 0)
            name_grown(t, f, &before, &after);
    }
    snapshot_stacks_free(&before);
    snapshot_stacks_free(&after);
    return goes_on;
}

/* ---- what stays ---- */

static bool judge_kept(struct torture *t, const struct attempt *first, int side)
{
    uint64_t repeats = 0, stayed = 0, clean = 0;
    struct attempt again = {first->sweep, first->number, {0}};
    if (torture_known(t, first, TORTURE_LOST, side)) {
        torture_find(t, first, TORTURE_LOST, side);
        return true;
    }
    while (repeats < REPEATS && clean < CLEAN_IN_A_ROW) {
        if (!torture_step(t, &again))
            return false;
        repeats++;
        bool stays = kept_any(&again.step.kept[side]);
        stayed += stays;
        clean = stays ? 0 : clean + 1;
    }
    bool lost = clean < CLEAN_IN_A_ROW;
    struct torture_finding *f = torture_find(t, first, lost ? TORTURE_LOST : TORTURE_ONCE, side);
    if (!f)
        return !t->broken[0];
    f->repeats = repeats;
    f->stayed = stayed;
    return !lost || trace_kept(t, first, f);
}

/* ---- how it ended ---- */

/* A machine that is too slow for once isn't a hang. */
static bool judge_hang(struct torture *t, const struct attempt *first)
{
    struct attempt again = {first->sweep, first->number, {0}};
    t->confirms = true;
    bool goes_on = torture_step(t, &again);
    t->confirms = false;
    if (goes_on && again.step.outcome == STEP_HUNG)
        torture_find(t, first, TORTURE_HANG, first->sweep->side);
    return goes_on && !t->broken[0];
}

bool torture_damaged(struct torture *t, const struct attempt *a)
{
    torture_find(t, a, TORTURE_DAMAGED, a->sweep->side);
    return !t->broken[0] && restart(t);
}

bool torture_case(struct torture *t, struct torture_sweep *w, uint64_t number)
{
    struct attempt a = {w, number, {0}};
    const struct step *s = &a.step;
    if (!torture_step(t, &a))
        return false;
    w->tried++;
    w->not_reached += !s->hit;
    switch (s->outcome) {
    case STEP_WENT_ON:
        w->went_on += s->hit;
        break;
    case STEP_FAILED:
        w->failed += s->hit;
        if (!s->hit)
            return torture_damaged(t, &a);
        break;
    case STEP_HUNG:
    case STEP_STUCK:
        return judge_hang(t, &a);
    case STEP_CRASHED:
        return true;
    case STEP_INTERRUPTED:
        return false;
    }
    for (int side = 0; side < PAIR_SIDES; side++) {
        if (kept_any(&s->kept[side]) && !judge_kept(t, &a, side))
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation that fails: what it leads to, looked at as often as it takes to be sure. */
#include "torture.h"

#include <stdio.h>
#include <string.h>

/* ---- stacks by name ---- */

enum { FRAMES = 64 };

static size_t resolve(struct symbols *symbols, const struct step_stack *stack, size_t first,
                      struct symbol *ret)
{
    size_t used = 0;
    for (size_t i = first; i < stack->frames && used < FRAMES; i++) {
        if (symbols)
            used += symbols_inlined(symbols, stack->frame[i], true, &ret[used], FRAMES - used);
        else
            ret[used++] = (struct symbol){.offset = stack->frame[i]};
    }
    return used;
}

static bool is_ours(const struct symbol *frame)
{
    return frame->module && strncmp(frame->module, "soak-", 5) == 0;
}

/* The outermost function before the program's own; where that has no certain name, or the program
 * allocates by itself, its own function. */
static const char *call_of(const struct symbol *frame, size_t count)
{
    size_t i = 0;
    while (i < count && !is_ours(&frame[i]))
        i++;
    if (i > 0 && i < count && frame[i - 1].function)
        return frame[i - 1].function;
    return i < count && frame[i].function ? frame[i].function : "";
}

/* `symbols` may be NULL: then there are addresses. `crash`: the stack begins in a signal handler.
 * From the main thread (see symbols_open). */
static void trace_name(struct symbols *symbols, const struct step_stack *stack, bool crash,
                       struct trace *ret)
{
    struct symbol frame[FRAMES];
    *ret = (struct trace){.lines = 0};
    /* The kernel's return from the handler lies before whoever was interrupted. */
    size_t count = resolve(symbols, stack, crash && stack->frames > 1, frame), first = 0;
    while (first < count && symbol_is_allocator(&frame[first]))
        first++;
    if (first == count)
        first = 0;
    snprintf(ret->call, sizeof ret->call, "%s", call_of(frame + first, count - first));
    for (size_t i = first; i < count && ret->lines < TRACE_LINES; i++)
        symbol_text(&frame[i], ret->line[ret->lines++], TRACE_TEXT);
}

/* ---- a case ---- */

/* OpenSSL keeps up to 16 errors per thread, and some of their texts' memory with them: what fills
 * such a ring stays up to 16 times. */
enum { REPEATS = 20, CLEAN_IN_A_ROW = 3 };

static struct symbols *names_of(struct torture *t, int side)
{
    return pair_symbols(&t->bench.pair, side);
}

static bool is_same(const struct torture_finding *f, const struct torture_sweep *w,
                    const struct step *s, enum torture_kind kind, int kept_side)
{
    return f->kind == kind && f->side == w->side && f->kept_side == kept_side &&
           f->step.line == s->line && strcmp(f->step.file, s->file) == 0 &&
           f->step.signal == s->signal && kept_same(&f->step.kept[kept_side], &s->kept[kept_side]);
}

static struct torture_finding *known(struct torture *t, const struct torture_sweep *w,
                                     const struct step *s, enum torture_kind kind, int kept_side)
{
    for (size_t i = 0; i < t->findings; i++) {
        if (is_same(t->finding[i], w, s, kind, kept_side))
            return t->finding[i];
    }
    return NULL;
}

static void count(struct torture_finding *f, struct torture_sweep *w, uint64_t number)
{
    if (f->times < TORTURE_NUMBERS)
        f->number[f->times] = number;
    f->times++;
    f->behaviours |= UINT64_C(1) << w->behaviour;
    w->count[f->kind]++;
}

/* Counts what is known, or adds it. Returns the finding when it is new. */
static struct torture_finding *find(struct torture *t, struct torture_sweep *w, uint64_t number,
                                    const struct step *s, enum torture_kind kind, int kept_side)
{
    struct torture_finding *f = known(t, w, s, kind, kept_side);
    bool is_new = !f;
    if (is_new && !(f = torture_add(t)))
        return NULL;
    if (is_new) {
        f->kind = kind;
        f->side = w->side;
        f->kept_side = kept_side;
        f->step = *s;
        trace_name(names_of(t, w->side), &s->stack, false, &f->failed);
    }
    count(f, w, number);
    return is_new ? f : NULL;
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
        trace_name(names_of(t, f->kept_side), &stack, false, &f->stays);
        return;
    }
}

/* Once more, with the call stacks taken at the site that keeps most. */
static bool trace_kept(struct torture *t, struct torture_sweep *w, uint64_t number,
                       struct torture_finding *f)
{
    struct step s;
    struct snapshot_stacks before = {0}, after = {0};
    const struct kept *kept = &f->step.kept[f->kept_side];
    struct page *page = t->bench.pair.subjects.subject[f->kept_side].child.page;
    if (kept->sites == 0 || snapshot_stacks_read(page, &before, NULL) != 0)
        return true;
    want(page, kept->site[0].site, true);
    bool goes_on = torture_step(t, w, number, &s);
    /* A pair that was started anew has other pages. */
    if (goes_on && s.outcome != STEP_STUCK && s.outcome != STEP_CRASHED) {
        want(page, kept->site[0].site, false);
        if (snapshot_stacks_read(page, &after, NULL) == 0)
            name_grown(t, f, &before, &after);
    }
    snapshot_stacks_free(&before);
    snapshot_stacks_free(&after);
    return goes_on;
}

/* ---- what stays ---- */

static bool judge_kept(struct torture *t, struct torture_sweep *w, uint64_t number,
                       const struct step *first, int side)
{
    uint64_t repeats = 0, stayed = 0, clean = 0;
    struct step s;
    if (known(t, w, first, TORTURE_LOST, side)) {
        find(t, w, number, first, TORTURE_LOST, side);
        return true;
    }
    while (repeats < REPEATS && clean < CLEAN_IN_A_ROW) {
        if (!torture_step(t, w, number, &s))
            return false;
        repeats++;
        bool stays = kept_any(&s.kept[side]);
        stayed += stays;
        clean = stays ? 0 : clean + 1;
    }
    bool lost = clean < CLEAN_IN_A_ROW;
    struct torture_finding *f = find(t, w, number, first, lost ? TORTURE_LOST : TORTURE_ONCE, side);
    if (!f)
        return !t->broken[0];
    f->repeats = repeats;
    f->stayed = stayed;
    return !lost || trace_kept(t, w, number, f);
}

/* ---- how it ended ---- */

void torture_ended(struct torture *t, struct torture_sweep *w, uint64_t number,
                   const struct step *s)
{
    enum torture_kind kind = s->outcome == STEP_CRASHED ? TORTURE_CRASH : TORTURE_HANG;
    struct torture_finding *f = find(t, w, number, s, kind, s->end_side);
    if (f)
        trace_name(names_of(t, s->end_side), &s->end_stack, true, &f->end);
}

/* A machine that is too slow for once isn't a hang. */
static bool judge_hang(struct torture *t, struct torture_sweep *w, uint64_t number,
                       const struct step *first)
{
    struct step s;
    t->confirms = true;
    bool goes_on = torture_step(t, w, number, &s);
    t->confirms = false;
    if (goes_on && s.outcome == STEP_HUNG)
        find(t, w, number, first, TORTURE_HANG, w->side);
    return goes_on && !t->broken[0];
}

bool torture_damaged(struct torture *t, struct torture_sweep *w, uint64_t number,
                     const struct step *s)
{
    find(t, w, number, s, TORTURE_DAMAGED, w->side);
    return !t->broken[0] && torture_restart(t);
}

bool torture_case(struct torture *t, struct torture_sweep *w, uint64_t number)
{
    struct step s;
    if (!torture_step(t, w, number, &s))
        return false;
    w->tried++;
    w->not_reached += !s.hit;
    switch (s.outcome) {
    case STEP_WENT_ON:
        w->went_on += s.hit;
        break;
    case STEP_FAILED:
        w->failed += s.hit;
        if (!s.hit)
            return torture_damaged(t, w, number, &s);
        break;
    case STEP_HUNG:
    case STEP_STUCK:
        return judge_hang(t, w, number, &s);
    case STEP_CRASHED:
        return true;
    case STEP_INTERRUPTED:
        return false;
    }
    for (int side = 0; side < PAIR_SIDES; side++) {
        if (kept_any(&s.kept[side]) && !judge_kept(t, w, number, &s, side))
            return false;
    }
    return true;
}

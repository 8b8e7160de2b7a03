/* SPDX-License-Identifier: Apache-2.0 */
/* What failed allocations led to, with the names of where. */
#include "torture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ENUM_NAMES(torture_kind, TORTURE_KINDS)

bool torture_break(struct torture *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!t->broken[0])
        vsnprintf(t->broken, sizeof t->broken, format, args);
    va_end(args);
    return false;
}

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

void torture_trace(struct torture *t, int side, const struct step_stack *stack, bool crash,
                   struct trace *ret)
{
    struct symbols *symbols = pair_symbols(&t->bench.pair, side);
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

/* ---- the list ---- */

/* So many innermost functions tell one end of a side from another; further out lies what the
 * behaviour does. */
enum { END_FRAMES = 3 };

static size_t name_length(const char *frame)
{
    const char *place = strstr(frame, "  ");
    return place ? (size_t)(place - frame) : strlen(frame);
}

/* An address that has no name is another in each process. */
static bool same_function(const char *a, const char *b)
{
    size_t length = name_length(a);
    bool nameless = strncmp(a, "0x", 2) == 0 && strncmp(b, "0x", 2) == 0;
    return nameless || (length == name_length(b) && strncmp(a, b, length) == 0);
}

static bool same_end(const struct trace *a, const struct trace *b)
{
    for (size_t i = 0; i < END_FRAMES && (i < a->lines || i < b->lines); i++)
        if (i >= a->lines || i >= b->lines || !same_function(a->line[i], b->line[i]))
            return false;
    return true;
}

static bool is_same(const struct torture_finding *f, const struct attempt *a,
                    enum torture_kind kind, int kept_side)
{
    const struct step *s = &a->step;
    return f->kind == kind && f->side == a->sweep->side && f->kept_side == kept_side &&
           f->step.line == s->line && strcmp(f->step.file, s->file) == 0 &&
           f->step.signal == s->signal && kept_same(&f->step.kept[kept_side], &s->kept[kept_side]);
}

static const struct trace no_end;

static struct torture_finding *known(const struct torture *t, const struct attempt *a,
                                     enum torture_kind kind, int kept_side, const struct trace *end)
{
    for (size_t i = 0; i < t->findings; i++) {
        if (is_same(t->finding[i], a, kind, kept_side) && same_end(&t->finding[i]->end, end))
            return t->finding[i];
    }
    return NULL;
}

struct torture_finding *torture_known(const struct torture *t, const struct attempt *a,
                                      enum torture_kind kind, int kept_side)
{
    return known(t, a, kind, kept_side, &no_end);
}

static void count(struct torture_finding *f, const struct attempt *a)
{
    if (f->times < TORTURE_NUMBERS)
        f->number[f->times] = a->number;
    f->times++;
    f->behaviours |= UINT64_C(1) << a->sweep->behaviour;
    a->sweep->count[f->kind]++;
}

/* NULL, and broken, when there is no memory. */
static struct torture_finding *add(struct torture *t)
{
    struct torture_finding **more = realloc(t->finding, (t->findings + 1) * sizeof *t->finding);
    struct torture_finding *f = calloc(1, sizeof *f);
    if (more)
        t->finding = more;
    if (!more || !f) {
        free(f);
        torture_break(t, "out of memory");
        return NULL;
    }
    t->finding[t->findings++] = f;
    return f;
}

static struct torture_finding *find(struct torture *t, const struct attempt *a,
                                    enum torture_kind kind, int kept_side, const struct trace *end)
{
    struct torture_finding *f = known(t, a, kind, kept_side, end);
    bool is_new = !f;
    if (is_new && !(f = add(t)))
        return NULL;
    if (is_new) {
        f->kind = kind;
        f->side = a->sweep->side;
        f->kept_side = kept_side;
        f->step = a->step;
        f->end = *end;
        torture_trace(t, f->side, &a->step.stack, false, &f->failed);
    }
    count(f, a);
    return is_new ? f : NULL;
}

struct torture_finding *torture_find(struct torture *t, const struct attempt *a,
                                     enum torture_kind kind, int kept_side)
{
    return find(t, a, kind, kept_side, &no_end);
}

void torture_find_end(struct torture *t, const struct attempt *a)
{
    const struct step *s = &a->step;
    struct trace end;
    torture_trace(t, s->end_side, &s->end_stack, true, &end);
    find(t, a, s->outcome == STEP_CRASHED ? TORTURE_CRASH : TORTURE_HANG, s->end_side, &end);
}

uint64_t torture_failed(const struct torture *t)
{
    uint64_t failed = 0;
    for (size_t i = 0; i < t->sweeps; i++)
        failed += t->sweep[i].tried - t->sweep[i].not_reached;
    return failed;
}

uint64_t torture_found(const struct torture *t)
{
    uint64_t found = 0;
    for (size_t i = 0; i < t->findings; i++)
        found += t->finding[i]->kind == TORTURE_ONCE ? 0 : t->finding[i]->times;
    return found;
}

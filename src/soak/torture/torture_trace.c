/* SPDX-License-Identifier: Apache-2.0 */
#include "torture_trace.h"

#include <stdio.h>
#include <string.h>

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

void trace_name(struct symbols *symbols, const struct step_stack *stack, bool crash,
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
